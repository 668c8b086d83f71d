/**
 * What sessions say of their agents goes out together: with thousands of them a commit costs thousands of writes, and when
 * all come back at once each of them has something to say. Where sessions are few it goes out at once.
 */
const LONGEST_MS = 250;
const SESSIONS_A_MS = 40;

export class CommitPace {
  readonly #commit: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(commit: () => void) {
    this.#commit = commit;
  }

  soon(sessions: number): void {
    const delay = Math.min(LONGEST_MS, Math.floor(sessions / SESSIONS_A_MS));
    if (delay === 0) this.#commit();
    else this.#timer ??= setTimeout(() => this.#commit(), delay);
  }

  /** All that was waiting has gone out. */
  done(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
