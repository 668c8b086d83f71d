/**
 * Finagle's exponential moving average over any clock: `stamp` may be a time or a count of requests, and `window` is in
 * the same unit. The first sample is the average; later ones weigh the more, the longer ago the last one was.
 */
export class Ema {
  private readonly window: number;
  private stamp = Number.NaN;
  /** NaN before the first sample. */
  value = Number.NaN;

  constructor(window: number) {
    this.window = window;
  }

  update(stamp: number, sample: number): number {
    if (Number.isNaN(this.stamp)) {
      this.value = sample;
    } else {
      const passed = Math.max(0, stamp - this.stamp);
      const kept = this.window <= 0 ? 0 : Math.exp(-passed / this.window);
      this.value = sample + (this.value - sample) * kept;
    }
    this.stamp = Number.isNaN(this.stamp) ? stamp : Math.max(this.stamp, stamp);
    return this.value;
  }

  reset(): void {
    this.stamp = Number.NaN;
    this.value = Number.NaN;
  }
}
