/** `p2c`: of two drawn at random, the one with fewer requests on their way. */
import type { Instance } from './instance.ts';
import { PowerOfTwo } from './power-of-two.ts';

export class LeastLoaded extends PowerOfTwo {
  protected override prefers(b: Instance, a: Instance): boolean {
    return hasLessLoad(b, a);
  }
}

/**
 * Equal weights: fewer requests win, and of equals the first drawn. Unequal ones: the draw has shared out the requests
 * already, so `b` has to be less loaded for its weight by a whole request; without that, few requests at once would be
 * shared out evenly.
 */
export function hasLessLoad(b: Instance, a: Instance): boolean {
  const weightA = a.weight;
  const weightB = b.weight;
  if (weightA === weightB) return b.inflight < a.inflight;
  return (b.inflight + 1) * weightA <= (a.inflight - 1) * weightB;
}
