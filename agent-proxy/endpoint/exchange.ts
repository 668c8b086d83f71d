/**
 * The exchange of one request with an instance: chooses it, sends the request by the peer proxy or straight, passes the
 * answer on, and, at the first proxy that a request meets, tries another instance where that does no harm.
 */
import type { IncomingMessage } from 'node:http';
import type { Binding } from '../balance/bindings.ts';
import type { Instance } from '../balance/instance.ts';
import { directHop, type Hop, type PeerPaths } from '../balance/peer-paths.ts';
import type { Pick, Refusal } from '../balance/picker.ts';
import { PEER_HEALTH_HEADER, RETRYABLE_HEADER } from '../control/contract.ts';
import { REASONS } from '../control/reason-codes.ts';
import type { Attempt, AttemptFailure, AttemptListener, ClientPool } from '../http1/client.ts';
import { forwardedRequest, forwardedResponse } from '../http1/headers.ts';
import { headerOf, type ResponseHead } from '../http1/message.ts';
import { type Failure, isIdempotent, MAX_RETRIES, mayRetry } from '../resilience/retries.ts';
import { detailOf, reasonOf } from '../respond/error-response.ts';
import type { Call } from './call.ts';
import { parsePeerHealth } from './peer-health.ts';

/** What all exchanges of a router share. */
export interface ExchangeContext {
  readonly now: () => number;
  readonly random: () => number;
  readonly requestId: () => string;
  /** The ways to instances; null where every instance is gone to straight. */
  readonly paths: PeerPaths | null;
  readonly pools: { readonly peer: ClientPool; readonly direct: ClientPool };
  readonly peerKey: () => string | null;
  /** `any` at the first proxy that a request meets; `unsent` where only what was never written may be sent again. */
  readonly retries: 'any' | 'unsent';
  /** Requests on their way to one instance: one that hangs cannot take all connections to the proxy of its node. */
  readonly maxInflight: number;
  readonly attemptTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly figures: ExchangeFigures;
}

export interface ExchangeFigures {
  /** Requests that went straight to an instance of another node because its proxy was not ready. */
  direct: number;
  /** Attempts to reach a peer proxy that failed before a byte was written. */
  peerUnreachable: number;
}

/** Chooses an instance that is not among those that were tried. */
export type ChooseInstance = (tried: readonly Instance[], now: number) => Pick;

/** Headers that the incoming router puts on its answers. */
export type Annotate = (headers: string[]) => void;

export class Exchange implements AttemptListener {
  private readonly context: ExchangeContext;
  private readonly call: Call;
  private readonly binding: Binding;
  private readonly pick: ChooseInstance;
  private readonly toPeer: boolean;
  private readonly annotate: Annotate | null;
  private readonly tried: Instance[] = [];
  private instance: Instance | null = null;
  private hop: Hop | null = null;
  private attempt: Attempt | null = null;
  private attemptStartedAt = 0;

  /**
   * `pick` chooses instances; `toPeer` says that the answer goes to a proxy of ours, and `annotate` adds to its headers.
   */
  constructor(
    context: ExchangeContext,
    call: Call,
    binding: Binding,
    pick: ChooseInstance,
    answer: { readonly toPeer: boolean; readonly annotate: Annotate | null },
  ) {
    this.context = context;
    this.call = call;
    this.binding = binding;
    this.pick = pick;
    this.toPeer = answer.toPeer;
    this.annotate = answer.annotate;
  }

  begin(): void {
    this.binding.budget.deposit(this.context.now());
    this.call.downstream.onGone = () => this.abandoned();
    const pick = this.next('unsent');
    if (pick.kind === 'instance') this.dispatch(pick.instance);
    else this.refuse(pick.refusal, undefined);
  }

  /** Balance: an instance that this request has not tried. */
  private next(failure: Failure): Pick {
    const now = this.context.now();
    const pick = this.pick(this.tried, now);
    // A connection that died may have been an old one: the only instance that there is gets a second chance.
    return pick.kind === 'none' && failure === 'unanswered' ? this.pick([], now) : pick;
  }

  private dispatch(instance: Instance): void {
    const { paths, figures, now, maxInflight } = this.context;
    this.instance = instance;
    this.call.instance = instance;
    this.tried.push(instance);
    if (instance.inflight >= maxInflight) {
      const detail = `${instance.endpoint.instance} has ${instance.inflight} requests on their way`;
      this.again('unsent', { code: 'shed', detail });
      return;
    }
    const hop = paths?.hopTo(instance.endpoint, now()) ?? directHop(instance.endpoint);
    if (hop.via === 'direct' && paths !== null) figures.direct += 1;
    this.send(instance, hop);
  }

