/** How long a task that ends again and again is waited for. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { failuresAfter, relaunchDelay } from '../../../framework/tasks/backoff.ts';

/** The waits after tasks that were each healthy for so many seconds, from the first to the last. */
function waits(healthySeconds: readonly number[]): number[] {
  let failures = 0;
  return healthySeconds.map((seconds) => {
    failures = failuresAfter(failures, seconds * 1000) + 1;
    return relaunchDelay(failures) / 1000;
  });
}

test('what ends soon after its start waits longer and longer, up to five minutes', () => {
  expect(waits(Array.from({ length: 12 }, () => 3))).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
});

test('a minute of health makes the next end a first one', () => {
  expect(waits([0, 0, 0, 0, 0, 60, 0])).toEqual([0, 1, 2, 4, 8, 0, 1]);
});

test('two ends a minute never make it wait for more than a second', () => {
  expect(waits([60, 0, 55, 0, 55, 0, 55])).toEqual([0, 1, 0, 1, 0, 1, 0]);
  // Of any three ends in a row, the last comes a minute after the first; some seconds go to waiting and starting.
  const second = fc.integer({ min: 0, max: 54 });
  fc.assert(
    fc.property(second, fc.array(second, { minLength: 1, maxLength: 50 }), (first, more) => {
      const times = [60, first];
      for (const extra of more) times.push(Math.max(0, 54 - (times.at(-1) ?? 0)) + (extra % 7));
      expect(Math.max(...waits(times))).toBeLessThanOrEqual(1);
    }),
  );
});
