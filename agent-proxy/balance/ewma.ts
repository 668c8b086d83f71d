/** `ewma`: of two drawn at random, the one that costs less by its latency of late and the requests on their way. */
import type { Instance } from './instance.ts';
import { PowerOfTwo } from './power-of-two.ts';

export class Ewma extends PowerOfTwo {
  protected override prefers(b: Instance, a: Instance, now: number): boolean {
    const costA = a.cost(now);
    const costB = b.cost(now);
    const weightA = a.weight;
    const weightB = b.weight;
    if (weightA === weightB) return costB < costA;
    // With unequal weights the draw has shared out the requests already: `b` has to be better by a whole request.
    const spare = a.inflight < 1 ? 0 : (costA * (a.inflight - 1)) / (a.inflight + 1);
    return costB * weightA < spare * weightB;
  }
}