  private send(instance: Instance, hop: Hop): void {
    const { context, call, binding } = this;
    const now = context.now();
    const key = hop.via === 'peer' ? context.peerKey() : null;
    this.hop = hop;
    this.attemptStartedAt = now;
    call.upstream = `${instance.endpoint.instance}@${hop.address}:${hop.port}`;
    if (instance.chosen(now, context.random())) binding.clientScope.accrual.probes += 1;
    binding.clientScope.recorder.pending += 1;
    const { downstream } = call;
    const headers = forwardedRequest(downstream.head.headers, downstream.framing, {
      host: downstream.head.host ?? '',
      service: binding.logical,
      client: binding.bound,
      requestId: headerOf(downstream.head.headers, 'l5d-reqid') ?? context.requestId(),
      peer: key === null ? null : { key, instance: instance.endpoint.instance },
    });
    const timeoutMs = Math.max(1, Math.min(context.attemptTimeoutMs, context.totalTimeoutMs - (now - call.startedAt)));
    const pool = hop.via === 'peer' ? context.pools.peer : context.pools.direct;
    const target = { address: hop.address, port: hop.port, timeoutMs, connections: binding.clientScope };
    this.attempt = pool.send(target, downstream.head, headers, this);
    downstream.body.attach(this.attempt);
  }

  onResponse(head: ResponseHead, body: IncomingMessage): void {
    const { instance, hop, context } = this;
    if (instance === null || hop === null) return;
    const err = headerOf(head.headers, 'l5d-err');
    if (hop.via === 'peer') {
      context.paths?.succeeded(instance.endpoint.agentId);
      instance.reported = parsePeerHealth(headerOf(head.headers, PEER_HEALTH_HEADER)) ?? instance.reported;
      if (err !== null && headerOf(head.headers, RETRYABLE_HEADER) === 'true') {
        // A few bytes of text; read, so that the connection can be used again.
        body.on('error', () => undefined).resume();
        this.refusedByPeer(instance, hop, err);
        return;
      }
    }
    const reason = head.status >= 500 ? (reasonOf(err) ?? 'app-error') : null;
    const isAlive = reason === null || reason === 'app-error';
    if (isAlive && instance.succeeded()) this.binding.clientScope.accrual.revivals += 1;
    this.pass(head, body, reason);
  }

  onFailure(failure: AttemptFailure): void {
    const { instance, hop, context, binding } = this;
    if (instance === null || hop === null) return;
    const now = context.now();
    this.releaseAttempt(null, false);
    switch (failure.kind) {
      case 'unconnected':
        if (hop.via === 'peer') {
          context.paths?.failed(instance.endpoint.agentId, now);
          context.figures.peerUnreachable += 1;
          this.goStraight(instance);
          return;
        }
        binding.clientScope.connectFailures += 1;
        this.eject(instance, now);
        this.again('unsent', { code: 'refused', detail: this.describe(failure.detail) });
        return;
      case 'crowded':
        this.again('unsent', { code: 'shed', detail: this.describe(failure.detail) });
        return;
      case 'unanswered':
        // Not where the connection was an old one, which its owner may close at any time.
        if (!failure.reused && hop.via === 'direct') this.eject(instance, now);
        this.again('unanswered', { code: 'reset', detail: this.describe(failure.detail) });
        return;
      case 'timeout':
      case 'bad-response':
      case 'bad-request':
        this.again('final', { code: failure.kind, detail: this.describe(failure.detail) });
        return;
    }
  }

  /** Failure accrual. */
  private eject(instance: Instance, now: number): void {
    const { accrual } = this.binding.clientScope;
    const { isNew, pauseMs } = instance.failed(now, this.context.random());
    if (isNew) accrual.removals += 1;
    accrual.removedForMs += Math.round(pauseMs);
  }

  /** The peer proxy answered that it sent nothing, or that it may be sent again. */
  private refusedByPeer(instance: Instance, hop: Hop, err: string): void {
    const { context, binding } = this;
    const now = context.now();
    const code = reasonOf(err) ?? 'nack';
    this.releaseAttempt(null, false);
    if (code === 'not-ready') {
      context.paths?.failed(instance.endpoint.agentId, now);
      this.goStraight(instance);
      return;
    }
    if (code === 'nack') binding.clientScope.nacks += 1;
    if (code === 'nack' || code === 'refused') this.eject(instance, now);
    const detail = `${detailOf(err)} (said the proxy at ${hop.address}:${hop.port})`;
    this.again(code === 'reset' ? 'unanswered' : 'unsent', { code, detail });
  }

