/**
 * The same work for each of thousands of sessions, without holding up the event loop: what does not fit into a slice goes
 * on in the next turn of the loop. Whoever is added again while it waits is looked at once.
 */
/** Short, because the loop takes one new connection in each of its turns, and thousands may be waiting; not so short that what
 * else comes in takes most of the time from those who wait for a change. */
const SLICE_MS = 5;
/** The clock is not read for each of them. */
const A_LOOK_AT_THE_CLOCK = 8;

export class Rounds<T> {
  readonly #work: (one: T) => void;
  readonly #sliceMs: number;
  readonly #waiting = new Set<T>();
  #next: NodeJS.Immediate | null = null;
  /** A slice is under way, or more than one is needed: `run` adds nothing then. */
  #busy = false;

  constructor(work: (one: T) => void, sliceMs = SLICE_MS) {
    this.#work = work;
    this.#sliceMs = sliceMs;
  }

  /** Its turn comes soon: with `run`, or in the next turn of the loop. */
  add(one: T): void {
    this.#waiting.add(one);
    this.#next ??= setImmediate(() => this.#slice());
  }

  remove(one: T): void {
    this.#waiting.delete(one);
  }

  /** Begins now, unless it has begun. */
  run(): void {
    if (this.#next === null || this.#busy) return;
    clearImmediate(this.#next);
    this.#slice();
  }

  stop(): void {
    if (this.#next !== null) clearImmediate(this.#next);
    this.#next = null;
    this.#waiting.clear();
  }

  #slice(): void {
    this.#busy = true;
    const until = performance.now() + this.#sliceMs;
    let done = 0;
    for (const one of this.#waiting) {
      this.#waiting.delete(one);
      this.#work(one);
      done += 1;
      if (done % A_LOOK_AT_THE_CLOCK === 0 && performance.now() >= until) break;
    }
    this.#busy = this.#waiting.size > 0;
    this.#next = this.#busy ? setImmediate(() => this.#slice()) : null;
  }
}
