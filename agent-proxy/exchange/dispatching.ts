/**
 * The loop of balance, attempt and retry of a request: chooses an instance, sends the request by the peer proxy of its node
 * or straight, and tries again where the rules allow it. What it ends in, an answer or a refusal, is the exchange's.
 */
import type { Instance } from '../balance/instance.ts';
import type { Refusal } from '../balance/picker.ts';
import type { Branch, Route } from '../bind/route.ts';
import type { Target } from '../endpoint/target.ts';
import type { ClientConnection, ResponseTarget } from '../http1/client-connection.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { isIdempotent, judgeException } from '../resilience/classifier.ts';
import type { Failure } from '../resilience/retries.ts';
import type { Unsubscribe } from '../routing/activity.ts';
import { Attempt, type AttemptFailure, type AttemptOwner, CODE_OF } from './attempt.ts';
import { RequestFacts } from './request-facts.ts';
import { mayTryAgain, type Retried } from './retrying.ts';

/**
 * - `routing`: its name is being bound, or the addresses behind it are not known yet.
 * - `connecting`: an attempt waits for a connection.
 * - `sent`: an attempt waits for the head of its response.
 * - `backoff`: the next attempt is to come.
 * - `answering`: an answer is on its way to the client.
 * - `tunnel`: bytes pass both ways as they are.
 */
export type Phase = 'routing' | 'connecting' | 'sent' | 'backoff' | 'answering' | 'tunnel' | 'over';

/** An instance that a peer has chosen. */
export interface Delivery {
  readonly branch: Branch;
  readonly instance: Target;
}

const NONE_TRIED: readonly Instance[] = [];

export abstract class Dispatching extends RequestFacts implements AttemptOwner, Retried {
  protected phase: Phase = 'routing';
  /** When it has to be over, milliseconds. */
  protected deadlineAt = Number.POSITIVE_INFINITY;
  protected delivery: Delivery | null = null;
  protected lastFailure: Failure = 'final';
  protected stopWaiting: Unsubscribe | null = null;
  private lastRefusal: Refusal | null = null;
  private tried: readonly Instance[] = NONE_TRIED;

  // What the exchange does.
  abstract refuse(refusal: Refusal, retryable?: boolean): void;
  abstract readonly isResponseFull: boolean;
  abstract contextLines(attempt: Attempt): string;
  abstract sent(): void;
  abstract tunnelOpened(attempt: Attempt, upstream: ClientConnection): void;
  abstract informed(head: ResponseHead): void;
  abstract responded(attempt: Attempt, head: ResponseHead): ResponseTarget | null;
  abstract responseHeld(): void;
  abstract responseEnded(): void;
  abstract serverEnded(): void;
  abstract attemptFailed(attempt: Attempt, failure: AttemptFailure, detail: string): void;

  /** Milliseconds until it has to be over. */
  leftMs(now: number): number {
    return this.deadlineAt - now;
  }

  get isAnswered(): boolean {
    return this.phase === 'answering' || this.phase === 'tunnel' || this.phase === 'over';
  }

  /** Balance: an instance for one more attempt. */
  protected next(route: Route, now: number): void {
    const branch = this.delivery?.branch ?? this.draw(route, now);
    if (branch === null) {
      this.refuse(route.refusal);
      return;
    }
    const { client } = branch;
    this.branch = branch;
    if (client.isPending) {
      this.phase = 'routing';
      this.stopWaiting = client.onceKnown(() => this.next(route, this.runtime.now()));
      this.arm(Math.min(now + this.runtime.settings.bindingTimeoutMs, this.deadlineAt));
      return;
    }
    const instance = this.delivery?.instance ?? this.choose(branch, now);
    if (instance === null) {
      // Where something was tried, what came of it says more than that nothing is left to try.
      if (this.lastRefusal !== null) {
        this.refuse(this.lastRefusal, this.retryableAfter(this.lastFailure));
        return;
      }
      const detail = client.failure;
      this.refuse(detail === null ? client.balancer.refusal(this.tried) : { code: 'no-endpoint', detail });
      return;
    }
    this.dispatch(branch, instance, this.runtime.peers?.to(instance.endpoint, now) ?? null, now);
  }

