/** Cuts long work into slices of time, between which the loop serves requests. */

/**
 * A request waits for half a slice at each of its turns of the loop, so slices are well below the 5 ms that nothing may
 * take; shorter ones would cost more in turns than they save in waiting.
 */
const SLICE_MS = 0.25;

export class Slice {
  private readonly clock: () => number;
  private endsAt: number;

  /** The first slice begins now. `clock` gives milliseconds. */
  constructor(clock: () => number) {
    this.clock = clock;
    this.endsAt = clock() + SLICE_MS;
  }

  /** The slice has taken its time: yield, and begin the next. */
  get isOver(): boolean {
    return this.clock() >= this.endsAt;
  }

  begin(): void {
    this.endsAt = this.clock() + SLICE_MS;
  }
}
