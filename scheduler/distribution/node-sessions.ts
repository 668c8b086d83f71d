/**
 * The control sessions: one a proxy task. Each begins with a snapshot, then gets every delta; reports come back on it.
 * A new subscribe of a task replaces its old stream. The clock is passed in and `tick` is called from outside.
 */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Report, Subscribe, Upgrade, UpgradeReport } from '../../agent-proxy/control/contract.ts';
import { type Behind, judge } from './anti-entropy.ts';
import type { Feed } from './feed.ts';
import { encodeFrame } from './records.ts';
import { SessionStream } from './session-stream.ts';

export const HEARTBEAT_MS = 1_000;
/** How long a session survives the end of its stream: a reconnect is not a failure. */
const GONE_AFTER_MS = 3_000;
/** A session whose proxy says nothing for this many report intervals is dead, whatever TCP thinks. */
const SILENT_REPORTS = 5;
const MAX_SESSIONS = 10_000;

export interface SessionView {
  readonly agentId: string;
  readonly taskId: string;
  readonly configRevision: number;
  readonly incomingPort: number;
  readonly health: SessionHealth;
  readonly running: RunningCode;
  /** False while it waits, after the end of its stream, for its proxy to come back. */
  readonly connected: boolean;
}

/** The code of a proxy, as it says itself. */
export interface RunningCode {
  readonly version: string;
  /** Null for a proxy that cannot be upgraded in place. */
  readonly codeSha256: string | null;
  /** How the last upgrade stands; null where none was asked for. */
  readonly upgrade: UpgradeReport | null;
}

export type UpgradeOutcome =
  | { readonly kind: 'sent' }
  /** It has no stream now, or its code knows of no upgrades. */
  | { readonly kind: 'not-sent'; readonly reason: string };

/** `connecting`: subscribed, nothing reported yet. */
export type SessionHealth =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'not-ready'; readonly reason: string };

export type SubscribeOutcome =
  | { readonly kind: 'accepted' }
  /** The proxy has seen a later leader than this one. */
  | { readonly kind: 'stale-leader' }
  | { readonly kind: 'full' };

export interface SessionHooks {
  /** A session opened or its health was told (again). */
  told(session: SessionView): void;
  /** The session is over for good. */
  gone(session: SessionView): void;
  reported(report: Report): void;
  repaired(session: SessionView, why: 'digest' | 'behind' | 'other-table'): void;
}

export interface SessionOptions {
  readonly feed: Feed;
  readonly peerKey: string;
  readonly schedulers: readonly string[];
  readonly config: { readonly revision: number; readonly config: unknown };
  readonly now: () => number;
  readonly hooks: SessionHooks;
}

interface Session {
  readonly id: string;
  readonly agentId: string;
  readonly taskId: string;
  readonly incomingPort: number;
  readonly reportMs: number;
  configRevision: number;
  health: SessionHealth;
  running: RunningCode;
  link: { readonly kind: 'open'; readonly stream: SessionStream } | { readonly kind: 'gone'; readonly since: number };
  heardAt: number;
  snapshot: { readonly revision: number; readonly at: number } | null;
  behind: Behind | null;
}

