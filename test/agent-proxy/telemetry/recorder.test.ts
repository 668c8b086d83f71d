import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentCounts } from '../../../agent-proxy/telemetry/recent-counts.ts';
import { RequestRecorder, RetryRecorder, visitRequests } from '../../../agent-proxy/telemetry/recorder.ts';
import type { Distribution } from '../../../agent-proxy/telemetry/stat.ts';

/** All figures by name; of a distribution its count and its sum. */
function figuresOf(recorder: RequestRecorder, pending = 0): Record<string, number | readonly [number, number]> {
  const figures: Record<string, number | readonly [number, number]> = {};
  const take = (name: string, value: number): void => void Object.assign(figures, { [name]: value });
  const stat = (name: string, { count, sum }: Distribution): void =>
    void Object.assign(figures, { [name]: [count, sum] });
  visitRequests([recorder], pending, { counter: take, gauge: take, stat });
  return figures;
}

function recentOf(stat: Distribution, now: number): number {
  const counts = new RecentCounts();
  stat.addRecent(counts, now);
  return counts.total;
}

test('each status, each class and the latencies of each class are counted', () => {
  const recorder = new RequestRecorder();
  recorder.record(200, true, 10, 0);
  recorder.record(204, true, 20, 0);
  recorder.record(404, true, 30, 0);
  recorder.record(200, true, 40, 0);
  recorder.record(503, false, 50, 0);
  expect(figuresOf(recorder, 3)).toEqual({
    requests: 5,
    success: 4,
    failures: 1,
    pending: 3,
    'status/200': 2,
    'status/204': 1,
    'status/404': 1,
    'status/503': 1,
    'status/2XX': 3,
    'status/4XX': 1,
    'status/5XX': 1,
    'time/2XX': [3, 70],
    'time/4XX': [1, 30],
    'time/5XX': [1, 50],
    request_latency_ms: [5, 150],
  });
  expect(recentOf(recorder, 0)).toBe(5);
});

test('no answer, or a status that HTTP does not have, is an error without a code', () => {
  const recorder = new RequestRecorder();
  recorder.record(0, false, 10, 0);
  recorder.record(999, false, 10, 0);
  expect(figuresOf(recorder)).toEqual({
    requests: 2,
    success: 0,
    failures: 2,
    pending: 0,
    'status/error': 2,
    'time/error': [2, 20],
    request_latency_ms: [2, 20],
  });
});

test('a recorder that heard of nothing has no status and no time', () => {
  expect(Object.keys(figuresOf(new RequestRecorder()))).toEqual([
    'requests',
    'success',
    'failures',
    'pending',
    'request_latency_ms',
  ]);
});

test('two recorders together are one that heard of all, in each window', () => {
  const record = fc.record({
    to: fc.boolean(),
    status: fc.constantFrom(0, 200, 204, 404, 503),
    success: fc.boolean(),
    latency: fc.double({ min: 0, max: 60_000, noNaN: true }),
    after: fc.integer({ min: 0, max: 40_000 }),
  });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 40 }), (records) => {
      const [one, other, all] = [new RequestRecorder(), new RequestRecorder(), new RequestRecorder()];
      let now = 0;
      for (const { to, status, success, latency, after } of records) {
        now += after;
        (to ? one : other).record(status, success, Math.round(latency), now);
        all.record(status, success, Math.round(latency), now);
      }
      const sum = new RequestRecorder();
      sum.addAll(one, now);
      sum.addAll(other, now);
      expect(figuresOf(sum)).toEqual(figuresOf(all));
      const [ofSum, ofAll] = [new RecentCounts(), new RecentCounts()];
      sum.addRecent(ofSum, now);
      all.addRecent(ofAll, now);
      expect(ofSum).toEqual(ofAll);
    }),
  );
});

test('requests that were sent again are told from those that were not', () => {
  const requests = new RequestRecorder();
  const retries = new RetryRecorder(() => requests);
  for (const [times, now] of [
    [0, 0],
    [2, 0],
    [0, 70_000],
    [1, 70_000],
    [0, 70_000],
  ] as const) {
    requests.record(200, true, 1, now);
    retries.record(times, now);
  }
  expect([retries.count, retries.sum]).toEqual([5, 3]);
  const counts = new RecentCounts();
  retries.addRecent(counts, 70_000);
  expect([0, 1, 2].map((times) => counts.of(times))).toEqual([3, 1, 1]);
  counts.clear();
  retries.addRecent(counts, 130_000);
  expect([0, 1, 2].map((times) => counts.of(times))).toEqual([2, 1, 0]);
});
