/**
 * One request of a router, from its head to the last byte of its answer: follows the route of its name, makes attempts, passes
 * an answer on or gives one of the proxy's own. What is known of the request stands in `request-facts.ts`.
 */
import type { Refusal } from '../balance/picker.ts';
import type { Route } from '../bind/route.ts';
import type { ReasonCode } from '../control/reason-codes.ts';
import type { BodySink } from '../http1/body-sink.ts';
import type { ClientConnection, ResponseTarget } from '../http1/client-connection.ts';
import { codeOfFault, FAULTS, type Fault } from '../http1/faults.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { ServerConnection } from '../http1/server-connection.ts';
import type { ServerExchange } from '../http1/server-exchange.ts';
import { errorResponse, errorText, ownAnswer } from '../respond/error-response.ts';
import type { Attempt, AttemptFailure } from './attempt.ts';
import { attemptLines } from './attempt-lines.ts';
import { clearedError } from './clear-context.ts';
import { ClientPace } from './client-pace.ts';
import { type Delivery, Dispatching } from './dispatching.ts';
import type { Entrance } from './entrance.ts';
import { explainedRefusal } from './explained-refusal.ts';
import { judgeAnswer } from './judging.ts';
import { relayFor, responseText, switchedText } from './relay.ts';
import type { Relay } from './relayed.ts';
import { RequestBody } from './request-body.ts';
import { mayTryAgain } from './retrying.ts';
import type { RouterRuntime } from './router-runtime.ts';

/** Requests that may wait for one name to be bound. */
const MOST_WAITING = 1_000;

/** What a router does for its requests. */
export interface ExchangeHooks {
  /** The walk from an accepted request to its route, or to a refusal (STACK.ts). */
  walk(exchange: Exchange): void;
  /** Lines that the router adds to an answer, each with its CR LF; usually none. `attempt` is null for an error of its own. */
  annotate(exchange: Exchange, attempt: Attempt | null): string;
  /** What this router knows of a request, as a text for people. */
  diagnostic(exchange: Exchange): string;
  /** Hears of each request when it is over. */
  ended(exchange: Exchange): void;
}

export class Exchange extends Dispatching implements ServerExchange {
  private readonly hooks: ExchangeHooks;
  private relay: Relay | null = null;
  /** Of a client that has not taken what was written for it. */
  private pace: ClientPace | null = null;
  /** Of a tunnel. */
  private clientHasEnded = false;
  private serverHasEnded = false;

  constructor(
    runtime: RouterRuntime,
    hooks: ExchangeHooks,
    connection: ServerConnection,
    head: RequestHead,
    entrance: Entrance,
  ) {
    super(runtime, connection, head, entrance);
    this.hooks = hooks;
  }

  get requestSink(): BodySink {
    this.body ??= new RequestBody(this.runtime.settings.retryBufferBytes);
    return this.body;
  }

  // ---- the walk -------------------------------------------------------------------------------------------------------

  begin(): void {
    this.hooks.walk(this);
  }

  /** Its name has a route. */
  follow(route: Route): void {
    this.route = route;
    this.logical = route.logical;
    this.deadlineAt = this.endOfTime(route, this.startedAt);
    route.taken(this.startedAt);
    if (!route.isPending) this.start(route, this.startedAt);
    else if (route.waiting >= MOST_WAITING)
      this.refuse({ code: 'shed', detail: `${route.waiting} requests wait for ${route.logical}` });
    else {
      this.stopWaiting = route.wait(() => this.start(route, this.runtime.now()));
      this.arm(Math.min(this.startedAt + this.runtime.settings.bindingTimeoutMs, this.deadlineAt));
    }
  }

  /** A peer has bound it and chosen the instance: it goes there or nowhere. */
  deliver(route: Route, delivery: Delivery): void {
    this.delivery = delivery;
    this.follow(route);
  }

  private start(route: Route, now: number): void {
    const { enforced } = this;
    route.budget.deposit(now);
    if (enforced === null || enforced.leftMs > 0) this.next(route, now);
    else {
      const detail = `it passed ${Math.ceil(-enforced.leftMs)} ms before the request came`;
      this.refuse({ code: 'deadline', detail }, false);
    }
  }

  // ---- what the attempt says --------------------------------------------------------------------------------------------

  contextLines(attempt: Attempt): string {
    // Nobody knows yet when our own time for an upload begins.
    const isUpload = this.body?.isComplete === false;
    return attemptLines(this, attempt, isUpload ? this.callersDeadlineAt : this.deadlineAt);
  }

  /** The head, and what there is of the body, was written. */
  sent(): void {
    const { attempt, body } = this;
    if (attempt === null) return;
    this.phase = 'sent';
    if (body === null || body.isComplete) this.awaitAnswer(attempt, attempt.wroteAt);
    else {
      // However long an upload takes, as long as it goes on: the server's `bodyTimeoutMs` watches over that.
      this.arm(this.callersDeadlineAt);
      this.connection.resumeRequest();
    }
  }

