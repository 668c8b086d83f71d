/** What was counted of late, by bucket, of one distribution or of several together. One is cleared and used again and again. */
import { LATENCY_BUCKETS } from '../control/latency-scale.ts';

/** No scale has more buckets. */
export const MAX_BUCKETS = LATENCY_BUCKETS;

export class RecentCounts {
  total = 0;
  /** The buckets in use are between these, both included: a distribution uses few of them. */
  lowest = MAX_BUCKETS;
  highest = -1;
  private readonly counts = new Float64Array(MAX_BUCKETS);

  add(bucket: number, count: number): void {
    if (count === 0) return;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + count;
    this.total += count;
    if (bucket < this.lowest) this.lowest = bucket;
    if (bucket > this.highest) this.highest = bucket;
  }

  of(bucket: number): number {
    return this.counts[bucket] ?? 0;
  }

  clear(): void {
    for (let bucket = this.lowest; bucket <= this.highest; bucket += 1) this.counts[bucket] = 0;
    this.total = 0;
    this.lowest = MAX_BUCKETS;
    this.highest = -1;
  }
}
