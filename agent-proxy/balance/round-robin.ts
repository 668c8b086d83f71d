/**
 * `roundRobin`: each in its turn, and heavier ones more often. Turns are strides of 1 / weight (earliest deadline first), so
 * that the turns of a heavy instance lie between those of the others and not in a row.
 */
import type { Instance } from './instance.ts';
import { InstanceHeap } from './instance-heap.ts';
import type { Algorithm } from './picker.ts';
import type { Siblings } from './siblings.ts';

export class RoundRobin implements Algorithm {
  private readonly siblings: Siblings;
  private readonly maxEffort: number;
  private readonly turns = new InstanceHeap();
  private turn = 0;

  constructor(siblings: Siblings, maxEffort: number) {
    this.siblings = siblings;
    this.maxEffort = maxEffort;
  }

  add(instance: Instance): void {
    // Within one round, but not all at once, or every proxy would begin with the same instance.
    this.turns.push(instance, this.turn + this.siblings.random() / instance.weight, 0);
  }

  remove(instance: Instance): void {
    this.turns.remove(instance);
  }

  /** Its next stride has the new length; it need not wait for the end of a longer one. */
  reweigh(instance: Instance): void {
    const soonest = this.turn + 1 / instance.weight;
    if (soonest < this.turns.keyOf(instance)) this.turns.update(instance, soonest, 0);
  }

  pick(tried: readonly Instance[], now: number): Instance | null {
    const isPanic = this.siblings.isPanic();
    const efforts = isPanic ? this.maxEffort : this.turns.size;
    for (let effort = 0; effort < efforts; effort += 1) {
      const next = this.next();
      if (next === null) return null;
      if (next.isAvailable(now) && !tried.includes(next)) return next;
    }
    return isPanic ? this.failOpen(tried) : this.anyOpen(tried, now);
  }

  private next(): Instance | null {
    const { first } = this.turns;
    if (first === null) return null;
    this.turn = this.turns.keyOf(first);
    this.turns.update(first, this.turn + 1 / first.weight, 0);
    return first;
  }

  /** The next in turn, whatever its state. */
  private failOpen(tried: readonly Instance[]): Instance | null {
    for (let effort = 0; effort <= tried.length; effort += 1) {
      const next = this.next();
      if (next === null || tried.includes(next)) continue;
      this.siblings.figures.failedOpen += 1;
      return next;
    }
    return this.turns.all.find((instance) => !tried.includes(instance)) ?? null;
  }

  /** Heavy instances that are out of use may have had all the turns. */
  private anyOpen(tried: readonly Instance[], now: number): Instance | null {
    return this.turns.all.find((instance) => instance.isAvailable(now) && !tried.includes(instance)) ?? null;
  }
}