  /** By weight; what was sent nowhere goes by another branch where the one drawn has nothing that was not tried. */
  private draw(route: Route, now: number): Branch | null {
    const drawn = route.draw(this.runtime.random);
    if (drawn === null || this.tried.length === 0 || this.lastFailure !== 'unsent') return drawn;
    if (hasUntried(drawn, this.tried, now)) return drawn;
    return route.branches.find((branch) => hasUntried(branch, this.tried, now)) ?? drawn;
  }

  private choose({ client: { balancer } }: Branch, now: number): Target | null {
    const { stickiness } = this;
    if (stickiness !== null && this.tried.length === 0) {
      const kept = balancer.findOpen((instance) => stickiness.prefers(instance), now);
      if (kept !== null) return kept as Target;
    }
    const instance = balancer.picker.pick(this.tried, now);
    // A connection that died may have been an old one, an error may have been a passing one: the only instance that there
    // is gets a second chance.
    const isAgain = this.tried.length > 0 && this.lastFailure !== 'unsent';
    return (instance ?? (isAgain ? balancer.picker.pick(NONE_TRIED, now) : null)) as Target | null;
  }

  private dispatch(branch: Branch, instance: Target, path: Attempt['path'], now: number): void {
    const { runtime } = this;
    if (path === null && runtime.peers !== null) runtime.figures.direct += 1;
    const attempt = new Attempt(this, branch, instance, path, now);
    if (this.attempt !== null) this.remember(this.attempt);
    this.attempt = attempt;
    if (instance.inflight >= runtime.settings.maxInflight) {
      const detail = `${instance.endpoint.instance} has ${instance.inflight} requests on their way`;
      this.again('unsent', { code: 'shed', detail }, attempt);
      return;
    }
    this.phase = 'connecting';
    attempt.begin();
    if (this.attempt === attempt && this.phase === 'connecting') {
      this.arm(Math.min(now + branch.client.connectTimeoutMs, this.deadlineAt));
    }
  }

  private remember(attempt: Attempt): void {
    this.past ??= [];
    this.past.push(attempt);
    this.tried = this.past.map(({ instance }) => instance);
  }

  /** Its own time is over, or that of the request. */
  protected attemptTimedOut(attempt: Attempt, isDeadline: boolean, now: number): void {
    const { phase } = this;
    if (phase === 'connecting' && !isDeadline) {
      attempt.timedOutConnecting(Math.round(now - attempt.startedAt));
      return;
    }
    const what = phase === 'connecting' ? 'accepted no connection' : 'gave no response';
    const text = `${attempt.instance.endpoint.instance} at ${attempt.where} ${what} ${this.within(attempt, isDeadline, now)}`;
    const isCallers = isDeadline && this.isCallersDeadline(now);
    const code = isCallers ? 'deadline' : 'timeout';
    // It is not the instance's fault that the request had little time left.
    attempt.abandon(isCallers ? 'ignored' : 'failure', code);
    if (isDeadline) this.refuse({ code, detail: text }, false);
    else this.again(this.exceptionFailure, { code, detail: text }, attempt);
  }

  /** How long this attempt took; where the time of the request is over, which may have had others before it, that too. */
  private within(attempt: Attempt, isDeadline: boolean, now: number): string {
    const all = Math.round(now - this.startedAt);
    if (isDeadline && this.retries === 0) return `within ${all} ms`;
    const within = `within ${Math.round(now - attempt.startedAt)} ms`;
    return isDeadline ? `${within}, at attempt ${this.retries + 1}, ${all} ms after the request came` : within;
  }

  /** What an attempt without an answer is to the classifier. */
  protected get exceptionFailure(): Failure {
    const judgement = judgeException(this.route?.classifier ?? 'nonRetryable5XX', this.head.method);
    return judgement === 'retryable-failure' ? 'retryable' : 'final';
  }

