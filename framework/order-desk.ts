/** Orders on their way through the core, and those who wait for the answers. */
import type { DaemonsetEvent, Order } from './daemonset/events.ts';
import type { PlanOutcome } from './rollout/plan-view.ts';

/** Each waits for a person or a program that does; so many at once are a mistake. */
const MOST_WAITING = 1_000;

export class OrderDesk {
  readonly #push: (event: DaemonsetEvent) => void;
  readonly #waiting = new Map<number, (outcome: PlanOutcome) => void>();
  #number = 0;

  constructor(push: (event: DaemonsetEvent) => void) {
    this.#push = push;
  }

  take(order: Order): Promise<PlanOutcome> {
    if (this.#waiting.size >= MOST_WAITING) {
      return Promise.resolve({ kind: 'invalid', message: `${MOST_WAITING} orders wait for their answer already` });
    }
    this.#number += 1;
    const id = this.#number;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#push({ type: 'order', id, order });
    });
  }

  answer(id: number, outcome: PlanOutcome): void {
    this.#waiting.get(id)?.(outcome);
    this.#waiting.delete(id);
  }

  close(): void {
    for (const answer of this.#waiting.values()) answer({ kind: 'invalid', message: 'the framework has ended' });
    this.#waiting.clear();
  }
}