export class NodeSessions {
  readonly #options: SessionOptions;
  readonly #byTask = new Map<string, Session>();
  /** Nothing is distributed before the first answer of Marathon: an empty table would wipe those of the proxies. */
  #open = false;
  #lastHeartbeat = Number.NEGATIVE_INFINITY;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byTask.size;
  }

  get(taskId: string): SessionView | undefined {
    const session = this.#byTask.get(taskId);
    return session === undefined ? undefined : viewOf(session);
  }

  /** From now on the feed holds the truth: sessions that wait for a snapshot get it. */
  open(): void {
    this.#open = true;
    for (const session of this.#byTask.values()) if (session.snapshot === null) this.#sendSnapshot(session);
  }

  /** Takes over the response and streams on it, when accepted. */
  subscribe(request: Subscribe, response: ServerResponse): SubscribeOutcome {
    const { feed, hooks, now, config } = this.#options;
    if (request.epoch > feed.epoch) return { kind: 'stale-leader' };
    const before = this.#byTask.get(request.taskId);
    if (before === undefined && this.#byTask.size >= MAX_SESSIONS) return { kind: 'full' };

    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.flushHeaders();
    const stream = new SessionStream(response, now, () => {
      if (session.link.kind === 'open' && session.link.stream === stream) session.link = { kind: 'gone', since: now() };
    });
    const session: Session = {
      id: randomUUID(),
      agentId: request.agentId,
      taskId: request.taskId,
      incomingPort: request.ports.incoming,
      reportMs: this.#reportMs(),
      configRevision: request.configRevision,
      // What the old stream's proxy said of itself holds until it says something new.
      health: before?.health ?? { kind: 'connecting' },
      running: {
        version: request.version,
        codeSha256: request.codeSha256 ?? null,
        upgrade: before?.running.upgrade ?? null,
      },
      link: { kind: 'open', stream },
      heardAt: now(),
      snapshot: null,
      behind: null,
    };
    this.#byTask.set(request.taskId, session);
    if (before?.link.kind === 'open') before.link.stream.end();

    const { epoch } = feed;
    stream.send([
      encodeFrame({
        type: 'hello',
        epoch,
        session: session.id,
        heartbeatMs: HEARTBEAT_MS,
        reportMs: session.reportMs,
        schedulers: [...this.#options.schedulers],
        peerKey: this.#options.peerKey,
      }),
      encodeFrame({ type: 'config', epoch, configRevision: config.revision, config: config.config }),
    ]);
    if (this.#open) this.#sendSnapshot(session);
    hooks.told(viewOf(session));
    return { kind: 'accepted' };
  }

  /** False when the session is not known (any more): the proxy subscribes again. */
  report(report: Report): boolean {
    const session = this.#byTask.get(report.taskId);
    if (session === undefined || session.id !== report.session || session.link.kind !== 'open') return false;
    const { feed, hooks, now } = this.#options;
    session.heardAt = now();
    const { version, codeSha256 = null, upgrade = null } = report;
    session.running = { version, codeSha256, upgrade };
    session.configRevision = report.configRevision;
    session.health = report.ready
      ? { kind: 'ready' }
      : { kind: 'not-ready', reason: report.reason ?? 'The proxy says that it is not ready.' };

    const verdict = judge(feed, session, report, now());
    if (verdict.kind === 'repair') {
      this.#sendSnapshot(session);
      hooks.repaired(viewOf(session), verdict.why);
    } else {
      session.behind = verdict.behind;
    }
    hooks.reported(report);
    hooks.told(viewOf(session));
    return true;
  }

  /** Has a proxy change its code; what becomes of it is in its reports. */
  upgrade(taskId: string, wanted: Omit<Upgrade, 'type' | 'epoch'>): UpgradeOutcome {
    const session = this.#byTask.get(taskId);
    if (session?.link.kind !== 'open') return { kind: 'not-sent', reason: 'the proxy has no control stream now' };
    // It would take the frame for a fault.
    if (session.running.codeSha256 === null) {
      const { version } = session.running;
      return { kind: 'not-sent', reason: `version ${version} of the proxy cannot be upgraded in place` };
    }
    session.link.stream.send([encodeFrame({ type: 'upgrade', epoch: this.#options.feed.epoch, ...wanted })]);
    return { kind: 'sent' };
  }

  /** Deltas for everybody who has the table that they build on. */
  broadcast(records: readonly Buffer[]): void {
    if (records.length === 0) return;
    for (const session of this.#byTask.values()) {
      if (session.snapshot !== null && session.link.kind === 'open') session.link.stream.send(records);
    }
  }

  /** Heartbeats, and the end of what is silent. To be called a few times a second. */
  tick(): void {
    const now = this.#options.now();
    const beat = now - this.#lastHeartbeat >= HEARTBEAT_MS ? this.#heartbeat(now) : null;
    for (const session of this.#byTask.values()) {
      if (session.link.kind === 'open') {
        const silent = now - session.heardAt > Math.max(GONE_AFTER_MS, SILENT_REPORTS * session.reportMs);
        if (silent || session.link.stream.stalled()) session.link.stream.drop();
        else if (beat !== null) session.link.stream.send([beat]);
      } else if (now - session.link.since >= GONE_AFTER_MS) {
        this.#byTask.delete(session.taskId);
        this.#options.hooks.gone(viewOf(session));
      }
    }
  }

  /** Ends every stream. */
  close(): void {
    for (const session of this.#byTask.values()) if (session.link.kind === 'open') session.link.stream.end();
    this.#byTask.clear();
  }

  #sendSnapshot(session: Session): void {
    if (session.link.kind !== 'open') return;
    const { feed, now } = this.#options;
    session.snapshot = { revision: feed.revision, at: now() };
    session.behind = null;
    session.link.stream.sendSnapshot(feed.snapshot());
  }

  #heartbeat(now: number): Buffer {
    this.#lastHeartbeat = now;
    const { feed } = this.#options;
    return encodeFrame({ type: 'heartbeat', epoch: feed.epoch, revision: this.#open ? feed.revision : 0 });
  }

  /** A report a second from a small cluster; from a large one 100 a second in all. */
  #reportMs(): number {
    return Math.min(5_000, Math.max(1_000, this.#byTask.size * 10));
  }
}

function viewOf(session: Session): SessionView {
  const { agentId, taskId, configRevision, incomingPort, health, running, link } = session;
  return { agentId, taskId, configRevision, incomingPort, health, running, connected: link.kind === 'open' };
}
