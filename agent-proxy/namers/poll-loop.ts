/** Something that is asked for again and again while somebody wants to know, one at a time. */
import type { Unsubscribe } from '../routing/activity.ts';

export interface PollInterval {
  readonly ttlMs: number;
  /** Each wait differs from `ttlMs` by up to so much. */
  readonly jitterMs: number;
  readonly random: () => number;
}

/** However it is configured, a poll is not a busy loop. */
const MIN_WAIT_MS = 10;

export function waitOf({ ttlMs, jitterMs, random }: PollInterval): number {
  return Math.max(MIN_WAIT_MS, ttlMs + (random() * 2 - 1) * jitterMs);
}

export class PollLoop {
  private readonly interval: PollInterval;
  private readonly poll: (signal: AbortSignal) => Promise<void>;

  /** `poll` does not reject, and ends soon when its signal is aborted. */
  constructor(interval: PollInterval, poll: (signal: AbortSignal) => Promise<void>) {
    this.interval = interval;
    this.poll = poll;
  }

  /** Polls at once and then until what is returned is called. */
  start(): Unsubscribe {
    const ending = new AbortController();
    let timer: NodeJS.Timeout | null = null;
    const again = (): void => {
      if (ending.signal.aborted) return;
      timer = setTimeout(run, waitOf(this.interval)).unref();
    };
    const run = (): void => {
      this.poll(ending.signal).then(again, again);
    };
    run();
    return () => {
      ending.abort();
      if (timer !== null) clearTimeout(timer);
    };
  }
}
