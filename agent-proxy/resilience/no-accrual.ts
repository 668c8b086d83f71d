/** `none`: no outcome ever ejects an instance. */
import type { AccrualPolicy } from './accrual-policy.ts';

export class NoAccrual implements AccrualPolicy {
  succeeded(): void {
    // Nothing is counted.
  }

  failed(): boolean {
    return false;
  }

  left(): void {
    // Nobody is compared with it.
  }

  revived(): void {
    // There is nothing to forget.
  }
}
