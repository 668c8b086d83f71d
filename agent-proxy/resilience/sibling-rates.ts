/**
 * How well the instances of one service do on average, so that one of them can be compared with the others. Where all fail
 * alike the fault is not an instance's, and ejecting some of them only loads the rest (contract, rule 8).
 */

/**
 * Standard deviations below its siblings at which an instance stands out. The comparison is made for each request, so the
 * margin is wide: where all fail alike, noise passes it about once in 100,000 requests (measured: 13,000 at the worst, for two
 * instances and an average over twenty).
 */
const MARGIN = 5;

export class SiblingRates {
  private sum = 0;
  private count = 0;

  /** One instance's rate changed. NaN stands for none: it joined, or it left. */
  replace(before: number, after: number): void {
    if (!Number.isNaN(before)) {
      this.sum -= before;
      this.count -= 1;
    }
    if (!Number.isNaN(after)) {
      this.sum += after;
      this.count += 1;
    }
    // Rounding errors do not outlive the last member.
    if (this.count === 0) this.sum = 0;
  }

  /**
   * Whether an instance does worse than the others by more than chance explains. `rate` is its own success rate, which is
   * part of the sum, and `samples` the number of requests that rate is made of. Without siblings nothing is worse.
   */
  isOutlier(rate: number, samples: number): boolean {
    if (this.count < 2) return false;
    const others = this.count - 1;
    const mean = Math.min(1, Math.max(0, (this.sum - rate) / others));
    const size = Math.max(1, samples);
    // One failure more or less (1 / size) is chance too, and the siblings' mean is as unsure as they are few.
    const variance = ((mean * (1 - mean) + 1 / size) / size) * (1 + 1 / others);
    return rate < mean - MARGIN * Math.sqrt(variance);
  }
}