  /** It failed before an answer began. */
  protected unanswered(attempt: Attempt, failure: AttemptFailure, detail: string): void {
    const refusal = { code: CODE_OF[failure], detail: `${attempt.instance.endpoint.instance} at ${detail}` };
    switch (failure) {
      case 'unconnected':
        if (attempt.path === null) this.again('unsent', refusal, attempt);
        else this.goStraight(attempt);
        return;
      case 'crowded':
        this.again('unsent', refusal, attempt);
        return;
      case 'unanswered':
      case 'reused':
        this.again('unanswered', refusal, attempt);
        return;
      case 'cut':
      case 'broken':
        this.again(this.exceptionFailure, refusal, attempt);
    }
  }

  protected refusedByPeer(attempt: Attempt, refusal: Refusal, failure: Failure): void {
    const { branch, path } = attempt;
    if (refusal.code === 'nack') branch.client.scope.nacks += 1;
    // That it takes no connections is as good a reason to fail fast as if we had tried it ourselves.
    if (refusal.code === 'refused') attempt.refused();
    else attempt.end(refusal.code === 'nack' ? 'failure' : 'ignored', refusal.code);
    if (refusal.code === 'not-ready') {
      path?.failed(this.runtime.now());
      this.goStraight(attempt);
      return;
    }
    this.again(failure, refusal, attempt);
  }

  /** The way by the peer failed with nothing sent: the same instance, without it. */
  private goStraight({ branch, instance, path }: Attempt): void {
    const now = this.runtime.now();
    path?.failed(now);
    this.runtime.figures.peerUnreachable += 1;
    if (this.body?.isReplayable === false) {
      const detail = `${instance.endpoint.instance}: the proxy of its node cannot be reached`;
      this.refuse({ code: 'refused', detail }, false);
      return;
    }
    this.body?.detach();
    this.dispatch(branch, instance, null, now);
  }

  protected again(failure: Failure, refusal: Refusal, attempt: Attempt): void {
    attempt.reason ??= refusal.code;
    // A retry that has nowhere to go costs the budget nothing.
    const canGoOn = failure !== 'unsent' || this.hasOther(attempt);
    if (this.delivery === null && canGoOn && mayTryAgain(this, failure, attempt)) this.proceed(failure, refusal);
    else this.refuse(refusal, this.retryableAfter(failure));
  }

  private hasOther({ branch, instance }: Attempt): boolean {
    const tried = [...this.tried, instance];
    const now = this.runtime.now();
    if (hasUntried(branch, tried, now)) return true;
    return this.route?.branches.some((other) => other !== branch && hasUntried(other, tried, now)) === true;
  }

  /** One more attempt, which the budget has paid for. */
  protected proceed(failure: Failure, refusal: Refusal): void {
    const { route } = this;
    if (route === null) return;
    this.lastFailure = failure;
    this.lastRefusal = refusal;
    this.body?.detach();
    const now = this.runtime.now();
    if (this.attempt !== null) {
      this.remember(this.attempt);
      this.attempt = null;
    }
    if (this.previousBackoffMs === 0 || failure === 'unsent') {
      this.next(route, now);
      return;
    }
    this.phase = 'backoff';
    this.arm(now + this.previousBackoffMs);
  }

  /** Whether the next proxy may send again what failed here. */
  private retryableAfter(failure: Failure): boolean | undefined {
    if (failure === 'unanswered') return isIdempotent(this.head.method);
    return failure === 'unsent' ? undefined : false;
  }

  protected arm(deadline: number): void {
    if (deadline < Number.POSITIVE_INFINITY) this.runtime.wheel.arm(this, deadline);
    else this.disarm();
  }

  protected disarm(): void {
    this.runtime.wheel.disarm(this);
  }
}

function hasUntried({ client }: Branch, tried: readonly Instance[], now: number): boolean {
  return client.balancer.picker.pick(tried, now) !== null;
}
