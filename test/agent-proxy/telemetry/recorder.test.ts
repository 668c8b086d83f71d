import { expect, test } from 'vitest';
import { RecentCounts } from '../../../agent-proxy/telemetry/recent-counts.ts';
import { AttemptRecorder, RequestRecorder } from '../../../agent-proxy/telemetry/recorder.ts';
import type { Distribution } from '../../../agent-proxy/telemetry/stat.ts';

/** All figures by name; of a distribution its count and its sum. */
function figuresOf(recorder: Pick<RequestRecorder, 'visit'>): Record<string, number | readonly [number, number]> {
  const figures: Record<string, number | readonly [number, number]> = {};
  recorder.visit({
    counter: (name, value) => void Object.assign(figures, { [name]: value }),
    gauge: (name, value) => void Object.assign(figures, { [name]: value }),
    stat: (name, { count, sum }) => void Object.assign(figures, { [name]: [count, sum] }),
  });
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
  recorder.pending = 3;
  expect(figuresOf(recorder)).toEqual({
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

test('attempts are counted by their outcome', () => {
  const recorder = new AttemptRecorder();
  recorder.record(true, 1, 0);
  recorder.record(false, 2, 0);
  expect(figuresOf(recorder)).toEqual({ requests: 2, success: 1, failures: 1, request_latency_ms: [2, 3] });
});