  /** The way by the peer failed with nothing sent: the same instance, without it. */
  private goStraight(instance: Instance): void {
    if (!this.call.downstream.body.replayable) {
      const detail = `${instance.endpoint.instance}: the proxy of its node cannot be reached`;
      this.refuse({ code: 'refused', detail }, false);
      return;
    }
    this.context.figures.direct += 1;
    this.send(instance, directHop(instance.endpoint));
  }

  private again(failure: Failure, last: Refusal): void {
    const { call, context, binding } = this;
    const { downstream } = call;
    const { requeues } = binding.clientScope;
    const now = context.now();
    const late = now - call.startedAt >= context.totalTimeoutMs;
    const allowed =
      !late &&
      (context.retries === 'any' || failure === 'unsent') &&
      mayRetry({
        failure,
        method: downstream.head.method,
        replayable: downstream.body.replayable,
        retries: call.retries,
      });
    const pick = allowed ? this.next(failure) : null;
    if (pick?.kind === 'instance') {
      if (binding.budget.tryWithdraw(now)) {
        call.retries += 1;
        binding.serviceScope.retries += 1;
        if (failure === 'unsent') requeues.total += 1;
        this.dispatch(pick.instance);
        return;
      }
      binding.serviceScope.budgetExhausted += 1;
      if (failure === 'unsent') requeues.budgetExhausted += 1;
    } else if (failure === 'unsent' && call.retries >= MAX_RETRIES) requeues.requestLimit += 1;
    else if (failure === 'unsent' && !downstream.body.replayable) requeues.cannotRetry += 1;
    this.refuse(last, retryableAfter(failure, call, last));
  }

  /** Passes an answer on, with backpressure. */
  private pass(head: ResponseHead, body: IncomingMessage, reason: Call['reason']): void {
    const { call } = this;
    const { downstream } = call;
    const headers = forwardedResponse(head.headers, this.toPeer);
    this.annotate?.(headers);
    downstream.body.settle();
    try {
      downstream.writeHead({ status: head.status, reason: head.reason, headers });
    } catch (error) {
      body.on('error', () => undefined).destroy();
      this.releaseAttempt(null, false);
      const detail = this.describe(error instanceof Error ? error.message : String(error));
      this.refuse({ code: 'bad-response', detail }, false);
      return;
    }
    call.answered(head.status, reason);
    let complete = false;
    downstream.onDrain = () => body.resume();
    body.on('data', (chunk: Buffer) => {
      if (!downstream.write(chunk)) body.pause();
    });
    body.on('end', () => {
      complete = true;
      this.releaseAttempt(head.status, reason === null);
      downstream.end();
    });
    body.on('error', () => undefined);
    body.on('close', () => {
      if (complete) return;
      this.releaseAttempt(head.status, false);
      call.gone('reset');
      downstream.abort();
    });
    // The first byte may be long in coming (server-sent events): the client gets the head now.
    downstream.flush();
  }

  private refuse(refusal: Refusal, retryable: boolean | undefined): void {
    this.call.downstream.onGone = () => this.call.gone();
    // A peer knows the names, and says them to its own client.
    const names = this.toPeer ? '' : `${this.call.logical} is ${this.binding.bound}: `;
    this.call.refuse({ code: refusal.code, detail: `${names}${refusal.detail}` }, retryable);
  }

  private abandoned(): void {
    this.attempt?.cancel();
    this.releaseAttempt(null, true);
    this.call.gone();
  }

  /** The attempt is over, one way or another: it counts for its instance no longer. */
  private releaseAttempt(status: number | null, success: boolean): void {
    const { attempt, instance, context, binding } = this;
    if (attempt === null) return;
    this.attempt = null;
    this.call.downstream.body.detach();
    if (!this.call.downstream.body.complete) attempt.cancel();
    instance?.released();
    const now = context.now();
    binding.clientScope.recorder.pending -= 1;
    const outcome = { status, success, latencyMs: now - this.attemptStartedAt };
    binding.clientScope.recorder.record(outcome, now);
    binding.pairScope.recorder.record(outcome, now);
  }

  private describe(detail: string): string {
    return `${this.instance?.endpoint.instance ?? 'the instance'} at ${detail}`;
  }
}

/** Whether the next proxy may send again what failed here. */
function retryableAfter(failure: Failure, call: Call, { code }: Refusal): boolean {
  if (failure === 'unanswered') return isIdempotent(call.downstream.head.method);
  return failure === 'unsent' && REASONS[code].retryable;
}
