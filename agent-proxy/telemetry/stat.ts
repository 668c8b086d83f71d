/**
 * A distribution of values, latencies mostly: totals since the start, and counts by bucket for the last one to two
 * minutes. It has room only for the buckets in use; what an idle one had is given back.
 */
import { latencyOfBucket } from '../control/latency-scale.ts';
import { BucketCounts } from './bucket-counts.ts';
import { fastLatencyBucket } from './latency-buckets.ts';
import { MAX_BUCKETS, type RecentCounts } from './recent-counts.ts';

/** Quantiles cover a window that is over and what has passed of the next. */
const WINDOW_MS = 60_000;

/** How values are sorted into buckets. */
export interface Scale {
  readonly kind: 'latency' | 'whole';
  bucketOf(value: number): number;
  /** The value that stands for all of a bucket, to three decimals. */
  readonly values: readonly number[];
}

/** Milliseconds, in the contract's buckets. */
export const LATENCIES: Scale = {
  kind: 'latency',
  bucketOf: fastLatencyBucket,
  values: Array.from({ length: MAX_BUCKETS }, (_, bucket) => Math.round(latencyOfBucket(bucket) * 1_000) / 1_000),
};

/** Whole numbers from 0, each by itself; the last bucket takes those that are larger. */
export const WHOLE_NUMBERS: Scale = {
  kind: 'whole',
  bucketOf: (value) => Math.min(value, MAX_BUCKETS - 1),
  values: Array.from({ length: MAX_BUCKETS }, (_, bucket) => bucket),
};

/** What can be shown of a distribution. */
export interface Distribution {
  readonly scale: Scale;
  /** Since the start. */
  readonly count: number;
  readonly sum: number;
  /** Adds the counts of the last one to two minutes to `target`. */
  addRecent(target: RecentCounts, now: number): void;
}

/** Beyond what a bucket counts in a window. Twice as many bits are still exact in a number. */
const PREVIOUS = 2 ** 26;

/** Its counts are those of two windows in one number: `PREVIOUS` times that of the window before, plus that of this one. */
export class Stat extends BucketCounts implements Distribution {
  readonly scale: Scale;
  count = 0;
  sum = 0;
  /** Windows begin at the same time for all, so that a number is enough to name one. */
  private window = -1;

  constructor(scale: Scale = LATENCIES) {
    super();
    this.scale = scale;
  }

  record(value: number, now: number): void {
    this.add(this.scale.bucketOf(value), value, now);
  }

  /** For who knows the bucket of the value already. A `now` of the window before counts for this one. */
  add(bucket: number, value: number, now: number): void {
    const window = Math.floor(now / WINDOW_MS);
    if (window > this.window) this.begin(window);
    this.count += 1;
    this.sum += value;
    this.increment(bucket);
  }

  /** Adds all that another has. */
  addAll(other: Stat, now: number): void {
    const window = Math.floor(now / WINDOW_MS);
    if (window > this.window) this.begin(window);
    if (this.window > other.window) other.begin(this.window);
    this.count += other.count;
    this.sum += other.sum;
    const { counts, lowest } = other;
    for (let index = 0; index < counts.length; index += 1) {
      const both = counts[index] ?? 0;
      if (both > 0) this.raise(lowest + index, both);
    }
  }

  addRecent(target: RecentCounts, now: number): void {
    const window = Math.floor(now / WINDOW_MS);
    if (window > this.window) this.begin(window);
    const { counts, lowest } = this;
    for (let index = 0; index < counts.length; index += 1) {
      const both = counts[index] ?? 0;
      target.add(lowest + index, (both % PREVIOUS) + Math.floor(both / PREVIOUS));
    }
  }

  /** This window becomes the one before. Room for buckets that nobody used in it is given back. */
  private begin(window: number): void {
    const isNext = window === this.window + 1;
    this.window = window;
    const { counts } = this;
    let first = counts.length;
    let end = 0;
    for (let index = 0; index < counts.length; index += 1) {
      const recent = isNext ? (counts[index] ?? 0) % PREVIOUS : 0;
      counts[index] = recent * PREVIOUS;
      if (recent === 0) continue;
      first = Math.min(first, index);
      end = index + 1;
    }
    this.keep(first, end);
  }
}
