/**
 * `io.l5d.successRateWindowed`: an average over about the last `window` of time. It trips below the threshold, once a
 * whole window has passed since the first outcome, with at least five requests in the last one, and only where the
 * siblings do better.
 */
import type { AccrualPolicy } from './accrual-policy.ts';
import { Ema } from './ema.ts';
import type { SiblingRates } from './sibling-rates.ts';

/** Fewer requests in a window say nothing. */
const MIN_REQUESTS = 5;
/** The window of that count moves in so many steps. */
const SLICES = 5;

export class SuccessRateWindowed implements AccrualPolicy {
  private readonly threshold: number;
  private readonly windowMs: number;
  private readonly siblings: SiblingRates | null;
  private readonly rate: Ema;
  private readonly slices = new Float64Array(SLICES);
  private slice = 0;
  private requests = 0;
  private startedAt = Number.NaN;
  /** What of this rate stands in the siblings' sum. */
  private shared = Number.NaN;

  constructor(threshold: number, windowMs: number, siblings: SiblingRates | null) {
    this.threshold = threshold;
    this.windowMs = windowMs;
    this.siblings = siblings;
    this.rate = new Ema(windowMs);
  }

  succeeded(now: number): void {
    this.record(now, 1);
  }

  failed(now: number): boolean {
    const rate = this.record(now, 0);
    if (now - this.startedAt < this.windowMs || this.requests < MIN_REQUESTS || rate >= this.threshold) return false;
    return this.siblings === null || this.siblings.isOutlier(rate, this.requests);
  }

  left(): void {
    this.share(Number.NaN);
  }

  revived(): void {
    this.rate.reset();
    this.slices.fill(0);
    this.requests = 0;
    this.startedAt = Number.NaN;
    this.share(Number.NaN);
  }

  private record(now: number, sample: number): number {
    if (Number.isNaN(this.startedAt)) this.startedAt = now;
    this.roll(now);
    const index = this.slice % SLICES;
    this.slices[index] = (this.slices[index] ?? 0) + 1;
    this.requests += 1;
    const rate = this.rate.update(now, sample);
    this.share(rate);
    return rate;
  }

  /** Forgets the requests of slices that are a window old. */
  private roll(now: number): void {
    const slice = Math.floor((now * SLICES) / this.windowMs);
    const first = Math.max(this.slice + 1, slice - SLICES + 1);
    for (let next = first; next <= slice; next += 1) {
      const index = next % SLICES;
      this.requests -= this.slices[index] ?? 0;
      this.slices[index] = 0;
    }
    if (slice > this.slice) this.slice = slice;
  }

  private share(rate: number): void {
    this.siblings?.replace(this.shared, rate);
    this.shared = rate;
  }
}
