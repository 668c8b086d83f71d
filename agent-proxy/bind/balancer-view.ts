/** A balancer as its client's metrics show it. */
import type { Balancer } from '../balance/balancer.ts';
import type { BalancerFigures } from '../telemetry/name-scopes.ts';

export class BalancerView implements BalancerFigures {
  private readonly balancer: Balancer;

  constructor(balancer: Balancer) {
    this.balancer = balancer;
  }

  get size(): number {
    return this.balancer.size;
  }

  get accrual(): BalancerFigures['accrual'] {
    return this.balancer.siblings.figures;
  }

  get adds(): number {
    return this.balancer.changes.adds;
  }

  get removes(): number {
    return this.balancer.changes.removes;
  }

  get updates(): number {
    return this.balancer.changes.updates;
  }

  available(now: number): number {
    return this.balancer.available(now);
  }

  busy(now: number): number {
    return this.balancer.size - this.balancer.available(now);
  }

  /** Those that left and finish what they have. */
  closed(): number {
    return this.balancer.draining();
  }

  load(): number {
    return this.balancer.load();
  }
}
