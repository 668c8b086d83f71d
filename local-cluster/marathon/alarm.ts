/** One timer that can be set again and again; only the earliest time that was asked for counts until it rings. */
import type { TimerHandle, Timers } from './timers.ts';

/** Longer than this a timer of Node overflows; an alarm that rings early is asked again anyway. */
const LONGEST_MS = 2 ** 31 - 1;

export class Alarm {
  readonly #timers: Timers;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  #timer: TimerHandle = null;

  constructor(timers: Timers, ring: () => void) {
    this.#timers = timers;
    this.#ring = ring;
  }

  /** Ring at `at` (milliseconds since the epoch) at the latest. */
  set(at: number): void {
    if (at >= this.#at) return;
    this.clear();
    this.#at = at;
    const wait = Math.min(LONGEST_MS, Math.max(0, at - this.#timers.now()));
    this.#timer = this.#timers.setTimeout(() => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#timer = null;
      this.#ring();
    }, wait);
  }

  clear(): void {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
    this.#at = Number.POSITIVE_INFINITY;
  }
}
