/** Readers that take records when the test says so: what is sent, to how many at a time, and what waits. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Service } from '../../../agent-proxy/control/contract.ts';
import { ServiceTable } from '../../../agent-proxy/routing/service-table.ts';
import { Course, Distributor, type Reader } from '../../../scheduler/distribution/distributor.ts';
import { Feed } from '../../../scheduler/distribution/feed.ts';
import { RecordReader } from '../support/control-client.ts';

let now: number;
let feed: Feed;
let distributor: Distributor;

beforeEach(() => {
  now = 0;
  feed = new Feed(4);
  distributor = new Distributor(feed, () => now, { bytes: 64 * 1024, deltas: 100 });
});

/** A proxy whose connection takes so many records and then no more. */
class Follower implements Reader {
  readonly table = new ServiceTable();
  readonly reader = new RecordReader();
  readonly course: Course;
  room = Number.POSITIVE_INFINITY;
  blockedSince: number | null = null;
  gaps = 0;

  constructor(given: Partial<Course['starting']> = {}) {
    this.course = new Course(this, { digest: null, revision: 0, resumes: true, encoding: 'gzip', ...given });
    distributor.add(this.course);
  }

  pump(): void {
    for (; this.room > 0; this.room -= 1) {
      const record = distributor.next(this.course);
      if (record === null) return;
      for (const frame of this.reader.feed(record)) {
        if (frame.type === 'hello' || frame.type === 'config' || frame.type === 'heartbeat' || frame.type === 'upgrade')
          continue;
        if (this.table.apply(frame).kind === 'gap') this.gaps += 1;
      }
    }
    this.blockedSince ??= now;
  }

  take(room = Number.POSITIVE_INFINITY): void {
    this.room = room;
    this.blockedSince = null;
    this.pump();
  }

  count(type: string): number {
    return this.reader.frames.filter((frame) => frame.type === type).length;
  }
}

function service(name: string, endpoints: number, port = 20_000): Service {
  return {
    name,
    endpoints: Array.from({ length: endpoints }, (_, index) => ({
      service: name,
      instance: `${name}.${index}`,
      address: '10.0.0.1',
      port,
      ports: [],
      agentId: 'S1',
      agentAddress: '10.0.0.1',
      weight: 1,
      startedAt: null,
      state: 'ready' as const,
      labels: {},
    })),
  };
}

function change(...services: Service[]): void {
  for (const each of services) feed.setService(each);
  distributor.committed(feed.commit());
}

/** What was put off to the next turns of the loop. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a slow reader', () => {
  beforeEach(() => {
    change(service('web', 1));
    distributor.open();
  });

  test('gets the deltas that it lacks while they are at hand', () => {
    const proxy = new Follower();
    proxy.room = 0;
    for (let k = 0; k < 20; k += 1) change(service('web', 1, 21_000 + k));
    proxy.take();
    expect([proxy.count('snapshot-end'), proxy.count('delta')]).toEqual([1, 20]);
    expect(proxy.table.digest()).toBe(feed.digest());
  });

  test('gets a fresh snapshot when they are not, and nothing waits for it before', async () => {
    const proxy = new Follower();
    const quick = new Follower();
    proxy.room = 0;
    for (let k = 0; k < 300; k += 1) change(service('web', 1, 21_000 + k));
    await settle();
    proxy.take();
    await settle();
    expect([proxy.count('snapshot-end'), proxy.count('delta')]).toEqual([2, 0]);
    expect([quick.count('snapshot-end'), quick.count('delta')]).toEqual([1, 300]);
    for (const { table, gaps } of [proxy, quick]) expect([table.digest(), gaps]).toEqual([feed.digest(), 0]);
  });

  test('is not behind by its own doing', () => {
    const proxy = new Follower();
    expect(distributor.isCaughtUp(proxy.course)).toBe(true);
    proxy.room = 0;
    change(service('web', 2));
    expect(distributor.isCaughtUp(proxy.course)).toBe(false);
  });
});

describe('snapshots', () => {
  beforeEach(() => {
    change(service('app-0', 2), service('app-1', 2));
    distributor.open();
  });

  test('go to 64 at a time, in the order in which they were asked for', async () => {
    const blocked = Array.from({ length: 100 }, () => new Follower());
    expect(blocked.every((proxy) => proxy.table.ready)).toBe(true);
    for (const proxy of blocked) {
      proxy.room = 0;
      proxy.blockedSince = now;
      distributor.repair(proxy.course);
    }
    await settle();
    expect(distributor.figures().waiting).toBe(36);
    blocked[0]?.take();
    await settle();
    expect(distributor.figures().waiting).toBe(35);
    // Those that take nothing do not keep the others waiting.
    now += 1_000;
    distributor.tick();
    expect(distributor.figures().waiting).toBe(0);
    for (const proxy of blocked) proxy.take();
    await settle();
    for (const { table, gaps } of blocked) expect([table.digest(), gaps]).toEqual([feed.digest(), 0]);
  });

  test('are shared while the table changes, and never take a proxy back', async () => {
    const first = new Follower();
    change(service('app-0', 3));
    const second = new Follower();
    expect(second.reader.frames.map((frame) => frame.type).slice(-2)).toEqual(['snapshot-end', 'delta']);
    const third = new Follower({ revision: feed.revision });
    expect(third.count('delta')).toBe(0);
    now += 2_000;
    change(service('app-0', 4));
    expect(new Follower().count('delta')).toBe(0);
    for (const { table } of [first, second, third]) expect(table.digest()).toBe(feed.digest());
  });
});

test('whatever readers take and when, and whoever is repaired, all come to the table without a gap', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('change' as const), app: fc.nat(3), size: fc.nat(40), port: fc.nat(9) }),
    fc.record({ kind: fc.constant('take' as const), who: fc.nat(4), room: fc.nat(6) }),
    fc.record({ kind: fc.constant('repair' as const), who: fc.nat(4) }),
    fc.record({ kind: fc.constant('join' as const), resumes: fc.boolean(), gzip: fc.boolean() }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(3_000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      feed = new Feed(1);
      distributor = new Distributor(feed, () => now, { bytes: 20 * 1024, deltas: 5 });
      distributor.open();
      const proxies: Follower[] = [];
      for (const each of steps) {
        if (each.kind === 'change') change(service(`app-${each.app}`, each.size, 20_000 + each.port));
        if (each.kind === 'join') {
          const last = proxies.at(-1)?.table;
          const had = { digest: last?.digest() ?? null, revision: last?.revision ?? 0 };
          const proxy = new Follower({
            resumes: each.resumes && last === undefined,
            encoding: each.gzip ? 'gzip' : 'plain',
            ...had,
          });
          proxy.room = 1;
          proxies.push(proxy);
        }
        const { who = 0 } = 'who' in each ? each : {};
        const proxy = proxies[who];
        if (each.kind === 'take') proxy?.take(each.room);
        if (each.kind === 'repair' && proxy !== undefined) distributor.repair(proxy.course);
        if (each.kind === 'pass') {
          now += each.ms;
          distributor.tick();
        }
      }
      for (const proxy of proxies) proxy.take();
      await settle();
      for (const proxy of proxies) {
        expect([proxy.table.digest(), proxy.gaps]).toEqual([feed.digest(), 0]);
        expect(proxy.table.revision).toBe(feed.revision);
      }
    }),
    { numRuns: 60 },
  );
});
