/**
 * The contract's latency buckets, found without a logarithm: a grid of steps narrower than the buckets says in which
 * bucket a step begins, and one comparison says whether the latency is in that one or in the next. The limits are those
 * of the contract's own function, to the last bit.
 */
import { LATENCY_BUCKETS, latencyBucket, latencyOfBucket } from '../control/latency-scale.ts';

const LAST = LATENCY_BUCKETS - 1;
/** The greatest latency of each bucket but the last, which has no end. */
const LIMITS = Float64Array.from({ length: LAST }, (_, bucket) => greatestOf(bucket));
const HIGHEST_LIMIT = LIMITS[LAST - 1] ?? 0;
const LOWEST_LIMIT = LIMITS[0] ?? 0;

/** Ends of three ranges and steps within, in milliseconds. A bucket is at least 0.09 × as wide as it is high. */
const FINE_END = 8;
const FINE_STEPS = 128;
const MIDDLE_END = 512;
const MIDDLE_STEPS = 2;
const COARSE_STEPS = 1 / 32;
const FINE = grid(FINE_END, FINE_STEPS);
const MIDDLE = grid(MIDDLE_END, MIDDLE_STEPS);
const COARSE = grid(HIGHEST_LIMIT, COARSE_STEPS);

/** The same as `latencyBucket`, for any number. */
export function fastLatencyBucket(milliseconds: number): number {
  if (!(milliseconds > LOWEST_LIMIT)) return 0;
  if (milliseconds > HIGHEST_LIMIT) return LAST;
  let bucket: number | undefined;
  if (milliseconds < FINE_END) bucket = FINE[(milliseconds * FINE_STEPS) | 0];
  else if (milliseconds < MIDDLE_END) bucket = MIDDLE[(milliseconds * MIDDLE_STEPS) | 0];
  else bucket = COARSE[(milliseconds * COARSE_STEPS) | 0];
  const first = bucket ?? 0;
  return milliseconds > (LIMITS[first] ?? 0) ? first + 1 : first;
}

/** The bucket in which each step begins, `steps` of them in a millisecond. */
function grid(end: number, steps: number): Uint8Array {
  return Uint8Array.from({ length: Math.floor(end * steps) + 1 }, (_, index) => latencyBucket(index / steps));
}

/** The greatest double that the contract puts into a bucket: near its upper end, found by halving. */
function greatestOf(bucket: number): number {
  let inside = latencyOfBucket(bucket) * (1 - 1e-12);
  let outside = latencyOfBucket(bucket) * (1 + 1e-12);
  for (;;) {
    const middle = (inside + outside) / 2;
    if (middle <= inside || middle >= outside) return inside;
    if (latencyBucket(middle) <= bucket) inside = middle;
    else outside = middle;
  }
}
