/**
 * Upgrades of the code in place: the archive is fetched and checked, new workers start beside the old ones on the same
 * sockets, the old ones drain. In its first minute new code has to prove itself; where it does not, the code before it takes
 * over in the same way. One upgrade at a time; of those that are asked for meanwhile, the last one counts.
 */
import type { Upgrade, UpgradeReport } from '../control/contract.ts';
import type { Log } from '../telemetry/log.ts';

/** How long new code may be given up for the code before it. */
const PROOF_MS = 60_000;
/** So many workers may die in this time, each being started again. */
const MOST_DEATHS = 1;
/** By then the scheduler has taken a report of the new workers. */
const REACH_MS = 30_000;

export interface Code {
  /** Arguments after process.execPath that run a worker. */
  readonly words: readonly string[];
  /** Null for what the task was started with, until a worker has said it. */
  readonly sha256: string | null;
}

export interface UpgradeHost {
  fetch(wanted: Upgrade): Promise<string>;
  /** New workers of this code take over; rejects where they do not come to serve, and then nothing has changed. */
  replaceBy(code: Code): Promise<void>;
  /** To the worker that serves. */
  tell(upgrade: UpgradeReport): void;
  keepOnly(sha256s: ReadonlySet<string>): Promise<void>;
  readonly log: Log;
}

export interface UpgradeTimes {
  readonly proofMs: number;
  readonly reachMs: number;
}

type Phase =
  | { readonly kind: 'settled' }
  /** It begins with, or gives up, the code `subject`. `next`: asked for meanwhile. */
  | { readonly kind: 'changing'; readonly subject: string; next: Upgrade | null }
  | {
      readonly kind: 'proving';
      readonly fallback: Code;
      readonly proof: NodeJS.Timeout;
      readonly reach: NodeJS.Timeout;
      deaths: number;
    };

export class Upgrades {
  private readonly host: UpgradeHost;
  private readonly times: UpgradeTimes;
  private current: Code;
  private phase: Phase = { kind: 'settled' };
  private last: UpgradeReport | null = null;

  constructor(host: UpgradeHost, startedWith: readonly string[], times = { proofMs: PROOF_MS, reachMs: REACH_MS }) {
    this.host = host;
    this.times = times;
    this.current = { words: startedWith, sha256: null };
  }

  /** What workers run now. */
  get code(): Code {
    return this.current;
  }

  get report(): UpgradeReport | null {
    return this.last;
  }

  /** `running`: of the code of the worker that hands this on. */
  ask(wanted: Upgrade, running: string | null): void {
    if (this.current.sha256 === null) this.current = { ...this.current, sha256: running };
    const { phase } = this;
    if (phase.kind === 'changing') {
      // Asked for again while it is being done: nothing new.
      phase.next = wanted.codeSha256 === phase.subject ? null : wanted;
      return;
    }
    // It has what it wants.
    if (wanted.codeSha256 === this.current.sha256) return;
    // Code that has not proven itself is nothing to go back to.
    const fallback = phase.kind === 'proving' ? phase.fallback : this.current;
    this.enter({ kind: 'changing', subject: wanted.codeSha256, next: null });
    void this.upgrade(wanted, fallback);
  }

  /** A worker died, and is started again. */
  died(): void {
    const { phase } = this;
    if (phase.kind !== 'proving') return;
    phase.deaths += 1;
    if (phase.deaths > MOST_DEATHS) this.giveUp(phase.fallback, `its workers died ${phase.deaths} times in a minute`);
  }

  /** The worker that leads serves, and the scheduler knows it. */
  reached(): void {
    if (this.phase.kind === 'proving') clearTimeout(this.phase.reach);
  }

  /** Nothing begins any more. */
  stop(): void {
    this.enter({ kind: 'settled' });
  }

  /** Never rejects: what goes wrong is the report. */
  private async upgrade(wanted: Upgrade, fallback: Code): Promise<void> {
    const { codeSha256 } = wanted;
    const { phase } = this;
    const isOver = (): boolean => this.phase !== phase;
    try {
      this.say({ state: 'fetching', codeSha256, reason: null });
      const file = await this.host.fetch(wanted);
      if (isOver()) return;
      this.say({ state: 'starting', codeSha256, reason: null });
      await this.take({ words: [file, '--worker'], sha256: codeSha256 });
    } catch (error) {
      if (isOver()) return;
      this.failed(codeSha256, error instanceof Error ? error.message : String(error));
      this.settle();
      return;
    }
    if (isOver()) return;
    const { proofMs, reachMs } = this.times;
    const next = this.next;
    this.enter({
      kind: 'proving',
      fallback,
      proof: setTimeout(() => this.proven(codeSha256), proofMs),
      reach: setTimeout(() => this.giveUp(fallback, `no scheduler took its report within ${reachMs} ms`), reachMs),
      deaths: 0,
    });
    this.say({ state: 'proving', codeSha256, reason: null });
    this.clear(fallback);
    if (next !== null) this.ask(next, null);
  }

  private proven(codeSha256: string): void {
    this.enter({ kind: 'settled' });
    this.say({ state: 'done', codeSha256, reason: null });
  }

  /** Back to the code before. Where that does not start either, what is there goes on being started again. */
  private giveUp(fallback: Code, why: string): void {
    const { sha256 } = this.current;
    if (sha256 === null) return;
    this.enter({ kind: 'changing', subject: sha256, next: null });
    const { phase } = this;
    this.failed(sha256, why);
    this.take(fallback)
      .catch((error: unknown) => {
        const and = error instanceof Error ? error.message : String(error);
        this.failed(sha256, `${why}; and the code before it cannot take over: ${and}`);
      })
      .finally(() => {
        if (this.phase === phase) this.settle();
      })
      // Neither logging nor telling throws.
      .catch(() => undefined);
  }

  private async take(code: Code): Promise<void> {
    await this.host.replaceBy(code);
    this.current = code;
  }

  private settle(): void {
    const { next } = this;
    this.enter({ kind: 'settled' });
    this.clear(this.current);
    if (next !== null) this.ask(next, null);
  }

  private get next(): Upgrade | null {
    return this.phase.kind === 'changing' ? this.phase.next : null;
  }

  /** On disk stays what runs and what it would go back to. */
  private clear(fallback: Code): void {
    const kept = new Set([this.current.sha256, fallback.sha256].filter((sha256) => sha256 !== null));
    this.host.keepOnly(kept).catch((error: unknown) => {
      this.host.log.warn('old code is not removed', { why: error instanceof Error ? error.message : String(error) });
    });
  }

  private failed(codeSha256: string, reason: string): void {
    this.host.log.warn('upgrade failed', { codeSha256, reason });
    this.say({ state: 'failed', codeSha256, reason });
  }

  private say(report: UpgradeReport): void {
    this.last = report;
    if (report.state !== 'failed') this.host.log.info(`upgrade ${report.state}`, { codeSha256: report.codeSha256 });
    this.host.tell(report);
  }

  private enter(phase: Phase): void {
    if (this.phase.kind === 'proving') {
      clearTimeout(this.phase.proof);
      clearTimeout(this.phase.reach);
    }
    this.phase = phase;
  }
}
