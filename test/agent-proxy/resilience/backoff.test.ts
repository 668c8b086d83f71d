import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from '../../../agent-proxy/resilience/backoff.ts';
import type { BackoffParams } from '../../../agent-proxy/resilience/params.ts';

/** The first waits, with these draws. */
function waits(params: BackoffParams, draws: readonly number[]): number[] {
  let previous = 0;
  return draws.map((random, attempt) => {
    previous = backoffMs(params, attempt, previous, random);
    return previous;
  });
}

const draws = fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 9, maxLength: 9 });

test('constant is constant', () => {
  expect(waits({ kind: 'constant', ms: 10_000 }, [0, 0.5, 0.9])).toEqual([10_000, 10_000, 10_000]);
});

test('jittered: the minimum, then up to three times the one before, never beyond the maximum', () => {
  fc.assert(
    fc.property(draws, (random) => {
      const given = waits({ kind: 'jittered', minMs: 10, maxMs: 1_000 }, random);
      expect(given[0]).toBe(10);
      for (const [index, wait] of given.slice(1).entries()) {
        expect(wait).toBeGreaterThanOrEqual(10);
        expect(wait).toBeLessThanOrEqual(Math.min(1_000, 3 * (given[index] ?? 0)));
      }
    }),
  );
});

test("linkerd's default: 5 s, then between 5 and 10, 10 and 20, and so on, and 300 s in the end", () => {
  const params: BackoffParams = { kind: 'equalJittered', minMs: 5, maxMs: 300 };
  expect(waits(params, Array(9).fill(0))).toEqual([5, 5, 10, 20, 40, 80, 160, 300, 300]);
  const upper = [5, 10, 20, 40, 80, 160, 300, 300, 300];
  fc.assert(
    fc.property(draws, (random) => {
      for (const [index, wait] of waits(params, random).entries()) expect(wait).toBeLessThanOrEqual(upper[index] ?? 0);
    }),
  );
});

test('a maximum below the minimum is the minimum', () => {
  expect(waits({ kind: 'jittered', minMs: 10, maxMs: 1 }, [0.9, 0.9])).toEqual([10, 10]);
});
