/**
 * What is known of a request: what came, what the walk found out of it, what has become of it. Metrics, traces and the access
 * log read this when the request is over.
 */

import type { Branch, Route } from '../bind/route.ts';
import type { ReasonCode } from '../control/reason-codes.ts';
import type { Stickiness } from '../edge/stickiness.ts';
import { cameByProxy } from '../http1/forwarded-fields.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ServerConnection } from '../http1/server-connection.ts';
import { Timed } from '../timing/timer-wheel.ts';
import { TraceContext } from '../tracing/context.ts';
import type { Attempt } from './attempt.ts';
import type { ReceivedDeadline } from './context-lines.ts';
import type { Entrance } from './entrance.ts';
import type { RequestBody } from './request-body.ts';
import type { RouterRuntime } from './router-runtime.ts';

export abstract class RequestFacts extends Timed {
  readonly runtime: RouterRuntime;
  readonly connection: ServerConnection;
  readonly head: RequestHead;
  readonly entrance: Entrance;
  readonly startedAt: number;

  // What the walk finds out (STACK.ts).
  route: Route | null = null;
  /** The logical name, for people; null where none was found. */
  logical: string | null = null;
  /** What the name was bound to, for the last attempt. */
  branch: Branch | null = null;
  /** What upstream is asked for: the request's target, less what an identifier has taken off. */
  target: string;
  /** The header lines that go on, each with its CR LF; null where they are those of the head. */
  changedLines: string | null = null;
  /** Whether its client is to keep its instance; null where it is not. */
  stickiness: Stickiness | null = null;
  /** The request's own dtab, as it is passed on; null where it has none. */
  localDtab: string | null = null;
  deadline: ReceivedDeadline | null = null;
  /** The answer goes to a proxy of ours, which wants to know how the instance does. */
  answersPeer = false;
  /** What it may upgrade to, in lower case. */
  upgrade: string | null = null;
  isConnect = false;
  readonly context = new TraceContext();
  /** Formats of trace headers that are ours to write. */
  traceFormats = 0;
  /** The caller asked for `l5d-debug`, and may. */
  wantsDebug = false;
  /** A TRACE that asks each proxy to add what it knows. */
  wantsDiagnostic = false;

  // What has become of it.
  body: RequestBody | null = null;
  attempt: Attempt | null = null;
  /** Those before, in order. */
  past: Attempt[] | null = null;
  retries = 0;
  previousBackoffMs = 0;
  /** 0 while there is no answer. */
  status = 0;
  reason: ReasonCode | null = null;
  /** Until the head of the answer; until the end where there was none. */
  latencyMs = 0;
  /** When it was over, milliseconds; 0 until then. */
  endedAt = 0;
  protected headBytes = 0;
  private readonly bytesBefore: number;
  private hasPermit = false;

  constructor(runtime: RouterRuntime, connection: ServerConnection, head: RequestHead, entrance: Entrance) {
    super();
    this.runtime = runtime;
    this.connection = connection;
    this.head = head;
    this.entrance = entrance;
    this.target = head.target;
    this.startedAt = runtime.now();
    this.bytesBefore = connection.writer.written;
    entrance.scope.pending += 1;
  }

  /** The header lines that go on. */
  get kept(): string {
    return this.changedLines ?? this.head.kept;
  }

  get success(): boolean {
    return this.reason === null;
  }

  /** No proxy that it met before this one sends it again. Whoever may say nothing of a request's context does not say that. */
  get isFirstHop(): boolean {
    const { entrance, head, runtime } = this;
    return !runtime.settings.looksForEarlierProxy || entrance.config.clearContext || !cameByProxy(head.via);
  }

  /** The caller's deadline, where it counts here. */
  get enforced(): ReceivedDeadline | null {
    const { deadline, runtime } = this;
    return deadline !== null && runtime.settings.enforcesDeadlines && !deadline.isSkewed ? deadline : null;
  }

  /**
   * When it has to be over, milliseconds: by our own timeouts, or by the caller's deadline where that is earlier. Our own run
   * from `since`, when all of the request was there.
   */
  protected endOfTime(route: Route, since: number): number {
    return Math.min(since + this.ownTimeout(route), this.callersDeadlineAt);
  }

  /** Infinity where the caller has none that counts here. */
  protected get callersDeadlineAt(): number {
    return this.startedAt + (this.enforced?.leftMs ?? Number.POSITIVE_INFINITY);
  }

  /** What has limited its time is what the caller said. */
  protected isCallersDeadline(now: number): boolean {
    return now >= this.callersDeadlineAt;
  }

  private ownTimeout(route: Route): number {
    return Math.min(route.totalTimeoutMs, this.entrance.timeoutMs);
  }

  /** Bytes that were written to the client, the head of the answer among them. */
  get bytesSent(): number {
    return this.connection.writer.written - this.bytesBefore;
  }

  /** Those of the body, with its framing. */
  get bodyBytesSent(): number {
    return Math.max(0, this.bytesSent - this.headBytes);
  }

  /** Counts for its server's `maxConcurrentRequests` from now on; false where they are all taken. */
  takePermit(): boolean {
    this.hasPermit = this.entrance.concurrency.tryAcquire();
    return this.hasPermit;
  }

  /** It counts for its server no longer. */
  protected release(): void {
    this.entrance.scope.pending -= 1;
    if (this.hasPermit) this.entrance.concurrency.release();
  }
}
