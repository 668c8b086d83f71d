/** The quantiles of a distribution, all in one pass over its buckets. */
import { RecentCounts } from './recent-counts.ts';
import type { Distribution } from './stat.ts';

/** The fractions that are shown, ascending: the least value, the median, …, the greatest. */
export const QUANTILES = [0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1] as const;
/** linkerd's names of them. */
export const QUANTILE_NAMES = ['min', 'p50', 'p90', 'p95', 'p99', 'p9990', 'p9999', 'max'] as const;

/** Reads one distribution after the other, and holds the last. */
export class Summary {
  /** The value of each of {@link QUANTILES} among the recent ones. */
  readonly values = new Float64Array(QUANTILES.length);
  private readonly recent = new RecentCounts();

  /** False when there were no values of late, and so there are no quantiles. */
  read(distribution: Distribution, now: number): boolean {
    const { recent, values } = this;
    recent.clear();
    distribution.addRecent(recent, now);
    const { total } = recent;
    if (total === 0) return false;
    let bucket = recent.lowest;
    let seen = recent.of(bucket);
    for (let index = 0; index < QUANTILES.length; index += 1) {
      const wanted = Math.max(1, Math.ceil((QUANTILES[index] ?? 1) * total));
      while (seen < wanted) {
        bucket += 1;
        seen += recent.of(bucket);
      }
      values[index] = distribution.scale.values[bucket] ?? 0;
    }
    return true;
  }
}
