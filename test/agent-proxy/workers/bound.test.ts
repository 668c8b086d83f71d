/** The scope `bound` among workers: the one that leads wants what any of them uses, and tells the others what came. */
import { expect, onTestFinished, test } from 'vitest';
import { PeerKeys } from '../../../agent-proxy/control/peer-keys.ts';
import { LocalInstances } from '../../../agent-proxy/health/local-instances.ts';
import { TableDigest } from '../../../agent-proxy/routing/digest.ts';
import { ServiceTable, type TableFrame } from '../../../agent-proxy/routing/service-table.ts';
import { MetricsTree } from '../../../agent-proxy/telemetry/metrics-tree.ts';
import { TrafficCounter } from '../../../agent-proxy/telemetry/traffic.ts';
import { Followers } from '../../../agent-proxy/workers/followers.ts';
import { Following } from '../../../agent-proxy/workers/following.ts';
import type { FromFollower, FromLeader } from '../../../agent-proxy/workers/messages.ts';
import { ToldTable } from '../../../agent-proxy/workers/told-table.ts';
import { endpoint, snapshotFrames } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { memoryLog } from '../../fixtures/proxy.ts';

/** A leader, and one follower that joins when it is told to. */
function workers() {
  let toLeader = (_message: FromFollower, _from: number): void => undefined;
  let toFollower = (_message: FromLeader): void => undefined;
  const table = new ToldTable();
  new Followers({
    channel: {
      send(_to, message) {
        queueMicrotask(() => toFollower(message));
        return true;
      },
      onMessage(listener) {
        toLeader = listener;
      },
    },
    count: 2,
    tree: new MetricsTree(),
    now: () => 0,
    mesh: { table, keys: new PeerKeys(), epoch: () => 7 },
  });
  const follower = new ServiceTable();
  const following = new Following({
    channel: {
      send(_to, message) {
        queueMicrotask(() => toLeader(message, 1));
        return true;
      },
      onMessage(listener) {
        toFollower = (message) => listener(message, 0);
      },
    },
    sources: { metrics: () => [], requests: () => [], clients: () => [] },
    log: memoryLog([]),
    now: () => 0,
    mesh: {
      table: follower,
      keys: new PeerKeys(),
      traffic: new TrafficCounter(0),
      locals: new LocalInstances(follower, 'agent-1'),
    },
  });
  onTestFinished(() => following.close());
  return { table, follower, following, again: () => toFollower({ kind: 'lead' }) };
}

function filled(service: string, count: number): TableFrame {
  const endpoints = Array.from({ length: count }, (_, index) => {
    return endpoint({ service, instance: `${service}.${index}`, port: 80 + index });
  });
  const digest = new TableDigest();
  digest.setService({ name: service, endpoints });
  return { type: 'endpoints', epoch: 7, seq: 1, service, part: 0, last: true, digest: digest.value(), endpoints };
}

const OUTLINE = snapshotFrames(
  7,
  3,
  ['web', 'api'].map((name) => ({ name, endpoints: [] })),
  [],
  ['web', 'api'].map((name) => ({ kind: 'outline' as const, name, first: 'http', ports: [{ name: 'http' }] })),
);

test('what a follower uses is wanted, as long as it does, and by a leader that came later too', async () => {
  const { table, follower, following, again } = workers();
  following.start();
  const wantNoMore = follower.wanted.add('web');
  await eventually('it is wanted', () => [...table.wanted.names()].join() === 'web');
  again();
  await eventually('it is wanted still', () => [...table.wanted.names()].join() === 'web');
  wantNoMore();
  await eventually('it is not wanted', () => [...table.wanted.names()].length === 0);
});

test('a follower has what came before it joined, and after', async () => {
  const { table, follower, following } = workers();
  // From its disk, and not wanted any more.
  follower.apply(filled('gone', 2));
  for (const frame of [...OUTLINE, filled('web', 120)]) expect(table.apply(frame).kind).not.toBe('gap');
  following.start();
  const sizeOf = (name: string): number | undefined => follower.service(name)?.endpoints.length;
  await eventually('what came before', () => follower.ready && sizeOf('web') === 120);
  await eventually('the same', () => follower.filledDigest() === table.filledDigest());
  expect([follower.isUnfilled('web'), follower.isUnfilled('api')]).toEqual([false, true]);
  table.apply(filled('api', 3));
  await eventually('what came after', () => sizeOf('api') === 3);
  table.apply({ type: 'forget', epoch: 7, seq: 2, service: 'web' });
  await eventually('what is forgotten', () => follower.isUnfilled('web'));
  expect(follower.filledDigest()).toBe(table.filledDigest());
});
