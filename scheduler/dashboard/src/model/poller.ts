/**
 * Asks for one thing again and again: one request at a time, a pause between two, a longer pause after each failure, none
 * while paused.
 */

/** Time, so that tests need not wait for it. */
export interface Timers {
  /** Calls `then` after a while; the answer cancels it. */
  after(milliseconds: number, then: () => void): () => void;
  now(): number;
}

export interface PollerOptions<T> {
  /** From the start of one request to the start of the next; asked again each time. */
  intervalMs(): number;
  /** A request without an answer after this long has failed. */
  readonly timeoutMs: number;
  readonly maxBackoffMs: number;
  readonly timers: Timers;
  load(signal: AbortSignal): Promise<T>;
  onValue(value: T): void;
  onFailure(error: unknown): void;
}

/**
 * - `paused`: nobody looks.
 * - `loading`: a request is on its way.
 * - `waiting`: for the time of the next one.
 */
type State =
  | { readonly kind: 'paused' }
  | { readonly kind: 'loading'; readonly abort: AbortController; readonly cancelTimeout: () => void }
  | { readonly kind: 'waiting'; readonly cancel: () => void };

export class Poller<T> {
  readonly #options: PollerOptions<T>;
  #state: State = { kind: 'paused' };
  #failures = 0;

  constructor(options: PollerOptions<T>) {
    this.#options = options;
  }

  /** Asks at once, and from then on regularly. */
  start(): void {
    if (this.#state.kind === 'paused') this.#load();
  }

  /** Ends the request or the wait; `start` goes on. */
  pause(): void {
    this.#leave();
    this.#state = { kind: 'paused' };
  }

  /** There is news (the scheduler is back): asks at once, if it waits only because of failures. */
  nudge(): void {
    if (this.#state.kind !== 'waiting' || this.#failures === 0) return;
    this.#leave();
    this.#load();
  }

  #leave(): void {
    const state = this.#state;
    if (state.kind === 'waiting') state.cancel();
    if (state.kind === 'loading') {
      state.cancelTimeout();
      state.abort.abort(new Error('no longer wanted'));
    }
  }

  #load(): void {
    const { timers, timeoutMs } = this.#options;
    const abort = new AbortController();
    const startedAt = timers.now();
    const cancelTimeout = timers.after(timeoutMs, () =>
      abort.abort(new Error(`no answer within ${timeoutMs / 1_000} s`)),
    );
    const loading: State = { kind: 'loading', abort, cancelTimeout };
    this.#state = loading;
    // A promise of its own beside `load`: whoever ignores the signal cannot keep the poller from going on.
    const given = new Promise<never>((_, reject) => {
      abort.signal.addEventListener('abort', () => reject(abort.signal.reason), { once: true });
    });
    Promise.race([this.#options.load(abort.signal), given]).then(
      (value) => {
        if (this.#state !== loading) return;
        cancelTimeout();
        this.#failures = 0;
        this.#options.onValue(value);
        if (this.#state !== loading) return;
        this.#wait(Math.max(0, this.#options.intervalMs() - (timers.now() - startedAt)));
      },
      (error: unknown) => {
        if (this.#state !== loading) return;
        cancelTimeout();
        this.#failures += 1;
        this.#wait(this.#backoff());
        this.#options.onFailure(error);
      },
    );
  }

  /** The interval, doubled with each further failure up to the limit. */
  #backoff(): number {
    const { maxBackoffMs } = this.#options;
    return Math.min(this.#options.intervalMs() * 2 ** Math.min(this.#failures - 1, 16), maxBackoffMs);
  }

  #wait(milliseconds: number): void {
    this.#state = { kind: 'waiting', cancel: this.#options.timers.after(milliseconds, () => this.#load()) };
  }
}
