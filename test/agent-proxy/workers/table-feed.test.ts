/** A worker that follows has the leader's table in the end, whatever is lost on the way, and however slowly it takes it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Delta, Service } from '../../../agent-proxy/control/contract.ts';
import { ServiceTable, type TableFrame } from '../../../agent-proxy/routing/service-table.ts';
import { TableFeed } from '../../../agent-proxy/workers/table-feed.ts';
import { tableFrames } from '../../../agent-proxy/workers/table-frames.ts';
import { ToldTable } from '../../../agent-proxy/workers/told-table.ts';
import { endpoint, snapshotFrames } from '../../fixtures/control-stream.ts';

function service(name: string, endpoints: number, port = 80): Service {
  return {
    name,
    endpoints: Array.from({ length: endpoints }, (_, at) =>
      endpoint({ service: name, instance: `${name}.${at}`, port }),
    ),
  };
}

function delta(revision: number, upsert: Service[]): Delta {
  return {
    ...{ type: 'delta', epoch: 1, base: revision - 1, revision, upsert },
    ...{ remove: [], patch: [], agents: [], agentsRemoved: [], documents: [], documentsRemoved: [] },
  };
}

/** A snapshot as the scheduler sends it. */
function snapshot(revision: number, services: Service[]): TableFrame[] {
  return snapshotFrames(1, revision, services);
}

function ledTable(services: Service[] = [service('web', 2)]): ToldTable {
  const table = new ToldTable();
  for (const frame of snapshot(1, services)) table.apply(frame);
  return table;
}

/** Leader and follower, with a way between them that a test can break. */
function pair(table: ToldTable) {
  const feed = new TableFeed(() => tableFrames(table, 1));
  table.watchedBy(feed);
  const follower = new ServiceTable();
  return {
    feed,
    follower,
    /** One frame goes over; `isLost`: as it would be with too much on the way. False where there is none. */
    step(isLost = false): boolean {
      const frame = feed.next();
      if (frame === null) return false;
      feed.took(isLost || follower.apply(frame).kind === 'gap');
      return true;
    },
  };
}

test('a worker that has nothing gets all, then each change', () => {
  const table = ledTable();
  const { feed, follower, step } = pair(table);
  feed.join(false);
  while (step());
  expect(follower.digest()).toBe(table.digest());
  table.apply(delta(2, [service('api', 1)]));
  expect(step()).toBe(true);
  expect(step()).toBe(false);
  expect(follower).toMatchObject({ revision: 2, serviceCount: 2 });
});

test('a worker that is up to date gets only what changes', () => {
  const table = ledTable();
  const { feed, follower, step } = pair(table);
  for (const frame of snapshot(1, [service('web', 2)])) follower.apply(frame);
  feed.join(true);
  expect(step()).toBe(false);
  table.apply(delta(2, [service('api', 1)]));
  expect(feed.next()).toMatchObject({ type: 'delta', revision: 2 });
});

test('one that has not joined is told nothing', () => {
  const table = ledTable();
  const { feed } = pair(table);
  table.apply(delta(2, [service('api', 1)]));
  expect(feed.next()).toBeNull();
});

test('few frames are on their way at a time', () => {
  const { feed } = pair(ledTable([service('web', 1_000)]));
  feed.join(false);
  let sent = 0;
  while (feed.next() !== null) sent += 1;
  expect(sent).toBe(2);
});

test('one that falls far behind gets the whole table instead of hundreds of changes', () => {
  const table = ledTable();
  const { feed, follower, step } = pair(table);
  feed.join(false);
  while (step());
  for (let revision = 2; revision < 500; revision += 1) table.apply(delta(revision, [service('api', 1, revision)]));
  let steps = 0;
  while (step()) steps += 1;
  expect(steps).toBeLessThan(10);
  expect(follower.digest()).toBe(table.digest());
});

test('whatever is lost, both have the same table in the end', () => {
  const action = fc.oneof(
    fc.constant('step' as const),
    fc.constant('lose' as const),
    fc.constant('rejoin' as const),
    fc.constant('snapshot' as const),
    fc.integer({ min: 0, max: 5 }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const table = ledTable();
      const { feed, follower, step } = pair(table);
      feed.join(false);
      for (const one of actions) {
        if (one === 'step') step();
        else if (one === 'lose') step(true);
        else if (one === 'rejoin') {
          follower.abandonSnapshot();
          feed.join(follower.ready && follower.digest() === table.digest() && follower.revision === table.revision);
        } else if (one === 'snapshot') {
          const revision = table.revision + 1;
          for (const frame of snapshot(revision, [service('all', revision % 130)])) table.apply(frame);
        } else table.apply(delta(table.revision + 1, [service(`s${one}`, one, 1 + table.revision)]));
      }
      for (let left = 1_000; left > 0 && step(); left -= 1);
      expect(follower.digest()).toBe(table.digest());
      expect(follower.revision).toBe(table.revision);
    }),
  );
});

test('no frame of a table is large, and all of its endpoints are in them', () => {
  const table = ledTable([service('large', 333), service('none', 0), ...many(100, 3)]);
  const follower = new ServiceTable();
  for (const frame of tableFrames(table, 1)) {
    expect(JSON.stringify(frame).length).toBeLessThan(64 * 1024);
    expect(follower.apply(frame).kind).not.toBe('gap');
  }
  expect(follower.digest()).toBe(table.digest());
  expect(follower.service('large')?.endpoints).toHaveLength(333);
  expect(follower.serviceCount).toBe(102);
});

function many(count: number, endpoints: number): Service[] {
  return Array.from({ length: count }, (_, at) => service(`s${at}`, endpoints));
}
