/** How long to wait before the next try: linkerd's kinds of backoff as one function without state. Pure. */
import type { BackoffParams } from './params.ts';

/**
 * Milliseconds to wait. `attempt` counts the waits before this one, `previousMs` is the last of them (0 before the first),
 * and `random` lies in [0, 1).
 */
export function backoffMs(params: BackoffParams, attempt: number, previousMs: number, random: number): number {
  switch (params.kind) {
    case 'constant':
      return params.ms;
    case 'jittered': {
      const { minMs, maxMs } = params;
      return attempt === 0 ? minMs : between(minMs, Math.min(maxMs, 3 * previousMs), random);
    }
    case 'equalJittered': {
      const { minMs, maxMs } = params;
      const low = minMs * 2 ** (attempt - 1);
      if (attempt === 0) return minMs;
      return low >= maxMs ? maxMs : between(low, Math.min(maxMs, 2 * low), random);
    }
  }
}

/** A file may give a maximum below the minimum: then the minimum holds. */
function between(low: number, high: number, random: number): number {
  return high <= low ? low : low + (high - low) * random;
}
