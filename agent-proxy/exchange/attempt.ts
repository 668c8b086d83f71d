/**
 * One attempt to have a request answered: at one instance, by the peer proxy of its node or straight. It ends in exactly one
 * of an answer that the exchange takes, or a failure that says what is known of it.
 */
import type { Outcome } from '../balance/instance.ts';
import type { Branch } from '../bind/route.ts';
import type { ReasonCode } from '../control/reason-codes.ts';
import { parsePeerHealth } from '../endpoint/peer-health.ts';
import type { PeerPath } from '../endpoint/peers.ts';
import type { ConnectionListener, Pool, PoolUser } from '../endpoint/pool.ts';
import type { Target } from '../endpoint/target.ts';
import type { ClientConnection, ResponseTarget, Unconnected } from '../http1/client-connection.ts';
import { FIELD } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { type ResponseHead, responseValue } from '../http1/response-head.ts';
import type { ServerConnection } from '../http1/server-connection.ts';
import type { Judgement } from '../resilience/classifier.ts';
import { TraceContext } from '../tracing/context.ts';
import { DiscardedResponse } from './discarded-response.ts';
import type { RequestBody } from './request-body.ts';
import { namesOfPeer, peerLines, requestText } from './request-text.ts';
import type { RouterRuntime } from './router-runtime.ts';

/**
 * - `unconnected`: nothing was sent; by the peer it says nothing of the instance.
 * - `crowded`: all connections that there may be are in use; nothing was sent.
 * - `unanswered`: the connection ended without a byte of a response; `reused`: it may have been an old one.
 * - `broken`: a response began that cannot be understood, or ended in the midst of its head.
 * - `cut`: the connection ended in the midst of the body of a response.
 */
export type AttemptFailure = 'unconnected' | 'crowded' | 'unanswered' | 'reused' | 'broken' | 'cut';

/** What an attempt that failed so is called where it is told. */
export const CODE_OF: Readonly<Record<AttemptFailure, ReasonCode>> = {
  unconnected: 'refused',
  crowded: 'shed',
  unanswered: 'reset',
  reused: 'reset',
  broken: 'bad-response',
  cut: 'bad-response',
};

/** How long the rest of a response that nobody wants may take, milliseconds. */
const DISCARDING_MS = 2_000;

/** The request that an attempt is made for. */
export interface AttemptOwner {
  readonly runtime: RouterRuntime;
  readonly connection: ServerConnection;
  readonly head: RequestHead;
  /** What upstream is asked for. */
  readonly target: string;
  readonly upgrade: string | null;
  readonly isConnect: boolean;
  readonly answersPeer: boolean;
  readonly body: RequestBody | null;
  readonly startedAt: number;
  /** Attempts before this one; null for none. */
  readonly past: readonly Attempt[] | null;
  /** The header lines that go on; null where they are those of the head. */
  readonly changedLines: string | null;
  /** The client has not taken all that was written for it. */
  readonly isResponseFull: boolean;
  /** The lines of context for one attempt. */
  contextLines(attempt: Attempt): string;
  /** The head, and what there is of the body, was written. */
  sent(): void;
  tunnelOpened(attempt: Attempt, upstream: ClientConnection): void;
  /** The server of a tunnel has ended its side. */
  serverEnded(): void;
  informed(head: ResponseHead): void;
  /** Where the answer goes, or null: it is not wanted, and another attempt is made or an answer was given. */
  responded(attempt: Attempt, head: ResponseHead): ResponseTarget | null;
  /** Its server waits until the client has taken what was written for it. */
  responseHeld(): void;
  responseEnded(): void;
  attemptFailed(attempt: Attempt, failure: AttemptFailure, detail: string): void;
}

export class Attempt implements PoolUser {
  readonly exchange: AttemptOwner;
  readonly branch: Branch;
  readonly instance: Target;
  /** The way by the peer, or null where it goes straight. */
  readonly path: PeerPath | null;
  readonly startedAt: number;
  /** Of the client's span. */
  readonly context = new TraceContext();
  wroteAt = 0;
  headAt = 0;
  endedAt = 0;
  status = 0;
  reason: ReasonCode | null = null;
  judgement: Judgement = 'failure';
  upstream: ClientConnection | null = null;
  /** Its figures are left to who records the request: they may be the same. */
  isToldWithRequest = false;
  private pool: Pool | null = null;
  private isJudged = false;
  private isOver = false;

