/** Long work in short slices, so that the loop serves others in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Control streams have to be served all the time: one slice of work is a small part of what a heartbeat may be late. */
const SLICE_MS = 8;

export class Slices {
  #since = performance.now();

  /** To be called after every piece of work; waits for the next turn of the loop where the slice is used up. */
  async pause(): Promise<void> {
    if (performance.now() - this.#since < SLICE_MS) return;
    await nextTurn();
    this.#since = performance.now();
  }
}
