/** When a task that ended is started again: at once, then after 1 s, 2 s, 4 s … 300 s, and at once again after a good run. */

const FIRST_MS = 1_000;
const MAX_MS = 300_000;
/** Healthy for this long, a task has shown that it can live: its end is not one of a series. */
export const SETTLED_AFTER_MS = 60_000;

/** Milliseconds from the end of a task to its next launch, after `failures` ends in a row (this one included). */
export function relaunchDelay(failures: number): number {
  if (failures <= 1) return 0;
  return Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures - 2, 20));
}
