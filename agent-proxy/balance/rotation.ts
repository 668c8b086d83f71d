/**
 * The instances among which requests are drawn, packed in one array, so that a draw is an index. What leaves is replaced by
 * the last; the order means nothing.
 */
import type { Instance } from './instance.ts';
import { WeightTree } from './weight-tree.ts';

export class Rotation {
  readonly instances: Instance[] = [];
  private readonly random: () => number;
  /** The weight by which each slot is drawn. */
  private readonly weights: number[] = [];
  /** How many have each weight. */
  private readonly counts = new Map<number, number>();
  /** Null as long as all weights are the same: then a draw is a multiplication. */
  private tree: WeightTree | null = null;

  constructor(random: () => number) {
    this.random = random;
  }

  get isUniform(): boolean {
    return this.tree === null;
  }

  add(instance: Instance): void {
    const { weight } = instance;
    const slot = this.instances.length;
    instance.slot = slot;
    this.instances.push(instance);
    this.weights.push(weight);
    this.count(weight, 1);
    if (this.tree !== null) this.tree.set(slot, 0, weight);
    else this.checkUniform();
  }

  remove({ slot }: Instance): void {
    this.swap(slot, this.instances.length - 1);
    const last = this.instances.pop();
    const weight = this.weights.pop();
    if (last === undefined || weight === undefined) return;
    last.slot = -1;
    this.count(weight, -1);
    this.tree?.set(this.instances.length, weight, 0);
    this.checkUniform();
  }

  reweigh({ slot, weight }: Instance): void {
    const before = this.weights[slot] ?? weight;
    if (before === weight) return;
    this.weights[slot] = weight;
    this.count(before, -1);
    this.count(weight, 1);
    this.tree?.set(slot, before, weight);
    this.checkUniform();
  }

  swap(a: number, b: number): void {
    if (a === b) return;
    const [first, second] = [this.instances[a], this.instances[b]];
    const [weightA, weightB] = [this.weights[a], this.weights[b]];
    if (first === undefined || second === undefined || weightA === undefined || weightB === undefined) return;
    this.instances[a] = second;
    this.instances[b] = first;
    this.weights[a] = weightB;
    this.weights[b] = weightA;
    first.slot = b;
    second.slot = a;
    this.tree?.set(a, weightA, weightB);
    this.tree?.set(b, weightB, weightA);
  }

  /** One of the first `count`, by weight. */
  draw(count: number): Instance | null {
    const slot =
      this.tree === null
        ? Math.floor(this.random() * count)
        : this.tree.find(this.random() * this.tree.below(count), count);
    return this.instances[slot] ?? null;
  }

  /** One of the first `count` that is not the one in `slot`, by weight; `count` is at least 2. */
  drawOther(slot: number, count: number): Instance | null {
    return (
      this.instances[this.tree === null ? this.other(slot, count) : this.otherByWeight(this.tree, slot, count)] ?? null
    );
  }

  private other(slot: number, count: number): number {
    const drawn = Math.floor(this.random() * (count - 1));
    return drawn < slot ? drawn : drawn + 1;
  }

  private otherByWeight(tree: WeightTree, slot: number, count: number): number {
    const own = this.weights[slot] ?? 0;
    const position = this.random() * (tree.below(count) - own);
    const found = tree.find(position < tree.below(slot) ? position : position + own, count);
    if (found !== slot) return found;
    // The sums are rounded.
    return slot === 0 ? 1 : slot - 1;
  }

  private count(weight: number, change: number): void {
    const count = (this.counts.get(weight) ?? 0) + change;
    if (count === 0) this.counts.delete(weight);
    else this.counts.set(weight, count);
  }

  private checkUniform(): void {
    if (this.counts.size <= 1) {
      this.tree = null;
    } else if (this.tree === null) {
      this.tree = new WeightTree();
      for (const [slot, weight] of this.weights.entries()) this.tree.set(slot, 0, weight);
    }
  }
}