  /** From `now` on the instance has all of the request, and the time for its answer runs. */
  private awaitAnswer(attempt: Attempt, now: number): void {
    this.arm(Math.min(now + attempt.branch.client.attemptTimeoutMs, this.deadlineAt));
  }

  informed(head: ResponseHead): void {
    // HTTP/1.0 knows no 1xx, and nobody asked for a 100 where the client did not.
    if (this.head.version === '1.0' || (head.status === 100 && !this.head.expectsContinue)) return;
    if (head.status === 100) this.connection.sendContinue();
    else this.connection.writer.text(responseText(head, null, ''));
    this.connection.writer.flush();
  }

  /** Takes the answer, or null: the next attempt is under way. */
  responded(attempt: Attempt, head: ResponseHead): ResponseTarget | null {
    this.disarm();
    const { route } = this;
    if (route === null) return null;
    const answer = judgeAnswer(attempt, head, route.classifier);
    if (answer.kind === 'peer-refused') {
      this.refusedByPeer(attempt, answer.refusal, answer.failure);
      return null;
    }
    if (head.status === 101 && (this.upgrade === null || head.upgrade !== this.upgrade)) {
      attempt.abandon('failure', 'bad-response');
      this.refuse({ code: 'bad-response', detail: `${attempt.where} switched to what nobody asked for` }, false);
      return null;
    }
    attempt.reason = answer.reason;
    attempt.judge(answer.judgement, answer.judgement === 'success' ? 'success' : 'failure');
    if (answer.judgement === 'retryable-failure' && mayTryAgain(this, 'retryable', attempt)) {
      attempt.end('failure');
      this.proceed('retryable', { code: answer.reason ?? 'app-error', detail: `status ${head.status}` });
      return null;
    }
    return this.pass(attempt, head);
  }

  /** The answer's head goes to the client. From here on nothing is tried again. */
  private pass(attempt: Attempt, head: ResponseHead): ResponseTarget {
    const { connection } = this;
    this.status = head.status;
    this.reason = attempt.reason;
    this.latencyMs = attempt.headAt - this.startedAt;
    this.body?.settle();
    if (head.status === 101) {
      connection.writer.text(switchedText(head));
      return this.openTunnel(attempt);
    }
    this.phase = 'answering';
    const relay = relayFor(this, head, connection);
    this.relay = relay;
    const text = responseText(head, relay.changedLines, relay.lines + this.hooks.annotate(this, attempt));
    this.headBytes = text.length;
    connection.writer.text(text);
    return relay;
  }

  /** What a TRACE gets behind its body, where it asked for it. */
  get diagnostic(): string | null {
    return this.wantsDiagnostic ? this.hooks.diagnostic(this) : null;
  }

  /** The client has not taken all that was written for it: its server should wait. */
  get isResponseFull(): boolean {
    return this.connection.writer.isFull || this.relay?.isFull?.() === true;
  }

  /** Its server waits for the client, for so long. */
  responseHeld(): void {
    if (this.phase !== 'answering') return;
    this.pace = new ClientPace(this.connection.writer);
    this.awaitTaking(this.runtime.now());
  }

  private awaitTaking(now: number): void {
    this.arm(now + (this.entrance.config.nodemesh.bodyTimeoutMs ?? Number.POSITIVE_INFINITY));
  }

  responseEnded(): void {
    const { relay } = this;
    if (this.phase !== 'answering') return;
    if (relay?.end == null) this.complete();
    else relay.end(() => this.complete());
  }

  private complete(): void {
    const { connection, relay, phase } = this;
    if (phase !== 'answering') return;
    connection.writer.flush();
    this.end();
    connection.finish(relay?.keepAlive ?? false);
  }

  attemptFailed(attempt: Attempt, failure: AttemptFailure, detail: string): void {
    if (attempt !== this.attempt || this.phase === 'over') return;
    if (this.isAnswered) {
      if (this.phase === 'tunnel' && this.bothEnded) this.end();
      else this.cut(failure === 'broken' ? 'bad-response' : 'reset');
      return;
    }
    this.unanswered(attempt, failure, detail);
  }

  // ---- tunnels ----------------------------------------------------------------------------------------------------------

  /** CONNECT: the connection is all that was asked for. */
  tunnelOpened(attempt: Attempt, upstream: ClientConnection): void {
    const { connection } = this;
    attempt.headAt = this.runtime.now();
    attempt.judge('success', 'success');
    this.status = 200;
    this.latencyMs = attempt.headAt - this.startedAt;
    connection.writer.text('HTTP/1.1 200 Connection established\r\n\r\n');
    upstream.tunnel(connection.writer);
    this.openTunnel(attempt);
  }

  private openTunnel(attempt: Attempt): ResponseTarget {
    const { connection } = this;
    this.disarm();
    this.phase = 'tunnel';
    this.body = new RequestBody(0);
    this.body.settle();
    if (attempt.upstream !== null) this.body.attach(attempt.upstream.writer);
    connection.writer.flush();
    connection.tunnel();
    return { sink: connection.writer, form: 'framed' };
  }

