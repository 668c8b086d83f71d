/** The scopes that a router records to: its servers, its services, its clients. */
import type { ReasonCode } from '../control/reason-codes.ts';
import type { Labels, MetricScope, MetricsTree } from './metrics-tree.ts';
import { type FigureVisitor, RequestRecorder } from './recorder.ts';

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
    visitor.value('connects', this.connects);
    visitor.value('connections', this.connections);
    for (const [code, count] of this.reasons) visitor.value(`failures/${code}`, count);
  }
}

/** A logical name. */
export class ServiceScope extends RecorderScope {
  retries = 0;
  budgetExhausted = 0;
  private readonly balance: () => number;

  constructor(router: string, logical: string, now: number, balance: () => number) {
    super(router, 'service', logical.replace(/^\//, ''), now);
    this.balance = balance;
  }

  protected override more(visitor: FigureVisitor): void {
    visitor.value('retries/total', this.retries);
    visitor.value('retries/budget', this.balance());
    visitor.value('retries/budget_exhausted', this.budgetExhausted);
  }
}

/** What a client scope shows of its balancer. */
export interface BalancerFigures {
  readonly size: number;
  available(now: number): number;
  load(): number;
}

/** A bound name. */
export class ClientScope extends RecorderScope {
  /** Peers that refused because the instance is not theirs. */
  nacks = 0;
  /** Attempts that reached nobody. */
  connectFailures = 0;
  private readonly balancer: BalancerFigures;
  private readonly clock: () => number;

  constructor(router: string, bound: string, balancer: BalancerFigures, clock: () => number) {
    super(router, 'client', bound.replace(/^\//, ''), clock());
    this.balancer = balancer;
    this.clock = clock;
  }

  protected override more(visitor: FigureVisitor): void {
    visitor.value('nacks', this.nacks);
    visitor.value('connect_failures', this.connectFailures);
    visitor.value('loadbalancer/size', this.balancer.size);
    visitor.value('loadbalancer/available', this.balancer.available(this.clock()));
    visitor.value('loadbalancer/load', this.balancer.load());
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
      for (const [key, value] of Object.entries(read())) visitor.value(key, value);
    },
  };
}

/** Adds and removes scopes of one tree; a full tree still lets everything be recorded. */
export type ScopeHome = Pick<MetricsTree, 'add' | 'remove'>;
