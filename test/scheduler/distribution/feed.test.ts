/** The feed against the proxy's own table: any sequence of changes, followed from any point, gives the same table. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_RECORD_BYTES, type PeerAgent, type Service } from '../../../agent-proxy/control/contract.ts';
import { ServiceTable, type TableFrame } from '../../../agent-proxy/routing/service-table.ts';
import { Feed } from '../../../scheduler/distribution/feed.ts';
import { RecordReader } from '../support/control-client.ts';

function service(name: string, instances: number, state: 'ready' | 'unhealthy' = 'ready', padding = 0): Service {
  return {
    name,
    endpoints: Array.from({ length: instances }, (_, index) => ({
      service: name,
      instance: `${name}.${index}`,
      address: '127.0.36.1',
      port: 20_000 + index,
      ports: [{ name: 'http', port: 20_000 + index }],
      agentId: `S${index % 7}`,
      agentAddress: '127.0.36.1',
      weight: 1,
      state,
      labels: padding === 0 ? {} : { pad: 'ü'.repeat(padding) },
    })),
  };
}

const agent = (agentId: string, ready: boolean): PeerAgent => ({
  agentId,
  address: '127.0.36.1',
  incomingPort: 4141,
  ready,
});

function applyAll(table: ServiceTable, records: readonly Buffer[]): number[] {
  const reader = new RecordReader();
  for (const record of records) {
    for (const frame of reader.feed(record)) {
      const applied = table.apply(frame as TableFrame);
      expect(applied.kind, JSON.stringify(applied)).not.toBe('gap');
    }
  }
  return reader.sizes;
}

const name = fc.constantFrom('web', 'gen', 'word', 'team/api', 'ümlaut', 'a"b');
const change = fc.oneof(
  fc.record({
    kind: fc.constant('set' as const),
    name,
    instances: fc.nat(40),
    state: fc.constantFrom('ready' as const, 'unhealthy' as const),
    padding: fc.constantFrom(0, 300),
  }),
  fc.record({ kind: fc.constant('remove' as const), name }),
  fc.record({ kind: fc.constant('agent' as const), name, ready: fc.boolean() }),
  fc.record({ kind: fc.constant('agent-gone' as const), name }),
);
const steps = fc.array(fc.record({ changes: fc.array(change, { maxLength: 6 }), joins: fc.boolean() }), {
  maxLength: 12,
});

describe('snapshot and deltas', () => {
  test('reproduce the table for every follower, whenever it joined, in records of at most 64 kB', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const feed = new Feed(3);
        const followers: ServiceTable[] = [];
        for (const { changes, joins } of sequence) {
          for (const each of changes) {
            if (each.kind === 'set') feed.setService(service(each.name, each.instances, each.state, each.padding));
            else if (each.kind === 'remove') feed.removeService(each.name);
            else if (each.kind === 'agent') feed.setAgent(agent(each.name, each.ready));
            else feed.removeAgent(each.name);
          }
          const deltas = feed.commit();
          for (const follower of followers) applyAll(follower, deltas);
          if (joins) {
            const follower = new ServiceTable();
            const sizes = applyAll(follower, feed.snapshot());
            for (const size of sizes) expect(size).toBeLessThanOrEqual(MAX_RECORD_BYTES);
            followers.push(follower);
          }
          for (const delta of deltas) expect(delta.length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
          for (const follower of followers) {
            expect(follower.revision).toBe(feed.revision);
            expect(follower.digest()).toBe(feed.digest());
            expect(feed.digestAt(follower.revision)).toBe(follower.digest());
            expect([...follower.services()].map((each) => each.name).sort()).toEqual(
              feed
                .services()
                .map((each) => each.name)
                .sort(),
            );
            expect([...follower.agents()]).toHaveLength(feed.agents().length);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('a change that says what is known already makes no revision', () => {
    const feed = new Feed(1);
    feed.setService(service('web', 2));
    feed.setAgent(agent('S1', true));
    expect(feed.commit()).toHaveLength(1);
    const { revision } = feed;
    feed.setService(service('web', 2));
    feed.setAgent(agent('S1', true));
    feed.removeService('unknown');
    expect(feed.commit()).toEqual([]);
    // There and back again before the commit.
    feed.setService(service('web', 3));
    feed.setService(service('web', 2));
    expect(feed.commit()).toEqual([]);
    expect(feed.revision).toBe(revision);
  });

  test('a large change goes out in several deltas, each on top of the one before', () => {
    const feed = new Feed(1);
    const table = new ServiceTable();
    applyAll(table, feed.snapshot());
    for (let n = 0; n < 300; n++) feed.setService(service(`app${n}`, 5));
    const deltas = feed.commit();
    expect(deltas.length).toBeGreaterThan(3);
    for (const delta of deltas) expect(delta.length).toBeLessThanOrEqual(MAX_RECORD_BYTES);
    applyAll(table, deltas);
    expect(table.digest()).toBe(feed.digest());
    expect(feed.snapshot().length).toBeGreaterThan(3);
  });

  test('the digests of long ago are forgotten', () => {
    const feed = new Feed(1);
    for (let n = 0; n < 5_000; n++) {
      feed.setAgent(agent('S1', n % 2 === 0));
      feed.commit();
    }
    expect(feed.digestAt(feed.revision)).toBe(feed.digest());
    expect(feed.digestAt(feed.revision - 4_000)).toBeDefined();
    expect(feed.digestAt(10)).toBeUndefined();
  });
});
