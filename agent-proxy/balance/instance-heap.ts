/** A binary heap of instances: the least key first, and of equal keys the least rank. Each change costs O(log n). */
import type { Instance } from './instance.ts';

export class InstanceHeap {
  private readonly instances: Instance[] = [];
  private keys = new Float64Array(8);
  private ranks = new Float64Array(8);

  get size(): number {
    return this.instances.length;
  }

  /** All of them, in no order that means anything. */
  get all(): readonly Instance[] {
    return this.instances;
  }

  get first(): Instance | null {
    return this.instances[0] ?? null;
  }

  has(instance: Instance): boolean {
    return this.instances[instance.slot] === instance;
  }

  keyOf({ slot }: Instance): number {
    return this.keys[slot] ?? 0;
  }

  rankOf({ slot }: Instance): number {
    return this.ranks[slot] ?? 0;
  }

  push(instance: Instance, key: number, rank: number): void {
    const slot = this.instances.length;
    if (slot === this.keys.length) {
      this.keys = grown(this.keys);
      this.ranks = grown(this.ranks);
    }
    this.instances.push(instance);
    this.put(slot, instance, key, rank);
    this.up(slot);
  }

  remove(instance: Instance): void {
    const { slot } = instance;
    const lastSlot = this.instances.length - 1;
    const last = this.instances[lastSlot];
    if (last === undefined) return;
    const key = this.keyOf(last);
    const rank = this.rankOf(last);
    this.instances.pop();
    if (slot !== lastSlot) {
      this.put(slot, last, key, rank);
      this.settle(slot);
    }
    instance.slot = -1;
  }

  update(instance: Instance, key: number, rank: number): void {
    this.put(instance.slot, instance, key, rank);
    this.settle(instance.slot);
  }

  private settle(slot: number): void {
    if (this.up(slot) === slot) this.down(slot);
  }

  private up(from: number): number {
    let slot = from;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      if (!this.isBefore(slot, parent)) break;
      this.swap(slot, parent);
      slot = parent;
    }
    return slot;
  }

  private down(from: number): void {
    let slot = from;
    for (;;) {
      const left = 2 * slot + 1;
      if (left >= this.instances.length) return;
      const right = left + 1;
      const least = right < this.instances.length && this.isBefore(right, left) ? right : left;
      if (!this.isBefore(least, slot)) return;
      this.swap(slot, least);
      slot = least;
    }
  }

  private isBefore(a: number, b: number): boolean {
    const keyA = this.keys[a] ?? 0;
    const keyB = this.keys[b] ?? 0;
    return keyA === keyB ? (this.ranks[a] ?? 0) < (this.ranks[b] ?? 0) : keyA < keyB;
  }

  private swap(a: number, b: number): void {
    const first = this.instances[a];
    const second = this.instances[b];
    if (first === undefined || second === undefined) return;
    const key = this.keyOf(first);
    const rank = this.rankOf(first);
    this.put(a, second, this.keyOf(second), this.rankOf(second));
    this.put(b, first, key, rank);
  }

  private put(slot: number, instance: Instance, key: number, rank: number): void {
    this.instances[slot] = instance;
    this.keys[slot] = key;
    this.ranks[slot] = rank;
    instance.slot = slot;
  }
}

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
