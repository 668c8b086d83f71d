/**
 * When a worker that died is started again: at once, unless workers keep dying young; then after a pause that doubles.
 * Pure: time comes in as a number.
 */

/** A worker that lived shorter than this died young. */
export const YOUNG_MS = 2_000;
/** So many may die young in a row before the pauses begin. */
export const FREE_RESTARTS = 3;
export const FIRST_PAUSE_MS = 100;
export const LONGEST_PAUSE_MS = 5_000;

export class RestartPolicy {
  private young = 0;

  /** How long to wait before the next start, milliseconds, after a worker that lived so long. */
  died(livedMs: number): number {
    this.young = livedMs < YOUNG_MS ? this.young + 1 : 0;
    if (this.young <= FREE_RESTARTS) return 0;
    return Math.min(FIRST_PAUSE_MS * 2 ** (this.young - FREE_RESTARTS - 1), LONGEST_PAUSE_MS);
  }
}
