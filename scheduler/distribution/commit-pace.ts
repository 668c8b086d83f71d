/**
 * What sessions say of their agents goes out together: with thousands of them a commit costs thousands of writes, and when
 * all come back at once each of them has something to say. Where sessions are few it goes out at once.
 */
const LONGEST_MS = 1_000;
/** As many commits of so many writes each: what it costs grows with their square. */
const SESSIONS_FOR_LONGEST = 10_000;

export class CommitPace {
  readonly #commit: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(commit: () => void) {
    this.#commit = commit;
  }

  soon(sessions: number): void {
    const delay = delayFor(sessions);
    if (delay === 0) this.#commit();
    else this.#timer ??= setTimeout(() => this.#commit(), delay);
  }

  /** All that was waiting has gone out. */
  done(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Milliseconds; 0: at once. */
function delayFor(sessions: number): number {
  return Math.floor(LONGEST_MS * Math.min(1, (sessions / SESSIONS_FOR_LONGEST) ** 2));
}
