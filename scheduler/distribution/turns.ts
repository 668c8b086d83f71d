/**
 * Who waits for a snapshot, and who gets one now: a bounded number at a time, in the order in which they came. Pure.
 */
export class Turns<T> {
  readonly #most: number;
  readonly #waiting = new Set<T>();
  readonly #having = new Set<T>();

  constructor(most: number) {
    this.#most = most;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Who has its turn now. */
  get having(): ReadonlySet<T> {
    return this.#having;
  }

  /** It waits at the end, wherever it was before. */
  ask(who: T): void {
    this.#having.delete(who);
    this.#waiting.add(who);
  }

  /** Its turn is over, or it does not want one any more. */
  leave(who: T): void {
    this.#having.delete(who);
    this.#waiting.delete(who);
  }

  /** The next whose turn has come, or null. */
  next(): T | null {
    if (this.#having.size >= this.#most) return null;
    for (const who of this.#waiting) {
      this.#waiting.delete(who);
      this.#having.add(who);
      return who;
    }
    return null;
  }
}
