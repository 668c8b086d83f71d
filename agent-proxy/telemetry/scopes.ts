/** The scopes that a router records to: its servers, its services, its clients. */
import type { ReasonCode } from '../control/reason-codes.ts';
import { MAX_RETRIES } from '../resilience/retries.ts';
import type { Labels, MetricScope, MetricsTree } from './metrics-tree.ts';
import { AttemptRecorder, type FigureVisitor, RequestRecorder, Stat, wholeNumbers } from './recorder.ts';

/** A scope that shows a recorder, and whatever `more` adds. */
abstract class RecorderScope implements MetricScope {
  readonly recorder: RequestRecorder;
  readonly path: string;
  readonly name: string;
  readonly labels: Labels;

  constructor(router: string, kind: 'server' | 'service' | 'client', id: string, now: number) {
    this.recorder = new RequestRecorder(now);
    this.path = `rt/${router}/${kind}/${id}`;
    this.name = `rt:${kind}`;
    this.labels = { rt: router, [kind]: id };
  }

  visit(visitor: FigureVisitor): void {
    this.recorder.visit(visitor);
    this.more(visitor);
  }

  protected abstract more(visitor: FigureVisitor): void;
}

/** A listening address of a router. */
export class ServerScope extends RecorderScope {
  connects = 0;
  connections = 0;
  private readonly reasons = new Map<ReasonCode, number>();

  constructor(router: string, address: string, now: number) {
    super(router, 'server', address, now);
  }

  failed(code: ReasonCode): void {
    this.reasons.set(code, (this.reasons.get(code) ?? 0) + 1);
  }

  protected override more(visitor: FigureVisitor): void {
    visitor.counter('connects', this.connects);
    visitor.gauge('connections', this.connections);
    for (const [code, count] of this.reasons) visitor.counter(`failures/${code}`, count);
  }
}

/** A logical name. */
export class ServiceScope extends RecorderScope {
  retries = 0;
  budgetExhausted = 0;
  /** How often each request was sent again. */
  readonly perRequest: Stat;
  private readonly balance: () => number;

  constructor(router: string, logical: string, now: number, balance: () => number) {
    super(router, 'service', logical.replace(/^\//, ''), now);
    this.perRequest = new Stat(now, wholeNumbers(MAX_RETRIES));
    this.balance = balance;
  }

  protected override more(visitor: FigureVisitor): void {
    visitor.counter('retries/total', this.retries);
    visitor.stat('retries/per_request', this.perRequest);
    visitor.gauge('retries/budget', this.balance());
    visitor.counter('retries/budget_exhausted', this.budgetExhausted);
  }
}

/** What a client scope shows of its balancer. */
export interface BalancerFigures {
  readonly size: number;
  available(now: number): number;
  load(): number;
}

/** What a client scope reads when somebody asks. */
export interface ClientParts {
  readonly balancer: BalancerFigures;
  /** Retries that are left. */
  readonly budget: () => number;
  readonly clock: () => number;
}

/** A bound name. */
export class ClientScope extends RecorderScope {
  /** Peers that refused because the instance is not theirs. */
  nacks = 0;
  /** Attempts that reached nobody. */
  connectFailures = 0;
  /** Retries after nothing was sent, which linkerd's client does by itself; and why there was none. */
  readonly requeues = { total: 0, budgetExhausted: 0, requestLimit: 0, cannotRetry: 0 };
  readonly accrual = { removals: 0, probes: 0, revivals: 0, removedForMs: 0 };
  private connects = 0;
  private connections = 0;
  private readonly connectLatency: Stat;
  private readonly parts: ClientParts;

  constructor(router: string, bound: string, parts: ClientParts) {
    super(router, 'client', bound.replace(/^\//, ''), parts.clock());
    this.parts = parts;
    this.connectLatency = new Stat(parts.clock());
  }

  /** A request of this client opened a connection. To a peer proxy other clients use it too; it counts here. */
  connected(latencyMs: number): void {
    this.connects += 1;
    this.connections += 1;
    this.connectLatency.record(latencyMs, this.parts.clock());
  }

  disconnected(): void {
    this.connections -= 1;
  }

  protected override more(visitor: FigureVisitor): void {
    const { requeues, accrual } = this;
    const { balancer, budget, clock } = this.parts;
    visitor.counter('connects', this.connects);
    visitor.gauge('connections', this.connections);
    visitor.stat('connect_latency_ms', this.connectLatency);
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
    visitor.gauge('loadbalancer/available', balancer.available(clock()));
    visitor.gauge('loadbalancer/load', balancer.load());
  }
}

/** A logical name at the bound name that it means: attempts for the one that went to the other. */
export class PairScope implements MetricScope {
  readonly recorder: AttemptRecorder;
  readonly path: string;
  readonly name = 'rt:client:service';
  readonly labels: Labels;

  constructor(router: string, client: ClientScope, service: ServiceScope, now: number) {
    const ids = { client: client.labels['client'] ?? '', service: service.labels['service'] ?? '' };
    this.recorder = new AttemptRecorder(now);
    this.path = `${client.path}/service/${ids.service}`;
    this.labels = { rt: router, ...ids };
  }

  visit(visitor: FigureVisitor): void {
    this.recorder.visit(visitor);
  }
}

/** A scope of figures that are read when asked for, like `rt/outgoing` or `control`. */
export function gaugeScope(
  path: string,
  name: string,
  labels: Labels,
  read: () => Readonly<Record<string, number>>,
): MetricScope {
  return {
    path,
    name,
    labels,
    visit(visitor) {
      for (const [key, value] of Object.entries(read())) visitor.gauge(key, value);
    },
  };
}

/** Adds and removes scopes of one tree; a full tree still lets everything be recorded. */
export type ScopeHome = Pick<MetricsTree, 'add' | 'remove'>;
