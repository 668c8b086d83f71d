/**
 * The scopes that a router records to for each request: its servers, its services, its clients, and the pairs of the two.
 * There may be thousands, so they hold what cannot be derived, and make room for the rest when it first happens.
 */
import type { ReasonCode } from '../control/reason-codes.ts';
import type { Labels, MetricScope, MetricsTree } from './metrics-tree.ts';
import { type FigureVisitor, RequestRecorder, RetryRecorder } from './recorder.ts';
import { Stat } from './stat.ts';

/** A scope of requests: a recorder, reasons of failures, and whatever `more` adds. */
abstract class RequestScope implements MetricScope {
  readonly recorder = new RequestRecorder();
  readonly path: string;
  private readonly router: string;
  private reasons: Map<ReasonCode, number> | null = null;

  constructor(router: string, kind: Kind, id: string) {
    this.router = router;
    this.path = `rt/${router}/${kind}/${id}`;
  }

  abstract get name(): string;

  get labels(): Labels {
    const kind = this.name.slice('rt:'.length);
    return { rt: this.router, [kind]: this.path.slice(`rt/${this.router}/${kind}/`.length) };
  }

  /** A request of this scope failed, for this reason. Its outcome is recorded besides. */
  failed(code: ReasonCode): void {
    this.reasons ??= new Map();
    this.reasons.set(code, (this.reasons.get(code) ?? 0) + 1);
  }

  visit(visitor: FigureVisitor): void {
    this.requests().visit(visitor);
    if (this.reasons !== null) {
      for (const [code, count] of this.reasons) visitor.counter(`failures/${code}`, count);
    }
    this.more(visitor);
  }

  /** All that was recorded. */
  protected requests(): RequestRecorder {
    return this.recorder;
  }

  protected abstract more(visitor: FigureVisitor): void;
}

type Kind = 'server' | 'service' | 'client';

/** A listening address of a router. */
export class ServerScope extends RequestScope {
  connects = 0;
  connections = 0;
  receivedBytes = 0;
  sentBytes = 0;
  /** Connections that were closed because they were idle, or had lived for long enough. */
  idleCloses = 0;
  lifetimeCloses = 0;

  /** `address` is `<ip>/<port>`. */
  constructor(router: string, address: string) {
    super(router, 'server', address);
  }

  get name(): string {
    return 'rt:server';
  }

  protected override more(visitor: FigureVisitor): void {
    visitor.counter('connects', this.connects);
    visitor.gauge('connections', this.connections);
    visitor.counter('received_bytes', this.receivedBytes);
    visitor.counter('sent_bytes', this.sentBytes);
    visitor.counter('idle', this.idleCloses);
    visitor.counter('lifetime', this.lifetimeCloses);
  }
}

/** A logical name. */
export class ServiceScope extends RequestScope {
  /** Requests that were sent again, once for each time. */
  retries = 0;
  budgetExhausted = 0;
  readonly perRequest = new RetryRecorder(this.recorder);
  private readonly budget: () => number;

  /** `budget`: retries that are left. */
  constructor(router: string, logical: string, budget: () => number) {
    super(router, 'service', withoutSlash(logical));
    this.budget = budget;
  }

  get name(): string {
    return 'rt:service';
  }

  protected override more(visitor: FigureVisitor): void {
    visitor.counter('retries/total', this.retries);
    visitor.stat('retries/per_request', this.perRequest);
    visitor.gauge('retries/budget', this.budget());
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

/**
 * A bound name. What its requests come to is recorded by its pairs, once for both: there is a pair for each, and the sum is
 * made for whoever asks.
 */
export class ClientScope extends RequestScope {
  /** Peers that refused because the instance is not theirs. */
  nacks = 0;
  /** Attempts that reached nobody. */
  connectFailures = 0;
  /** Retries after nothing was sent, which linkerd's client does by itself; and why there was none. */
  readonly requeues = { total: 0, budgetExhausted: 0, requestLimit: 0, cannotRetry: 0 };
  private connections = 0;
  private connectLatency: Stat | null = null;
  private readonly pairs: PairScope[] = [];
  private readonly parts: ClientParts;

  constructor(router: string, bound: string, parts: ClientParts) {
    super(router, 'client', withoutSlash(bound));
    this.parts = parts;
  }

  get name(): string {
    return 'rt:client';
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

  /** A pair of it begins; what it records counts here. */
  joined(pair: PairScope): void {
    this.pairs.push(pair);
  }

  /** A pair is gone. What it has recorded is kept, and what is still on its way is recorded here. */
  left(pair: PairScope): RequestRecorder {
    const index = this.pairs.indexOf(pair);
    if (index === -1) return this.recorder;
    const last = this.pairs.pop();
    if (last !== undefined && last !== pair) this.pairs[index] = last;
    this.recorder.addAll(pair.recorder, this.parts.clock());
    return this.recorder;
  }

  protected override requests(): RequestRecorder {
    const now = this.parts.clock();
    const all = new RequestRecorder();
    all.addAll(this.recorder, now);
    for (const { recorder } of this.pairs) all.addAll(recorder, now);
    return all;
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

/** A logical name at the bound name that it means: attempts for the one that went to the other. */
export class PairScope implements MetricScope {
  /** Also the client's, of which it is a part. */
  recorder = new RequestRecorder();
  readonly path: string;
  private readonly client: ClientScope;
  private readonly service: ServiceScope;

  constructor(client: ClientScope, service: ServiceScope) {
    this.client = client;
    this.service = service;
    this.path = `${client.path}/service/${service.labels['service'] ?? ''}`;
    client.joined(this);
  }

  get name(): string {
    return 'rt:client:service';
  }

  get labels(): Labels {
    return { ...this.client.labels, ...this.service.labels };
  }

  /** No request comes any more. */
  close(): void {
    this.recorder = this.client.left(this);
  }

  visit(visitor: FigureVisitor): void {
    const { recorder } = this;
    visitor.counter('requests', recorder.requests);
    visitor.counter('success', recorder.success);
    visitor.counter('failures', recorder.failures);
    visitor.stat('request_latency_ms', recorder);
  }
}

export type Gauges = Readonly<Record<string, number>>;

/** A scope of figures that are read when asked for, like `rt/outgoing` or `control`. */
export function gaugeScope(path: string, name: string, labels: Labels, read: () => Gauges): MetricScope {
  return {
    path,
    name,
    labels,
    visit(visitor) {
      const figures = read();
      for (const key of Object.keys(figures)) visitor.gauge(key, figures[key] ?? 0);
    },
  };
}

/** Adds and removes scopes of one tree; a full tree still lets everything be recorded. */
export type ScopeHome = Pick<MetricsTree, 'add' | 'remove'>;

function withoutSlash(path: string): string {
  return path.startsWith('/') ? path.slice(1) : path;
}
