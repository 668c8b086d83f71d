/**
 * When a task that ended is started again: at once, then after 1 s, 2 s, 4 s … 300 s, and at once again after a good run. A
 * run that was not so long makes up for some ends: two a minute come with a second of waiting and no more, however long that
 * goes on, and only what ends soon after its start waits longer and longer.
 */

const FIRST_MS = 1_000;
const MAX_MS = 300_000;
/** Healthy for this long, a task has shown that it can live: its end is not one of a series. */
export const SETTLED_AFTER_MS = 60_000;

/** For each of these times of health, one end of the series is forgotten. */
const FORGIVEN_EACH_MS = 15_000;

/** How many of `failures` ends in a row still count when another comes after so much health. */
export function failuresAfter(failures: number, healthyForMs: number): number {
  if (healthyForMs >= SETTLED_AFTER_MS) return 0;
  return Math.max(0, failures - Math.floor(healthyForMs / FORGIVEN_EACH_MS));
}

/** Milliseconds from the end of a task to its next launch, after `failures` ends in a row (this one included). */
export function relaunchDelay(failures: number): number {
  if (failures <= 1) return 0;
  return Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures - 2, 20));
}
