/** `io.l5d.consecutiveFailures`: so many failures in a row trip, and one success starts the count anew. */
import type { AccrualPolicy } from './accrual-policy.ts';

export class ConsecutiveFailures implements AccrualPolicy {
  private readonly threshold: number;
  private inARow = 0;

  constructor(threshold: number) {
    this.threshold = threshold;
  }

  succeeded(): void {
    this.inARow = 0;
  }

  failed(): boolean {
    this.inARow += 1;
    return this.inARow >= this.threshold;
  }

  left(): void {
    // Rows of failures are not compared with those of siblings.
  }

  revived(): void {
    this.inARow = 0;
  }
}
