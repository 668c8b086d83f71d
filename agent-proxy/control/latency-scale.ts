/** The buckets in which latencies travel between a proxy and its scheduler (contract.ts). */

/** Each bucket is 1.1 × as wide as the one before; bucket 0 ends at 0.1 ms, so 140 buckets reach a minute. */
const BUCKET_RATIO = 1.1;
const FIRST_BUCKET_MS = 0.1;
export const LATENCY_BUCKETS = 141;

/** The index of the bucket that holds a latency, in milliseconds. */
export function latencyBucket(milliseconds: number): number {
  if (!(milliseconds > FIRST_BUCKET_MS)) return 0;
  const index = Math.ceil(Math.log(milliseconds / FIRST_BUCKET_MS) / Math.log(BUCKET_RATIO));
  return Math.min(index, LATENCY_BUCKETS - 1);
}

/** The upper end of a bucket, milliseconds. */
export function latencyOfBucket(index: number): number {
  return FIRST_BUCKET_MS * BUCKET_RATIO ** index;
}
