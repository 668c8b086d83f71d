/** Cuts long work into slices of time, between which the loop serves requests. */

/**
 * A request waits for half a slice at each of its turns of the loop, so slices are well below the 5 ms that nothing may
 * take; shorter ones would cost more in turns than they save in waiting.
 */
const SLICE_MS = 0.25;
/**
 * Where a thousand busy connections make a turn of the loop long, a page would take minutes in such slices. So a slice may be
 * a twentieth of the turn before it: no request notices, and the page comes.
 */
const PART_OF_TURN = 1 / 20;
const MOST_MS = 4;

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
    const now = this.clock();
    const turnMs = now - this.endsAt;
    this.endsAt = now + Math.max(SLICE_MS, Math.min(turnMs * PART_OF_TURN, MOST_MS));
  }
}
