import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latencyBucket, latencyOfBucket } from '../../../agent-proxy/control/latency-scale.ts';
import { MAX_BUCKETS, RecentCounts } from '../../../agent-proxy/telemetry/recent-counts.ts';
import { Stat, WHOLE_NUMBERS } from '../../../agent-proxy/telemetry/stat.ts';
import { QUANTILES, Summary } from '../../../agent-proxy/telemetry/summary.ts';

function quantiles(stat: Stat, now: number): number[] | null {
  const summary = new Summary();
  return summary.read(stat, now) ? [...summary.values] : null;
}

test('quantiles cover the last one to two minutes, totals everything', () => {
  const stat = new Stat();
  stat.record(100, 0);
  stat.record(1, 61_000);
  expect(quantiles(stat, 61_000)?.at(-1)).toBeGreaterThan(95);
  expect(quantiles(stat, 121_000)?.at(-1)).toBeLessThan(2);
  expect(quantiles(stat, 400_000)).toBeNull();
  expect([stat.count, stat.sum]).toEqual([2, 101]);
});

test('what one window counts is found in the next, in any order of values and times', () => {
  const event = fc.record({
    value: fc.double({ min: 0, max: 70_000, noNaN: true }),
    after: fc.integer({ min: 0, max: 50_000 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const stat = new Stat();
      const recent: { bucket: number; window: number }[] = [];
      let now = 0;
      for (const { value, after } of events) {
        now += after;
        stat.record(value, now);
        recent.push({ bucket: latencyBucket(value), window: Math.floor(now / 60_000) });
      }
      const wanted = new Float64Array(MAX_BUCKETS);
      for (const { bucket, window } of recent) {
        if (window >= Math.floor(now / 60_000) - 1) wanted[bucket] = (wanted[bucket] ?? 0) + 1;
      }
      const counts = new RecentCounts();
      stat.addRecent(counts, now);
      expect(wanted.map((_, bucket) => counts.of(bucket))).toEqual(wanted);
      expect(counts.total).toBe(wanted.reduce((sum, count) => sum + count, 0));
      counts.clear();
      expect(wanted.some((_, bucket) => counts.of(bucket) > 0)).toBe(false);
    }),
  );
});

test('quantiles are those of the sorted values, to the width of a bucket', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 50_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
      (values) => {
        const stat = new Stat();
        for (const value of values) stat.record(value, 0);
        const sorted = values.toSorted((a, b) => a - b);
        const wanted = QUANTILES.map((fraction) => {
          const value = sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1] ?? 0;
          return Math.round(latencyOfBucket(latencyBucket(value)) * 1_000) / 1_000;
        });
        expect(quantiles(stat, 0)).toEqual(wanted);
      },
    ),
  );
});

test('a reader who began before the window was over loses nothing of it', () => {
  const stat = new Stat();
  stat.record(1, 59_000);
  stat.record(1, 60_000);
  const counts = new RecentCounts();
  stat.addRecent(counts, 59_500);
  expect(counts.of(latencyBucket(1))).toBe(2);
});

test('counts beyond what a window holds in 32 bits are still right', () => {
  const stat = new Stat();
  for (let index = 0; index < 100_000; index += 1) stat.record(1, 0);
  stat.record(1, 60_000);
  const counts = new RecentCounts();
  stat.addRecent(counts, 60_000);
  expect(counts.of(latencyBucket(1))).toBe(100_001);
});

test('whole numbers are told apart, and the largest share a bucket', () => {
  const stat = new Stat(WHOLE_NUMBERS);
  for (const value of [0, 0, 1, 7]) stat.record(value, 0);
  expect(quantiles(stat, 0)).toEqual([0, 0, 7, 7, 7, 7, 7, 7]);
  stat.record(1_000, 0);
  expect(quantiles(stat, 0)?.at(-1)).toBe(140);
});
