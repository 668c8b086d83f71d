/**
 * When so many endpoints vanish at once that it is more likely that Marathon is wrong than that they are gone: more than
 * three in ten within ten seconds, or the last one there is. Pure: time is passed in.
 */

const WINDOW_MS = 10_000;
const SHARE = 0.3;
/** Of a handful of endpoints a third is a single crash. */
const LEAST = 3;

export class LossGuard {
  /** Losses of late that were believed, the oldest first. */
  #recent: { readonly at: number; readonly count: number }[] = [];

  /** Whether losing `count` more of the `had` endpoints that there are now would be too much to be believed at once. */
  isTooMany(count: number, had: number, now: number): boolean {
    if (count === 0) return false;
    if (count >= had) return true;
    const before = this.#sum(now);
    const lost = before + count;
    return lost >= LEAST && lost > SHARE * (had + before);
  }

  /** So many losses were believed. */
  note(count: number, now: number): void {
    if (count > 0) this.#recent.push({ at: now, count });
  }

  #sum(now: number): number {
    this.#recent = this.#recent.filter(({ at }) => at > now - WINDOW_MS);
    return this.#recent.reduce((sum, { count }) => sum + count, 0);
  }
}
