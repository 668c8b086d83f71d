/**
 * What came of a namer's polls. What was known before stays in use when they fail, so that nothing but this tells that it
 * grows old: `/namer_state`, and a warning once it is more than an accident.
 */

/** Failures in a row. One or two come with every change of Marathon's leader, and with each app that is deleted. */
const FAILURES_TO_WARN = 3;
/** However many polls fail and answer again in turn. */
const WARN_EVERY_MS = 60_000;

export interface PollReportsOptions {
  /** Who polls, for people. */
  readonly name: string;
  /** Unix time, milliseconds. */
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

/** Those of one namer: when Marathon is away all of them fail, and one warning is enough. */
export class PollReports {
  private readonly options: PollReportsOptions;
  private readonly failing = new Set<PollReport>();
  private warnedAt = Number.NEGATIVE_INFINITY;
  private isTold = false;

  constructor(options: PollReportsOptions) {
    this.options = options;
  }

  report(): PollReport {
    return new PollReport(this.options.now, this);
  }

  failed(report: PollReport): void {
    const { name, now, warn } = this.options;
    this.failing.add(report);
    if (this.isTold || now() - this.warnedAt < WARN_EVERY_MS) return;
    this.isTold = true;
    this.warnedAt = now();
    warn(`${name}: ${report.failure}; what was known before is used until there is an answer`);
  }

  /** It fails no longer, or nobody polls it any more. */
  mended(report: PollReport): void {
    if (!this.failing.delete(report) || this.failing.size > 0 || !this.isTold) return;
    this.isTold = false;
    this.options.warn(`${this.options.name}: there are answers again`);
  }
}

/** The polls of one document. */
export class PollReport {
  /** Why the last poll brought nothing; null when it did, or there was none. */
  failure: string | null = null;
  private readonly now: () => number;
  private readonly all: PollReports;
  private askedAt: number | null = null;
  private answeredAt: number | null = null;
  private failures = 0;

  constructor(now: () => number, all: PollReports) {
    this.now = now;
    this.all = all;
  }

  /** Asks, and keeps what came of it. Null is an answer that cannot be read. */
  async of<T>(signal: AbortSignal, ask: () => Promise<T | null>): Promise<T | null> {
    this.askedAt = this.now();
    try {
      const answer = await ask();
      if (!signal.aborted) this.ended(answer === null ? 'an answer of another shape' : null);
      return answer;
    } catch (error) {
      if (!signal.aborted) this.ended(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  /** Nobody polls any more. */
  close(): void {
    this.all.mended(this);
  }

  describe(): Readonly<Record<string, string | number | null>> {
    const { askedAt, answeredAt, failures, failure } = this;
    return { askedAt: timeOf(askedAt), answeredAt: timeOf(answeredAt), failures, failure };
  }

  private ended(failure: string | null): void {
    this.failure = failure;
    if (failure === null) {
      this.answeredAt = this.now();
      this.failures = 0;
      this.all.mended(this);
      return;
    }
    this.failures += 1;
    if (this.failures >= FAILURES_TO_WARN) this.all.failed(this);
  }
}

function timeOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
