/**
 * The scopes that a router records to for each request: its servers, its services, its clients, and the pairs of the two.
 * There may be thousands, so they hold what cannot be derived, and make room for the rest when it first happens.
 */
import type { ReasonCode } from '../control/reason-codes.ts';
import type { Labels, MetricScope, MetricsTree } from './metrics-tree.ts';
import { AttemptRecorder, type FigureVisitor, RequestRecorder } from './recorder.ts';
import { Stat, WHOLE_NUMBERS } from './stat.ts';

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
    this.recorder.visit(visitor);
    if (this.reasons !== null) {
      for (const [code, count] of this.reasons) visitor.counter(`failures/${code}`, count);
    }
    this.more(visitor);
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
  /** How often each request was sent again. */
  readonly perRequest = new Stat(WHOLE_NUMBERS);
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

/** A bound name. */
export class ClientScope extends RequestScope {
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

/** A logical name at the bound name that it means: attempts for the one that went to the other. */
export class PairScope implements MetricScope {
  readonly recorder = new AttemptRecorder();
  readonly path: string;
  private readonly client: ClientScope;
  private readonly service: ServiceScope;

  constructor(client: ClientScope, service: ServiceScope) {
    this.client = client;
    this.service = service;
    this.path = `${client.path}/service/${service.labels['service'] ?? ''}`;
  }

  get name(): string {
    return 'rt:client:service';
  }

  get labels(): Labels {
    return { ...this.client.labels, ...this.service.labels };
  }

  visit(visitor: FigureVisitor): void {
    this.recorder.visit(visitor);
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
