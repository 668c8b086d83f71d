/** Which traces are sampled by rate: Finagle's rule, so that any two proxies with one salt agree about a trace. */
import type { TraceContext } from './context.ts';

const BUCKETS = 10_000;
/** What the upper word of a 64-bit number counts for, modulo {@link BUCKETS}. */
const UPPER_WORD = 2 ** 32 % BUCKETS;

/** `abs(traceId xor salt) mod 10000 < rate * 10000`, of the lower 64 bits of the trace id; `salt` is a signed word. */
export function isSampledAt(rate: number, context: TraceContext, salt = 0): boolean {
  // The salt is widened with its sign, as Java widens an int.
  let high = context.trace2 ^ (salt >> 31);
  let low = context.trace3 ^ salt;
  if (high < 0) {
    high = ~high + (low === 0 ? 1 : 0);
    low = -low | 0;
  }
  const bucket = (((high >>> 0) % BUCKETS) * UPPER_WORD + (low >>> 0)) % BUCKETS;
  // The other way round 0.5479 times 10,000 is a little more than 5479, which would take a bucket too many.
  return bucket / BUCKETS < rate;
}

const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;

/** The rate that `l5d-sample` asks for, held between 0 and 1; null where it is no number. */
export function requestedRate(sample: string): number | null {
  if (!NUMBER.test(sample)) return null;
  return Math.min(1, Math.max(0, Number(sample)));
}
