/**
 * The scopes of names that a router records to for each request: its services, its clients, and the pairs of the two. There
 * may be thousands, so they hold what cannot be derived, and make room for the rest when it first happens.
 */
import type { Labels, MetricScope, MetricsTree } from './metrics-tree.ts';
import { type FigureVisitor, latenciesOf, RequestRecorder, RetryRecorder, visitCounts } from './recorder.ts';
import { RequestScope } from './request-scope.ts';
import { Stat } from './stat.ts';

/**
 * A name of which pairs record a part: what it shows is the sum of its own recorder and of theirs, made for whoever asks. Its
 * own has what no pair tells it, and what pairs recorded that are gone.
 */
abstract class SummedScope extends RequestScope {
  protected readonly pairs = new Set<PairScope>();

  /** A pair of it begins. */
  joined(pair: PairScope): void {
    this.pairs.add(pair);
  }

  /** A pair is gone, and records nothing any more. */
  left(pair: PairScope, now: number): void {
    if (!this.pairs.delete(pair)) return;
    for (const part of this.partsOf(pair)) this.recorder.addAll(part, now);
  }

  /** What a pair records that counts for this name. */
  protected abstract partsOf(pair: PairScope): readonly RequestRecorder[];

  protected override requests(): readonly RequestRecorder[] {
    const parts: RequestRecorder[] = [];
    if (this.recorder.count > 0) parts.push(this.recorder);
    for (const pair of this.pairs) {
      for (const part of this.partsOf(pair)) if (part.count > 0) parts.push(part);
    }
    return parts;
  }
}

/** What a service scope reads when somebody asks. */
export interface ServiceParts {
  /** Retries that are left. */
  readonly budget: () => number;
  /** Requests on their way. */
  readonly pending: () => number;
}

/** A logical name. */
export class ServiceScope extends SummedScope {
  /** Requests that were sent again, once for each time. */
  retries = 0;
  budgetExhausted = 0;
  readonly perRequest = new RetryRecorder(() => latenciesOf(this.requests()));
  private readonly parts: ServiceParts;

  constructor(router: string, logical: string, parts: ServiceParts) {
    super(router, 'service', withoutSlash(logical));
    this.parts = parts;
  }

  get name(): string {
    return 'rt:service';
  }

  get pending(): number {
    return this.parts.pending();
  }

  protected override partsOf({ whole }: PairScope): readonly RequestRecorder[] {
    return [whole];
  }

  protected override more(visitor: FigureVisitor): void {
    visitor.counter('retries/total', this.retries);
    visitor.stat('retries/per_request', this.perRequest);
    visitor.gauge('retries/budget', this.parts.budget());
    visitor.counter('retries/budget_exhausted', this.budgetExhausted);
  }
}

/** What a client scope shows of its balancer. */
export interface BalancerFigures {
  readonly size: number;
  /** Endpoints by what they are now: open; marked dead or failing; gone, with requests in flight. */
  available(now: number): number;
  busy(now: number): number;
  closed(now: number): number;
  load(): number;
  /** Endpoints that came and went, and updates that brought them. */
  readonly adds: number;
  readonly removes: number;
  readonly updates: number;
  /** What failure accrual did. `failedOpen`: how often no open endpoint was found, and any was taken. */
  readonly accrual: {
    readonly removals: number;
    readonly probes: number;
    readonly revivals: number;
    readonly removedForMs: number;
    readonly failedOpen: number;
  };
}

/** What a client scope reads when somebody asks. */
export interface ClientParts {
  readonly balancer: BalancerFigures;
  /** Retries that are left. */
  readonly budget: () => number;
  readonly clock: () => number;
}

/** A bound name. All that its requests come to is recorded by its pairs. */
export class ClientScope extends SummedScope {
  /** Peers that refused because the instance is not theirs. */
  nacks = 0;
  /** Attempts that reached nobody. */
  connectFailures = 0;
  /** Retries after nothing was sent, which linkerd's client does by itself; and why there was none. */
  readonly requeues = { total: 0, budgetExhausted: 0, requestLimit: 0, cannotRetry: 0 };
  private connections = 0;
  private connectLatency: Stat | null = null;
  private readonly parts: ClientParts;

  constructor(router: string, bound: string, parts: ClientParts) {
    super(router, 'client', withoutSlash(bound));
    this.parts = parts;
  }

  get name(): string {
    return 'rt:client';
  }

  get pending(): number {
    let sum = 0;
    for (const { pending } of this.pairs) sum += pending;
    return sum;
  }

  protected override partsOf({ attempts }: PairScope): readonly RequestRecorder[] {
    return attempts;
  }

