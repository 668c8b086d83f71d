/** Cuts long work into slices of time, between which the loop serves requests. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A request waits for half a slice at each of its turns of the loop, so slices are well below the 5 ms that nothing may
 * take; shorter ones would cost more in turns than they save in waiting.
 */
const SLICE_MS = 0.125;
/**
 * Between two slices the loop has the core to itself: without a rest requests would share it with the work turn by turn
 * until that is done, and all of them would queue for it meanwhile.
 */
export const REST_MS = 1;
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

  /** Gives the loop its turn, and begins the next slice. */
  async rest(): Promise<void> {
    await sleep(REST_MS);
    this.begin();
  }

  begin(): void {
    const now = this.clock();
    const turnMs = now - this.endsAt;
    this.endsAt = now + Math.max(SLICE_MS, Math.min(turnMs * PART_OF_TURN, MOST_MS));
  }
}
