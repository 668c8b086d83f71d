import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LATENCY_BUCKETS, latencyBucket, latencyOfBucket } from '../../../agent-proxy/control/latency-scale.ts';
import { fastLatencyBucket } from '../../../agent-proxy/telemetry/latency-buckets.ts';

/** The neighbours of a double, a few steps in each direction. */
function neighbours(value: number): number[] {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const middle = bits.getBigInt64(0);
  return Array.from({ length: 41 }, (_, step) => {
    bits.setBigInt64(0, middle + BigInt(step - 20));
    return bits.getFloat64(0);
  });
}

test('the quick way to a bucket and the contract agree on any number', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.double(),
        fc.double({ min: 0, max: 1 }),
        fc.double({ min: 0, max: 100 }),
        fc.double({ min: 0, max: 1e5 }),
      ),
      (milliseconds) => fastLatencyBucket(milliseconds) === latencyBucket(milliseconds),
    ),
    { numRuns: 20_000 },
  );
});

test('they agree to the last bit where one bucket ends, and where one grid of steps goes over into the next', () => {
  const ends = Array.from({ length: LATENCY_BUCKETS }, (_, bucket) => latencyOfBucket(bucket));
  for (const value of [...ends, 8, 512, 65_536].flatMap(neighbours)) {
    expect(fastLatencyBucket(value), String(value)).toBe(latencyBucket(value));
  }
  for (let step = 0; step < 70_000; step += 1) {
    const milliseconds = step / 128;
    if (fastLatencyBucket(milliseconds) !== latencyBucket(milliseconds)) expect.fail(`differs at ${milliseconds}`);
  }
});

test.each([Number.NaN, -1, -0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('they agree on %d', (value) => {
  expect(fastLatencyBucket(value)).toBe(latencyBucket(value));
});