  constructor(exchange: AttemptOwner, branch: Branch, instance: Target, path: PeerPath | null, now: number) {
    this.exchange = exchange;
    this.branch = branch;
    this.instance = instance;
    this.path = path;
    this.startedAt = now;
  }

  get method(): string {
    return this.exchange.head.method;
  }

  get toPeer(): boolean {
    return this.exchange.answersPeer;
  }

  get connections(): ConnectionListener {
    return this.branch.client;
  }

  get isSent(): boolean {
    const { body } = this.exchange;
    return body === null || body.isComplete;
  }

  /** Until the head of its answer; until its end where there was none. */
  get latencyMs(): number {
    return (this.headAt === 0 ? this.endedAt : this.headAt) - this.startedAt;
  }

  get isConnected(): boolean {
    return this.upstream !== null;
  }

  /** Where it went: for logs and people. */
  get where(): string {
    const { endpoint } = this.instance;
    return this.path === null ? `${endpoint.address}:${endpoint.port}` : `${this.path.address}:${this.path.port}`;
  }

  begin(): void {
    this.instance.begin(this.startedAt);
    this.branch.pair.began();
    this.pool = this.path === null ? this.instance.pool : this.path.pool;
    this.pool.acquire(this);
  }

  /** The exchange gives it up: because the client went away, or for lack of time. The instance is judged by `outcome`. */
  abandon(outcome: Outcome, reason: ReasonCode): void {
    if (this.isOver) return;
    const { upstream } = this;
    this.because(reason);
    if (upstream === null) this.pool?.cancel(this);
    else upstream.destroy();
    this.end(outcome);
  }

  /** There was no connection within `ms` milliseconds. */
  timedOutConnecting(ms: number): void {
    // That all connections were in use says nothing of whether the instance takes any.
    if (this.pool?.cancel(this) === 'waited')
      this.unconnected('crowded', `${this.where}: no connection was free for ${ms} ms`);
    else this.unconnected('refused', `${this.where}: no connection was accepted within ${ms} ms`);
  }

  /** It takes no connections: who tried to make one says so, or the proxy of its node. */
  refused(): void {
    if (this.isOver) return;
    this.because('refused');
    const now = this.finish();
    this.instance.connectFailed(now, now - this.startedAt);
  }

  // ---- what the pool and the connection say ---------------------------------------------------------------------------

  connected(connection: ClientConnection): void {
    const { exchange } = this;
    this.upstream = connection;
    // A connection that was there already was had at once.
    this.wroteAt = connection.uses > 1 ? this.startedAt : exchange.runtime.now();
    const { writer } = connection;
    if (exchange.isConnect) {
      exchange.tunnelOpened(this, connection);
      return;
    }
    const lines = this.nameLines() + exchange.contextLines(this) + this.peerLines();
    writer.text(requestText(exchange, lines));
    exchange.body?.attach(writer);
    writer.flush();
    exchange.sent();
  }

  unconnected(why: Unconnected, detail: string): void {
    if (this.isOver) return;
    const { exchange, path } = this;
    const failure = why === 'crowded' ? 'crowded' : 'unconnected';
    if (failure === 'crowded' || path !== null) this.end('ignored', CODE_OF[failure]);
    else {
      this.branch.client.scope.connectFailures += 1;
      this.refused();
    }
    exchange.attemptFailed(this, failure, detail);
  }

  informed(head: ResponseHead): void {
    this.exchange.informed(head);
    // There is no end to how many of these a server may send.
    this.responsePaused();
  }

