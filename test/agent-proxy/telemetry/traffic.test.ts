import { expect, test } from 'vitest';
import { latencyBucket } from '../../../agent-proxy/control/latency-scale.ts';
import { TrafficCounter } from '../../../agent-proxy/telemetry/traffic.ts';

test('a window of traffic that did not arrive is told with the next', () => {
  const traffic = new TrafficCounter(0);
  traffic.record('outgoing', 'web', true, 5, 0);
  traffic.asked('default', '/svc/web');
  expect(traffic.windowNumber).toBe(1);
  const lost = traffic.take(1_000);
  traffic.record('outgoing', 'web', false, 5, 2);
  traffic.giveBack(lost);
  expect(traffic.windowNumber).toBe(2);
  const { startedAt, traffic: rows, names } = traffic.take(2_000);
  expect(names).toEqual([{ namespace: 'default', name: '/svc/web' }]);
  expect(startedAt).toBe(0);
  expect(rows).toEqual([
    {
      service: 'web',
      router: 'outgoing',
      requests: 2,
      failures: 1,
      proxyErrors: 0,
      retries: 2,
      latency: [[latencyBucket(5), 2]],
    },
  ]);
  expect(traffic.take(3_000)).toEqual({ startedAt: 2_000, traffic: [], names: [] });
});

test('latencies far apart are told in the order of their buckets', () => {
  const traffic = new TrafficCounter(0);
  for (const latency of [900, 0.2, 900, 30]) traffic.record('incoming', 'web', true, latency, 0);
  expect(traffic.take(1).traffic[0]?.latency).toEqual([
    [latencyBucket(0.2), 1],
    [latencyBucket(30), 1],
    [latencyBucket(900), 2],
  ]);
});
