/**
 * A scheduler may come back on another host and port, and its proxies know only where it was: so it tells every known
 * proxy where it is, and again, ever more rarely, each one that has no session.
 */
import { Agent, request } from 'undici';
import type { Announce } from '../../agent-proxy/control/contract.ts';
import { CONTROL_ANNOUNCE_PATH } from '../../agent-proxy/control/wire-words.ts';

export interface AnnounceTarget {
  readonly taskId: string;
  readonly ip: string;
  readonly adminPort: number;
}

export interface AnnouncerOptions {
  readonly announce: Announce;
  /** What proves to this proxy that the body is its scheduler's, as `Authorization`; null for nothing. */
  authorization(target: AnnounceTarget, body: string): string | null;
  /** Proxies that should have a session and have none. */
  targets(): readonly AnnounceTarget[];
  /** A proxy has seen a later leader. */
  staleLeader(taskId: string): void;
  readonly times?: AnnouncerTimes;
}

export interface AnnouncerTimes {
  readonly tickMs: number;
  readonly timeoutMs: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
}

export const ANNOUNCER_TIMES: AnnouncerTimes = { tickMs: 100, timeoutMs: 2_000, firstRetryMs: 250, maxRetryMs: 10_000 };

const CONCURRENCY = 16;
/** Looking for who is due may take this part of the time: when all proxies have gone, thousands are looked at. */
const SHARE = 0.02;

interface Attempt {
  readonly failures: number;
  readonly nextAt: number;
}

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #times: AnnouncerTimes;
  readonly #agent: Agent;
  readonly #underWay = new Map<string, Promise<void>>();
  #attempts = new Map<string, Attempt>();
  #timer: NodeJS.Timeout | undefined;
  #restUntil = 0;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#times = options.times ?? ANNOUNCER_TIMES;
    const { timeoutMs } = this.#times;
    this.#agent = new Agent({
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      pipelining: 0,
    });
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), this.#times.tickMs);
    this.#tick();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#agent.destroy();
    await Promise.all(this.#underWay.values());
  }

  #tick(): void {
    const startedAt = performance.now();
    if (startedAt < this.#restUntil) return;
    this.#look(Date.now());
    const endedAt = performance.now();
    this.#restUntil = endedAt + (endedAt - startedAt) / SHARE - this.#times.tickMs;
  }

  #look(now: number): void {
    const kept = new Map<string, Attempt>();
    const due: { target: AnnounceTarget; attempt: Attempt }[] = [];
    for (const target of this.#options.targets()) {
      const attempt = this.#attempts.get(target.taskId) ?? { failures: 0, nextAt: now };
      kept.set(target.taskId, attempt);
      if (attempt.nextAt <= now && !this.#underWay.has(target.taskId)) due.push({ target, attempt });
    }
    this.#attempts = kept;
    // Who has waited longest goes first: silent targets must not take every turn from those behind them.
    due.sort((a, b) => a.attempt.nextAt - b.attempt.nextAt);
    for (const { target, attempt } of due.slice(0, Math.max(0, CONCURRENCY - this.#underWay.size))) {
      const delay = Math.min(this.#times.maxRetryMs, this.#times.firstRetryMs * 2 ** attempt.failures);
      kept.set(target.taskId, { failures: attempt.failures + 1, nextAt: now + delay * (0.75 + Math.random() / 2) });
      const sending = this.#send(target).finally(() => this.#underWay.delete(target.taskId));
      this.#underWay.set(target.taskId, sending);
    }
  }

  async #send(target: AnnounceTarget): Promise<void> {
    const host = target.ip.includes(':') ? `[${target.ip}]` : target.ip;
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    const body = JSON.stringify(this.#options.announce);
    const authorization = this.#options.authorization(target, body);
    if (authorization !== null) headers.authorization = authorization;
    try {
      const response = await request(`http://${host}:${target.adminPort}${CONTROL_ANNOUNCE_PATH}`, {
        method: 'POST',
        headers,
        body,
        dispatcher: this.#agent,
      });
      await response.body.dump();
      if (response.statusCode === 409) this.#options.staleLeader(target.taskId);
    } catch {
      // Not there yet, or gone: the next attempt is planned, and whether it has a session says the rest.
    }
  }
}