  responded(head: ResponseHead): ResponseTarget {
    const { exchange, instance, path, upstream } = this;
    this.headAt = exchange.runtime.now();
    this.status = head.status;
    if (path !== null) {
      path.succeeded();
      instance.report(parsePeerHealth(responseValue(head, FIELD.peerHealth)));
    }
    const target = exchange.responded(this, head);
    if (target !== null) return target;
    // The exchange tries elsewhere: what comes of this response is nobody's.
    const discarded = new DiscardedResponse(upstream as ClientConnection, this.method, this.isSent);
    upstream?.handOver(discarded);
    if (upstream !== null) exchange.runtime.wheel.arm(upstream, this.headAt + DISCARDING_MS);
    return discarded.responded();
  }

  responsePaused(): void {
    const { exchange } = this;
    exchange.connection.writer.flush();
    if (!exchange.isResponseFull) return;
    this.upstream?.pauseResponse();
    exchange.responseHeld();
  }

  responseEnded(): void {
    this.end('success');
    this.exchange.responseEnded();
  }

  responseBroken(kind: 'reset' | 'bad-response', detail: string, any: boolean): void {
    if (this.isOver) return;
    const { upstream, exchange, path } = this;
    const wasReused = upstream !== null && upstream.uses > 1;
    const failure = failureOf(kind, this.headAt > 0, any, wasReused);
    // An old connection may be closed by its owner at any time; and a peer's reset says nothing of the instance.
    const saysNothing = failure === 'reused' || (failure === 'unanswered' && path !== null);
    this.end(saysNothing ? 'ignored' : 'failure', CODE_OF[failure]);
    exchange.attemptFailed(this, failure, detail);
  }

  serverDrained(): void {
    this.exchange.connection.resumeRequest();
  }

  serverEnded(): void {
    this.exchange.serverEnded();
  }

  // ---- its end --------------------------------------------------------------------------------------------------------

  /** Judges it once, when its response begins: what follows is only the body. */
  judge(judgement: Judgement, outcome: Outcome): void {
    this.judgement = judgement;
    this.isJudged = true;
    const { now } = this.exchange.runtime;
    const at = this.headAt === 0 ? now() : this.headAt;
    this.instance.judged(at, at - this.startedAt, outcome);
  }

  /** It counts for its instance no longer; where it was not judged yet it is by `outcome`, and failed for `reason`. */
  end(outcome: Outcome, reason: ReasonCode | null = null): void {
    if (this.isOver) return;
    if (reason !== null) this.because(reason);
    const now = this.finish();
    if (this.isJudged) this.instance.release(now);
    else this.instance.end(now, now - this.startedAt, outcome);
  }

  /** Before it is recorded: its client counts failures by their reasons. What was judged has the judge's reason, if any. */
  private because(reason: ReasonCode): void {
    if (!this.isJudged) this.reason ??= reason;
  }

  /** Returns the time. */
  private finish(): number {
    this.isOver = true;
    const { exchange, branch, status, judgement, isJudged } = this;
    const now = exchange.runtime.now();
    this.endedAt = now;
    const isSuccess = isJudged && judgement === 'success';
    const { client, pair } = branch;
    this.isToldWithRequest = isSuccess && exchange.past === null && exchange.startedAt === this.startedAt;
    if (!this.isToldWithRequest) pair.attempted(status, isSuccess, this.latencyMs, now);
    if (this.reason !== null) client.scope.failed(this.reason);
    if (isSuccess) client.requeueBudget.deposit(now);
    return now;
  }

  /** What its name was bound to; where a peer has bound it, in that peer's words. */
  private nameLines(): string {
    const { exchange, branch } = this;
    return (exchange.answersPeer ? namesOfPeer(exchange.head) : null) ?? branch.lines;
  }

  private peerLines(): string {
    if (this.path === null) return '';
    const key = this.exchange.runtime.peerKey();
    if (key === null) return '';
    return peerLines(key, this.branch.client.id, this.instance.endpoint.instance);
  }
}

function failureOf(kind: 'reset' | 'bad-response', hasHead: boolean, any: boolean, wasReused: boolean): AttemptFailure {
  if (kind === 'bad-response') return 'broken';
  if (hasHead) return 'cut';
  if (any) return 'broken';
  return wasReused ? 'reused' : 'unanswered';
}
