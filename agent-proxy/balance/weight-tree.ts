/**
 * Draws by weight: a Fenwick tree of the weights by slot. A draw and a change both cost O(log n), so the weight of one
 * instance in thousands changes without a word to the others.
 */
export class WeightTree {
  /** Sums of ranges; slot `n` stands at `n + 1`. */
  private sums = new Float64Array(9);
  private size = 0;

  /** Changes the weight in a slot; `before` is 0 for a slot that is new. */
  set(slot: number, before: number, after: number): void {
    if (slot >= this.size) this.grow(slot + 1);
    for (let node = slot + 1; node < this.sums.length; node += node & -node) {
      this.sums[node] = (this.sums[node] ?? 0) + after - before;
    }
  }

  /** The sum of the weights in the slots below `slot`. */
  below(slot: number): number {
    let sum = 0;
    for (let node = slot; node > 0; node -= node & -node) sum += this.sums[node] ?? 0;
    return sum;
  }

  /** The slot, below `count`, in whose share of the sum of weights `position` falls. */
  find(position: number, count: number): number {
    let slot = 0;
    let rest = position;
    for (let step = (this.sums.length - 1) >> 0; step > 0; step >>= 1) {
      const sum = this.sums[slot + step] ?? Number.POSITIVE_INFINITY;
      if (sum <= rest) {
        slot += step;
        rest -= sum;
      }
    }
    // Sums are rounded, so a position at the very end may fall behind the last slot.
    return Math.min(slot, count - 1);
  }

  /** The length without slot 0 is a power of two, so that `find` can halve its steps. */
  private grow(size: number): void {
    this.size = size;
    let capacity = this.sums.length - 1;
    if (size <= capacity) return;
    while (capacity < size) capacity *= 2;
    const weights = new Float64Array(size);
    for (let slot = 0; slot < size; slot += 1) weights[slot] = this.below(slot + 1) - this.below(slot);
    this.sums = new Float64Array(capacity + 1);
    for (let slot = 0; slot < size; slot += 1) this.set(slot, 0, weights[slot] ?? 0);
  }
}
