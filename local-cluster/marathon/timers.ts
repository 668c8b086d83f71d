/** Time and chance as parameters, so that a test can hold the clock still and repeat every choice. */

/** What `setTimeout` gave; opaque to whoever holds it. */
export type TimerHandle = unknown;

export interface Timers {
  /** Milliseconds since the epoch. */
  now(): number;
  setTimeout(callback: () => void, ms: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

/** The machine's own clock. Timers do not keep the process alive: the listening socket does. */
export const systemTimers: Timers = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
};

/** Uniform in [0, 1). */
export type Random = () => number;