  // ---- what the client's connection says ----------------------------------------------------------------------------------

  requestPaused(): void {
    const { body } = this;
    if (body === null) return;
    body.flush();
    if (body.isFull && this.phase !== 'over') this.connection.pauseRequest();
  }

  requestEnded(): void {
    if (this.body === null) return;
    this.body.isComplete = true;
    this.body.flush();
    if (this.phase !== 'sent' || this.attempt === null || this.route === null) return;
    const now = this.runtime.now();
    this.deadlineAt = this.endOfTime(this.route, now);
    this.awaitAnswer(this.attempt, now);
  }

  requestBroken(fault: Fault): void {
    this.reason = codeOfFault(fault);
    this.attempt?.abandon('ignored', this.reason);
    if (!this.isAnswered) this.status = FAULTS[fault].status;
    this.end();
  }

  clientDrained(): void {
    if (this.isResponseFull) return;
    if (this.phase === 'answering') this.disarm();
    this.attempt?.upstream?.resumeResponse();
  }

  clientEnded(): void {
    this.clientHasEnded = true;
    this.attempt?.upstream?.endTunnel();
  }

  /** The server of a tunnel has ended its side. */
  serverEnded(): void {
    this.serverHasEnded = true;
    this.connection.endTunnel();
  }

  /** A tunnel of which both sides have ended is over, and nothing of it is missing. */
  private get bothEnded(): boolean {
    return this.clientHasEnded && this.serverHasEnded;
  }

  clientGone(): void {
    if (this.phase === 'over') return;
    this.attempt?.abandon('ignored', 'client-gone');
    if (this.phase !== 'tunnel') this.reason = 'client-gone';
    this.end();
  }

  override timedOut(now: number): void {
    const { attempt, route } = this;
    const isDeadline = now >= this.deadlineAt;
    switch (this.phase) {
      case 'routing': {
        const code = isDeadline && this.isCallersDeadline(now) ? 'deadline' : 'timeout';
        const waited = Math.round(now - this.startedAt);
        this.refuse({ code, detail: `${route?.logical ?? 'its name'} was not bound within ${waited} ms` });
        return;
      }
      case 'backoff':
        if (route !== null) this.next(route, now);
        return;
      case 'connecting':
      case 'sent':
        if (attempt !== null) this.attemptTimedOut(attempt, isDeadline, now);
        return;
      case 'answering':
        if (this.pace?.goesOn() === true) this.awaitTaking(now);
        else this.connection.abort();
        return;
      case 'tunnel':
      case 'over':
      // Not armed.
    }
  }

  // ---- its end ------------------------------------------------------------------------------------------------------------

  /** Answers with an error of the proxy's own. */
  refuse(refusal: Refusal, retryable?: boolean): void {
    if (this.isAnswered) return;
    const { connection } = this;
    // What comes behind a CONNECT that was refused may be bytes for a tunnel, and not the next request.
    const keepAlive = connection.mayKeepAlive && this.head.method !== 'CONNECT';
    const told = errorResponse(explainedRefusal(this, refusal), retryable);
    const answer = this.entrance.config.clearContext ? clearedError(told, refusal) : told;
    this.phase = 'answering';
    this.status = answer.status;
    this.reason = refusal.code;
    this.latencyMs = this.runtime.now() - this.startedAt;
    const lines = this.hooks.annotate(this, null);
    connection.writer.text(errorText(answer, this.head, keepAlive, lines));
    connection.writer.flush();
    this.end();
    connection.finish(keepAlive);
  }

  /** Answers itself, without an error: what was asked of this very proxy (`Max-Forwards: 0`). */
  answer(status: number, lines: string, body: string): void {
    if (this.isAnswered) return;
    const { connection } = this;
    const keepAlive = connection.mayKeepAlive;
    this.phase = 'answering';
    this.status = status;
    this.latencyMs = this.runtime.now() - this.startedAt;
    connection.writer.text(ownAnswer(status, lines, body, keepAlive));
    connection.writer.flush();
    this.end();
    connection.finish(keepAlive);
  }

  /** The answer cannot be completed. */
  private cut(reason: ReasonCode): void {
    this.reason = reason;
    this.end();
    this.connection.abort();
  }

  private end(): void {
    if (this.phase === 'over') return;
    const { route, runtime, attempt, phase } = this;
    // Where the answer has just ended, its attempt has just looked at the clock.
    const seen = phase === 'answering' ? (attempt?.endedAt ?? 0) : 0;
    this.endedAt = seen === 0 ? runtime.now() : seen;
    if (this.status === 0) this.latencyMs = this.endedAt - this.startedAt;
    this.phase = 'over';
    runtime.wheel.forget(this);
    this.stopWaiting?.();
    this.body?.detach();
    this.body?.settle();
    this.release();
    route?.unused();
    this.hooks.ended(this);
  }
}
