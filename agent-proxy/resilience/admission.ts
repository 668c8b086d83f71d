/**
 * Admission: how many requests a router has at once. `ConcurrencyLimit` is linkerd's `maxConcurrentRequests`, a number of
 * permits and nobody who waits for one. `LoadShedder` finds its own number: it watches how late the event loop is, and
 * takes fewer requests at once when the loop is late all the time, before latency collapses for all of them. What either
 * refuses is answered 503 with `l5d-retryable: true`, since nothing was sent. Pure: the caller brings time and figures.
 */

export class ConcurrencyLimit {
  private readonly permits: number;
  private taken = 0;

  /** `permits` may be Infinity. */
  constructor(permits: number) {
    this.permits = permits;
  }

  /** Each `true` is given back by one `release`. */
  tryAcquire(): boolean {
    if (this.taken >= this.permits) return false;
    this.taken += 1;
    return true;
  }

  release(): void {
    this.taken -= 1;
  }

  get inflight(): number {
    return this.taken;
  }
}

export interface ShedderParams {
  /** A loop that is later than this all the time has too much to do, milliseconds. */
  readonly targetDelayMs: number;
  /** For how long it has to be. One late turn is a pause of the garbage collector, or a burst. */
  readonly intervalMs: number;
  /** So many requests at once are always taken. */
  readonly minLimit: number;
}

export const DEFAULT_SHEDDER: ShedderParams = { targetDelayMs: 20, intervalMs: 100, minLimit: 16 };

/** What is left of the limit after an interval that was late, and the growth after one that was not. */
const DECREASE = 0.8;
const INCREASE = 1.1;
/** A limit so many times what is in use limits nothing, and is lifted. */
const SLACK = 4;

/**
 * CoDel's rule for when (the *least* delay of an interval counts, so that a burst is no overload), and additive-increase's
 * cousin for how much: the limit falls by a fifth from what is in use, and grows by a tenth.
 */
export class LoadShedder {
  private readonly params: ShedderParams;
  private limit = Number.POSITIVE_INFINITY;
  private intervalEnd = Number.NaN;
  private leastDelayMs = Number.POSITIVE_INFINITY;
  private mostInflight = 0;

  constructor(params: ShedderParams = DEFAULT_SHEDDER) {
    this.params = params;
  }

  /** Whether one more request is taken beside `inflight` others. */
  admits(inflight: number): boolean {
    return inflight < this.limit;
  }

  /** Requests at once that are taken now; Infinity where nothing is shed. */
  get currentLimit(): number {
    return this.limit;
  }

  /** To be called several times an interval: how late the loop is, and how many requests there are. */
  observe(now: number, loopDelayMs: number, inflight: number): void {
    if (Number.isNaN(this.intervalEnd)) this.intervalEnd = now + this.params.intervalMs;
    this.leastDelayMs = Math.min(this.leastDelayMs, loopDelayMs);
    this.mostInflight = Math.max(this.mostInflight, inflight);
    if (now < this.intervalEnd) return;
    this.adjust();
    this.intervalEnd = now + this.params.intervalMs;
    this.leastDelayMs = Number.POSITIVE_INFINITY;
    this.mostInflight = inflight;
  }

  private adjust(): void {
    const { targetDelayMs, minLimit } = this.params;
    if (this.leastDelayMs > targetDelayMs) {
      this.limit = Math.max(minLimit, Math.floor(Math.min(this.limit, this.mostInflight) * DECREASE));
      return;
    }
    if (this.limit === Number.POSITIVE_INFINITY) return;
    this.limit = Math.ceil(this.limit * INCREASE);
    if (this.limit > SLACK * Math.max(minLimit, this.mostInflight)) this.limit = Number.POSITIVE_INFINITY;
  }
}
