/**
 * The highest epoch that a proxy has seen. A frame below it comes from a leader that was replaced, and is refused and
 * counted: a paused leader that wakes up harms nobody.
 */
export class EpochGuard {
  refused = 0;
  private seen: number;
  private readonly raised: () => void;

  /** `raised` is called when the highest epoch has risen, to have it kept. */
  constructor(seen: number, raised: () => void) {
    this.seen = seen;
    this.raised = raised;
  }

  get highest(): number {
    return this.seen;
  }

  /** Whether something of this epoch may be applied. */
  admit(epoch: number): boolean {
    if (epoch < this.seen) {
      this.refused += 1;
      return false;
    }
    if (epoch > this.seen) {
      this.seen = epoch;
      this.raised();
    }
    return true;
  }
}
