/**
 * The control sessions: one a proxy task. What each gets of the table is the distributor's business; reports come back here.
 * A new subscribe of a task replaces its old stream. The clock is passed in and `tick` is called from outside.
 */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { GivenConfig } from '../../agent-proxy/config/spec.ts';
import type { Report, Subscribe, Upgrade, Want } from '../../agent-proxy/control/contract.ts';
import { judge } from './anti-entropy.ts';
import { BoundScope } from './bound-scope.ts';
import { Course, Distributor, type DistributorFigures } from './distributor.ts';
import type { Feed } from './feed.ts';
import { Fill } from './fills.ts';
import { encodeFrame } from './records.ts';
import { type Lane, type Session, viewOf } from './session.ts';
import { SessionStream } from './session-stream.ts';
import { goneAfterMs, heartbeatMs, reportMs, silentAfterMs } from './session-times.ts';
import type { SessionView } from './session-view.ts';

/** More than there are agents: after a restart of many, some sessions of before are not over yet. */
const MAX_SESSIONS = 12_000;

export type UpgradeOutcome =
  | { readonly kind: 'sent' }
  /** It has no stream now, or its code knows of no upgrades. */
  | { readonly kind: 'not-sent'; readonly reason: string };

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
  /** `bound`: endpoints go where they are used. A proxy that does not know of that gets all. */
  readonly scope?: 'all' | 'bound';
  readonly peerKey: string;
  readonly schedulers: readonly string[];
  /** How many nodes are known. */
  nodes(): number;
  /** What the proxy of an agent is to run; null where that is not known yet. */
  configFor(agentId: string): GivenConfig | null;
  readonly now: () => number;
  readonly hooks: SessionHooks;
}

