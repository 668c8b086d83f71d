/**
 * `io.l5d.successRate`: an average over about the last `requests` outcomes, clocked by their count and not by time. It
 * trips below the threshold, once there were that many outcomes, and only where the siblings do better.
 */
import type { AccrualPolicy } from './accrual-policy.ts';
import { Ema } from './ema.ts';
import type { SiblingRates } from './sibling-rates.ts';

export class SuccessRate implements AccrualPolicy {
  private readonly threshold: number;
  private readonly requests: number;
  private readonly siblings: SiblingRates | null;
  private readonly rate: Ema;
  private count = 0;
  /** What of this rate stands in the siblings' sum. */
  private shared = Number.NaN;

  constructor(threshold: number, requests: number, siblings: SiblingRates | null) {
    this.threshold = threshold;
    this.requests = requests;
    this.siblings = siblings;
    this.rate = new Ema(requests);
  }

  succeeded(): void {
    this.record(1);
  }

  failed(): boolean {
    const rate = this.record(0);
    if (this.count < this.requests || rate >= this.threshold) return false;
    return this.siblings === null || this.siblings.isOutlier(rate, this.samples());
  }

  left(): void {
    this.share(Number.NaN);
  }

  revived(): void {
    this.rate.reset();
    this.count = 0;
    this.share(Number.NaN);
  }

  /** A plain average over so many outcomes would be as sure: the sum of the squared weights, inverted. */
  private samples(): number {
    const first = Math.exp(-(this.count - 1) / this.requests);
    return 1 / ((1 - first * first) / (2 * this.requests) + first * first);
  }

  private record(sample: number): number {
    this.count += 1;
    const rate = this.rate.update(this.count, sample);
    this.share(rate);
    return rate;
  }

  private share(rate: number): void {
    this.siblings?.replace(this.shared, rate);
    this.shared = rate;
  }
}