  /** A request of this client opened a connection. To a peer proxy other clients use it too; it counts here. */
  connected(latencyMs: number, now: number): void {
    this.connections += 1;
    this.connectLatency ??= new Stat();
    this.connectLatency.record(latencyMs, now);
  }

  disconnected(): void {
    this.connections -= 1;
  }

  protected override more(visitor: FigureVisitor): void {
    const { requeues } = this;
    const { balancer, budget, clock } = this.parts;
    const { accrual } = balancer;
    const now = clock();
    visitor.counter('connects', this.connectLatency?.count ?? 0);
    visitor.gauge('connections', this.connections);
    if (this.connectLatency !== null) visitor.stat('connect_latency_ms', this.connectLatency);
    visitor.counter('connect_failures', this.connectFailures);
    visitor.counter('nacks', this.nacks);
    visitor.counter('failure_accrual/removals', accrual.removals);
    visitor.counter('failure_accrual/probes', accrual.probes);
    visitor.counter('failure_accrual/revivals', accrual.revivals);
    visitor.counter('failure_accrual/removed_for_ms', accrual.removedForMs);
    visitor.counter('retries/requeues', requeues.total);
    visitor.gauge('retries/budget', budget());
    visitor.counter('retries/budget_exhausted', requeues.budgetExhausted);
    visitor.counter('retries/request_limit', requeues.requestLimit);
    visitor.counter('retries/cannot_retry', requeues.cannotRetry);
    visitor.gauge('loadbalancer/size', balancer.size);
    visitor.gauge('loadbalancer/available', balancer.available(now));
    visitor.gauge('loadbalancer/busy', balancer.busy(now));
    visitor.gauge('loadbalancer/closed', balancer.closed(now));
    visitor.gauge('loadbalancer/load', balancer.load());
    visitor.counter('loadbalancer/adds', balancer.adds);
    visitor.counter('loadbalancer/removes', balancer.removes);
    visitor.counter('loadbalancer/updates', balancer.updates);
    visitor.counter('loadbalancer/max_effort_exhausted', accrual.failedOpen);
  }
}

/**
 * A logical name at the bound name that it means: attempts for the one that went to the other. Most requests are answered at
 * the first attempt, and then request and attempt are the same in all that is counted: they are recorded once, here, for all
 * three scopes. With thousands of names each recorder is some places in memory that no cache holds.
 */
export class PairScope implements MetricScope {
  /** Attempts on their way. */
  pending = 0;
  /** Attempts that were all of their request. */
  readonly whole = new RequestRecorder();
  /** All others; null before the first. */
  private rest: RequestRecorder | null = null;
  private isClosed = false;
  readonly path: string;
  private readonly client: ClientScope;
  private readonly service: ServiceScope;
  private readonly clock: () => number;

  constructor(client: ClientScope, service: ServiceScope, clock: () => number) {
    this.client = client;
    this.service = service;
    this.clock = clock;
    this.path = `${client.path}/service/${service.labels['service'] ?? ''}`;
    client.joined(this);
    service.joined(this);
  }

  get name(): string {
    return 'rt:client:service';
  }

  get labels(): Labels {
    return { ...this.client.labels, ...this.service.labels };
  }

  /** All of its attempts. */
  get attempts(): readonly RequestRecorder[] {
    return this.rest === null ? [this.whole] : [this.whole, this.rest];
  }

  /** An attempt begins. It ends with one of the next two. */
  began(): void {
    this.pending += 1;
  }

  /** A request succeeded at the first attempt: it is recorded for its name too. */
  answered(status: number, latencyMs: number, now: number): void {
    this.whole.record(status, true, latencyMs, now);
    this.ended();
  }

  /** An attempt is over, and its request, whatever that comes to, is recorded by its name. */
  attempted(status: number, success: boolean, latencyMs: number, now: number): void {
    this.rest ??= new RequestRecorder();
    this.rest.record(status, success, latencyMs, now);
    this.ended();
  }

  /** No request comes any more: it is gone when those are over that are on their way. */
  close(): void {
    this.isClosed = true;
    if (this.pending === 0) this.leave();
  }

  visit(visitor: FigureVisitor): void {
    visitCounts(this.attempts, visitor);
    visitor.stat('request_latency_ms', latenciesOf(this.attempts));
  }

  private ended(): void {
    this.pending -= 1;
    if (this.isClosed && this.pending === 0) this.leave();
  }

  private leave(): void {
    const now = this.clock();
    this.client.left(this, now);
    this.service.left(this, now);
  }
}

/** Adds and removes scopes of one tree; a full tree still lets everything be recorded. */
export type ScopeHome = Pick<MetricsTree, 'add' | 'remove'>;

function withoutSlash(path: string): string {
  return path.startsWith('/') ? path.slice(1) : path;
}