export class NodeSessions {
  readonly #options: SessionOptions;
  readonly #byTask = new Map<string, Session>();
  /** Nothing is distributed before the first answer of Marathon: an empty table would wipe those of the proxies. */
  readonly #whole: Lane;
  readonly #bound: BoundScope | null;
  /** Sessions without a stream, as the last tick counted them. */
  #away = 0;
  #heartbeat: { readonly revision: number; readonly record: Buffer } | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { feed, now, scope } = options;
    this.#whole = { feed, distributor: new Distributor(feed, now) };
    this.#bound = scope === 'bound' ? new BoundScope(feed, now) : null;
  }

  get size(): number {
    return this.#byTask.size;
  }

  get(taskId: string): SessionView | undefined {
    const session = this.#byTask.get(taskId);
    return session === undefined ? undefined : viewOf(session);
  }

  distribution(): DistributorFigures {
    const whole = this.#whole.distributor.figures();
    if (this.#bound === null) return whole;
    const { snapshots, resumes, waiting } = this.#bound.distributor.figures();
    return {
      snapshots: whole.snapshots + snapshots,
      resumes: whole.resumes + resumes,
      waiting: whole.waiting + waiting,
    };
  }

  /** From now on the feed holds the truth: sessions that wait for it get it. */
  open(): void {
    this.#whole.distributor.open();
    this.#bound?.open();
  }

  /** Takes over the response and streams on it, when accepted. */
  subscribe(request: Subscribe, response: ServerResponse): SubscribeOutcome {
    const { feed, hooks, now } = this.#options;
    if (request.epoch > feed.epoch) return { kind: 'stale-leader' };
    const before = this.#byTask.get(request.taskId);
    if (before === undefined && this.#byTask.size >= MAX_SESSIONS) return { kind: 'full' };

    const bound = request.accepts.includes('bound') ? this.#bound : null;
    const lane = bound ?? this.#whole;

    // Records have their own lengths. Chunks around them would cost two more writes for each, ten thousand times.
    response.removeHeader('transfer-encoding');
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store', connection: 'close' });
    response.flushHeaders();
    const stream: SessionStream = new SessionStream(response, {
      now,
      next: () => this.#nextOf(session),
      closed: () => {
        lane.distributor.remove(course);
        if (fill !== null) bound?.fills.remove(fill);
        if (session.link.kind === 'open') session.link = { kind: 'gone', since: now() };
      },
    });
    const fill = bound === null ? null : new Fill(stream, request.agentId, request.wants ?? [], request.filled ?? []);
    const course = new Course(stream, {
      digest: request.tableDigest ?? null,
      revision: request.epoch === feed.epoch ? Math.min(request.revision, lane.feed.revision) : 0,
      resumes: request.accepts.includes('resume'),
      encoding: request.accepts.includes('gzip') ? 'gzip' : 'plain',
    });
    const session: Session = {
      id: randomUUID(),
      agentId: request.agentId,
      taskId: request.taskId,
      incomingPort: request.ports.incoming,
      hasEdge: before?.hasEdge === true || request.ports.edge !== undefined,
      reportMs: reportMs(this.#expected()),
      configRevision: request.configRevision,
      configRefusal: before?.configRefusal ?? null,
      // What the old stream's proxy said of itself holds until it says something new.
      health: before?.health ?? { kind: 'connecting' },
      running: {
        version: request.version,
        codeSha256: request.codeSha256 ?? null,
        upgrade: before?.running.upgrade ?? null,
      },
      link: { kind: 'open', stream },
      heardAt: now(),
      heartbeatMs: heartbeatMs(this.#expected()),
      beatAt: now(),
      course,
      lane,
      fill,
      behind: null,
      sync: before?.sync ?? {
        revision: request.revision,
        digestOk: null,
        repairs: 0,
        tableAgeMs: null,
        reportedAt: null,
      },
    };
    this.#byTask.set(request.taskId, session);
    if (before?.link.kind === 'open') before.link.stream.end();

    const { epoch } = feed;
    stream.say(
      encodeFrame({
        type: 'hello',
        epoch,
        session: session.id,
        heartbeatMs: session.heartbeatMs,
        reportMs: session.reportMs,
        schedulers: [...this.#options.schedulers],
        peerKey: this.#options.peerKey,
        ...(bound === null ? {} : { scope: 'bound' }),
      }),
    );
    this.#sendConfig(session);
    if (fill !== null) bound?.fills.add(fill);
    lane.distributor.add(course);
    hooks.told(viewOf(session));
    return { kind: 'accepted' };
  }

  /** False when the session is not known (any more): the proxy subscribes again. */
  report(report: Report): boolean {
    const session = this.#openSession(report);
    if (session === null) return false;
    const { hooks, now } = this.#options;
    session.heardAt = now();
    const { version, codeSha256 = null, upgrade = null } = report;
    session.running = { version, codeSha256, upgrade };
    session.configRevision = report.configRevision;
    session.configRefusal = report.configError ?? null;
    session.health = report.ready
      ? { kind: 'ready' }
      : { kind: 'not-ready', reason: report.reason ?? 'The proxy says that it is not ready.' };

    const { course, behind, lane, fill } = session;
    const { feed, distributor } = lane;
    const verdict = judge(feed, { snapshot: course.told, behind }, report, now());
    // What has not gone out yet cannot have been lost: its reader is slow.
    const isSlow = verdict.kind === 'repair' && verdict.why === 'behind' && !distributor.isCaughtUp(course);
    const isRepaired = verdict.kind === 'repair' && !isSlow;
    // What came service by service: a proxy that has it otherwise says at its next subscription what it has.
    const isFilled = fill === null || report.filled === undefined || isRight(fill, report.filled);
    session.behind = verdict.kind === 'repair' ? null : verdict.behind;
    session.sync = {
      revision: report.revision,
      digestOk: report.epoch === feed.epoch && report.digest === feed.digestAt(report.revision) && isFilled,
      repairs: session.sync.repairs + (isRepaired || !isFilled ? 1 : 0),
      tableAgeMs: report.tableAgeMs ?? null,
      reportedAt: now(),
    };
    if (isRepaired) {
      distributor.repair(course);
      hooks.repaired(viewOf(session), verdict.why);
    }
    if (!isFilled) {
      hooks.repaired(viewOf(session), 'digest');
      if (session.link.kind === 'open') session.link.stream.end();
    }
    hooks.reported(report);
    hooks.told(viewOf(session));
    return true;
  }

  /** False when the session is not known (any more): the proxy subscribes again. */
  want(want: Want): boolean {
    const session = this.#openSession(want);
    if (session === null) return false;
    if (session.fill !== null) this.#bound?.fills.want(session.fill, want.services);
    return true;
  }

  /** Its configuration is another one now. A proxy without a stream gets it when it subscribes again. */
  sendConfig(taskId: string | null): void {
    const session = taskId === null ? undefined : this.#byTask.get(taskId);
    if (session !== undefined) this.#sendConfig(session);
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
    session.link.stream.say(encodeFrame({ type: 'upgrade', epoch: this.#options.feed.epoch, ...wanted }));
    return { kind: 'sent' };
  }

  /** Deltas, for everybody who has the table that they build on. */
  broadcast(records: readonly Buffer[]): void {
    this.#whole.distributor.committed(records);
  }

  /** Heartbeats, and the end of what is silent. To be called a few times a second. */
  tick(): void {
    const now = this.#options.now();
    this.#whole.distributor.tick();
    this.#bound?.distributor.tick();
    const patienceMs = goneAfterMs(this.#away, this.#byTask.size);
    const expected = this.#expected();
    this.#away = 0;
    for (const session of this.#byTask.values()) {
      if (session.link.kind === 'open') {
        const { stream } = session.link;
        const silent = now - session.heardAt > silentAfterMs(session.reportMs, expected);
        if (silent || stream.stalled()) stream.drop();
        else if (now - session.beatAt >= session.heartbeatMs) this.#beat(session, stream, now);
      } else if (now - session.link.since >= patienceMs) {
        this.#byTask.delete(session.taskId);
        this.#options.hooks.gone(viewOf(session));
      } else {
        this.#away += 1;
      }
    }
  }

  /** Ends every stream. */
  close(): void {
    for (const session of this.#byTask.values()) if (session.link.kind === 'open') session.link.stream.end();
    this.#byTask.clear();
    this.#whole.distributor.stop();
    this.#bound?.stop();
  }

  #openSession({ taskId, session: id }: Pick<Want, 'taskId' | 'session'>): Session | null {
    const session = this.#byTask.get(taskId);
    return session !== undefined && session.id === id && session.link.kind === 'open' ? session : null;
  }

  /** Endpoints first: where the table loses them because the scope is another one now, they are there already. */
  #nextOf({ lane, fill, course }: Session): Buffer | null {
    const frame = fill === null ? null : (this.#bound?.fills.next(fill) ?? null);
    return frame ?? lane.distributor.next(course);
  }

  #sendConfig({ agentId, link }: Session): void {
    const config = this.#options.configFor(agentId);
    if (config === null || link.kind !== 'open') return;
    const { revision, document } = config;
    const { epoch } = this.#options.feed;
    link.stream.say(encodeFrame({ type: 'config', epoch, configRevision: revision, config: document }));
  }

  #beat(session: Session, stream: SessionStream, now: number): void {
    session.beatAt = now;
    // First what is there, so that the heartbeat says where its proxy must be when it reads it.
    stream.pump();
    const revision = session.lane.distributor.revisionOf(session.course);
    if (session.fill !== null) {
      const { epoch } = this.#options.feed;
      stream.say(encodeFrame({ type: 'heartbeat', epoch, revision, seq: session.fill.seq }));
      return;
    }
    if (this.#heartbeat?.revision !== revision) {
      const { epoch } = this.#options.feed;
      this.#heartbeat = { revision, record: encodeFrame({ type: 'heartbeat', epoch, revision }) };
    }
    stream.say(this.#heartbeat.record);
  }

  /** How many sessions there are, or soon will be. */
  #expected(): number {
    return Math.max(this.#byTask.size, this.#options.nodes());
  }
}

/** Where that cannot be told, because it was too long ago, the next report says it. */
function isRight(fill: Fill, { seq, digest }: NonNullable<Report['filled']>): boolean {
  const expected = fill.digestAt(seq);
  return expected === undefined || expected === digest;
}
