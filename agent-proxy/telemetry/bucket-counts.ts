/** Counts by bucket, with room only for the buckets in use: neighbours, from the lowest to the highest. */

/** Room is made for this many buckets at a time. */
const STEP = 4;
/** The counts of who has none. Never written to: it has no index. */
const NOTHING: number[] = [];

/** Extended rather than held by what is there thousands of times: an object of its own would take 50 bytes each. */
export class BucketCounts {
  /** A plain array: for some twenty counts a typed one would take more for its description than for its content. */
  protected counts: number[] = NOTHING;
  /** The bucket of the first count. */
  protected lowest = 0;

  increment(bucket: number): void {
    this.raise(bucket, 1);
  }

  raise(bucket: number, by: number): void {
    let index = bucket - this.lowest;
    if (index < 0 || index >= this.counts.length) {
      this.makeRoom(bucket);
      index = bucket - this.lowest;
    }
    this.counts[index] = (this.counts[index] ?? 0) + by;
  }

  /** Bucket and count of all that are above zero. */
  pairs(): [number, number][] {
    const pairs: [number, number][] = [];
    this.counts.forEach((count, index) => {
      if (count > 0) pairs.push([this.lowest + index, count]);
    });
    return pairs;
  }

  /** Keeps the counts at these indexes, from the first to before the end, and gives back the room of the others. */
  protected keep(first: number, end: number): void {
    if (end <= first) this.counts = NOTHING;
    else if (end - first < this.counts.length) this.fit(this.lowest + first, this.lowest + end);
  }

  private makeRoom(bucket: number): void {
    const { counts, lowest } = this;
    const step = bucket - (bucket % STEP);
    if (counts.length === 0) this.fit(step, step + STEP);
    else this.fit(Math.min(lowest, step), Math.max(lowest + counts.length, step + STEP));
  }

  /** Room for the buckets from `lowest` to before `end`, exactly: an array that grows by itself takes half as much again. */
  private fit(lowest: number, end: number): void {
    const counts = new Array<number>(end - lowest);
    for (let index = 0; index < counts.length; index += 1)
      counts[index] = this.counts[lowest - this.lowest + index] ?? 0;
    this.counts = counts;
    this.lowest = lowest;
  }
}
