/**
 * `heap`: the instance with the fewest requests of all. Those that are out of use wait in a second heap until they open.
 *
 * Load is counted in whole shares: an instance of three times the least weight has a load of 1 with its third request. Of
 * equals, that one is next whose turn it is by weight (stride scheduling), so that few requests are shared out by weight
 * too, and an idle service uses all of its instances.
 */
import type { Instance, InstanceListener } from './instance.ts';
import { InstanceHeap } from './instance-heap.ts';
import type { Algorithm } from './picker.ts';
import type { Siblings } from './siblings.ts';

export class Heap implements Algorithm, InstanceListener {
  private readonly siblings: Siblings;
  /** By load, then by turn. */
  private readonly open = new InstanceHeap();
  /** By the time at which they open; the rank keeps their turn. */
  private readonly closed = new InstanceHeap();
  /** The turn of the last request. Who comes back has not saved up any. */
  private turn = 0;
  private leastWeight = Number.POSITIVE_INFINITY;

  constructor(siblings: Siblings) {
    this.siblings = siblings;
  }

  add(instance: Instance): void {
    instance.listener = this;
    this.lighten(instance.endpoint.weight);
    // Not all at the same turn, or every proxy would begin with the same instance.
    this.place(instance, this.turn + this.siblings.random() / instance.weight);
  }

  remove(instance: Instance): void {
    instance.listener = null;
    (this.open.has(instance) ? this.open : this.closed).remove(instance);
  }

  reweigh(instance: Instance): void {
    this.lighten(instance.endpoint.weight);
    if (this.open.has(instance)) this.open.update(instance, this.load(instance), this.open.rankOf(instance));
  }

  pick(tried: readonly Instance[], now: number): Instance | null {
    this.reopen(now);
    const { first } = this.open;
    if (first !== null && !tried.includes(first)) return first;
    return this.untried(tried) ?? this.failOpen(tried);
  }

  began(instance: Instance): void {
    if (!this.open.has(instance)) return;
    this.turn = Math.max(this.turn, this.open.rankOf(instance));
    this.open.update(instance, this.load(instance), this.turn + 1 / instance.weight);
  }

  released(instance: Instance): void {
    if (this.open.has(instance)) this.open.update(instance, this.load(instance), this.open.rankOf(instance));
  }

  gateChanged(instance: Instance): void {
    const from = this.open.has(instance) ? this.open : this.closed;
    const turn = from.rankOf(instance);
    from.remove(instance);
    this.place(instance, turn);
  }

  private place(instance: Instance, turn: number): void {
    const { opensAt } = instance;
    if (opensAt === Number.NEGATIVE_INFINITY) this.open.push(instance, this.load(instance), turn);
    else this.closed.push(instance, opensAt, turn);
  }

  /** Their time has come. */
  private reopen(now: number): void {
    for (let next = this.closed.first; next?.isAvailable(now) === true; next = this.closed.first) {
      const turn = this.closed.rankOf(next);
      this.closed.remove(next);
      this.open.push(next, this.load(next), turn);
    }
  }

  /** The first behind those that were tried: these are taken out and put back, so that it costs O(log n) each. */
  private untried(tried: readonly Instance[]): Instance | null {
    const { open } = this;
    const aside: Instance[] = [];
    for (let top = open.first; top !== null && tried.includes(top); top = open.first) {
      aside.push(top);
      open.remove(top);
    }
    const { first } = open;
    for (const instance of aside) open.push(instance, this.load(instance), this.turn + 1 / instance.weight);
    return first;
  }

  /** Any, from a random one on: the one that opens first would get all requests. */
  private failOpen(tried: readonly Instance[]): Instance | null {
    if (!this.siblings.isPanic()) return null;
    const { all } = this.closed;
    const from = Math.floor(this.siblings.random() * all.length);
    for (let step = 0; step < all.length; step += 1) {
      const instance = all[(from + step) % all.length];
      if (instance === undefined || tried.includes(instance)) continue;
      this.siblings.figures.failedOpen += 1;
      return instance;
    }
    return null;
  }

  private load({ inflight, weight }: Instance): number {
    return Math.floor((inflight * this.leastWeight) / weight);
  }

  /** A new least weight is a new unit of load. That of an instance that is young will pass, and counts as what it will be. */
  private lighten(weight: number): void {
    if (weight >= this.leastWeight) return;
    this.leastWeight = weight;
    for (const instance of [...this.open.all])
      this.open.update(instance, this.load(instance), this.open.rankOf(instance));
  }
}
