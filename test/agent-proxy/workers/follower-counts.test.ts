/** The report of the worker that leads counts what all workers did. */
import { expect, test } from 'vitest';
import type { Traffic } from '../../../agent-proxy/control/contract.ts';
import { TrafficCounter } from '../../../agent-proxy/telemetry/traffic.ts';
import { FollowerCounts } from '../../../agent-proxy/workers/follower-counts.ts';

const WEB = { namespace: 'default', name: '/svc/web' };
const API = { namespace: 'default', name: '/svc/api' };

function traffic(given: Partial<Traffic>): Traffic {
  return {
    ...{ service: 'web', router: 'outgoing', requests: 1, failures: 0, proxyErrors: 0, retries: 0, latency: [[3, 1]] },
    ...given,
  };
}

test('counts of the same service are added up, and told once', () => {
  const counts = new FollowerCounts(() => 0);
  const own = new TrafficCounter(5);
  own.record('outgoing', 'web', true, 0, 0);
  counts.add(1, {
    traffic: [traffic({ requests: 2, failures: 1 }), traffic({ service: 'api' })],
    names: [WEB],
    instances: [],
  });
  counts.add(2, { traffic: [traffic({ requests: 3, retries: 1 })], names: [WEB, API], instances: [] });
  const window = counts.take(own, 10);
  expect(window.startedAt).toBe(5);
  expect(window.names).toEqual([WEB, API]);
  expect(window.traffic).toHaveLength(2);
  expect(window.traffic).toContainEqual(
    expect.objectContaining({ service: 'web', requests: 6, failures: 1, retries: 1 }),
  );
  expect(counts.take(own, 20)).toEqual({ startedAt: 10, traffic: [], names: [] });
});

test('counts that nobody takes are bounded', () => {
  const counts = new FollowerCounts(() => 0);
  const many = Array.from({ length: 1_000 }, (_, at) => traffic({ service: `s${at}` }));
  for (let round = 0; round < 100; round += 1) counts.add(1, { traffic: many, names: [WEB], instances: [] });
  const requests = counts.take(new TrafficCounter(0), 1).traffic.reduce((sum, one) => sum + one.requests, 0);
  expect(requests).toBe(20_000);
});

test('requests under way are added up, health is the mean, and what is old is forgotten', () => {
  let now = 0;
  const counts = new FollowerCounts(() => now);
  const own = [{ service: 'web', instance: 'web.1', inflight: 1, health: 1 }];
  counts.add(1, {
    traffic: [],
    names: [],
    instances: [{ service: 'web', instance: 'web.1', inflight: 2, health: 0.5 }],
  });
  counts.add(2, { traffic: [], names: [], instances: [{ service: 'web', instance: 'web.1', inflight: 4, health: 0 }] });
  expect(counts.instances(own)).toEqual([{ service: 'web', instance: 'web.1', inflight: 7, health: 0.5 }]);
  now = 10_000;
  expect(counts.instances(own)).toEqual(own);
});
