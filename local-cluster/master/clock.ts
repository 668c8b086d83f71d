/** Time as the master sees it: injected, so that tests can run hours of timeouts in no time. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs once, later. Returns how to cancel it. */
  after(ms: number, run: () => void): () => void;
}

/** The real time. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    // setTimeout overflows above 2^31 - 1 ms (a failover_timeout of a month would fire at once).
    const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
