/**
 * The client of one bound name: its balancer, kept up to date with its addresses, and what all requests to it share.
 * Several logical names that lead to one bound name share its client.
 */
import { Balancer, type BalancerOptions } from '../balance/balancer.ts';
import type { Instance } from '../balance/instance.ts';
import type { BalanceParams } from '../balance/params.ts';
import type { Siblings } from '../balance/siblings.ts';
import type { Endpoint } from '../control/contract.ts';
import type { ConnectionListener } from '../endpoint/pool.ts';
import { RetryBudget } from '../resilience/budget.ts';
import type { BudgetParams } from '../resilience/params.ts';
import type { Unsubscribe } from '../routing/activity.ts';
import type { AddressChange, AddressSet } from '../routing/names.ts';
import { ClientScope } from '../telemetry/name-scopes.ts';
import type { AppPort } from './app-policies.ts';
import { BalancerView } from './balancer-view.ts';

export interface BoundClientOptions {
  readonly router: string;
  /** `/#/io.l5d.marathon/web` */
  readonly id: string;
  /** Left out where it is no app of a scheduler's table. */
  readonly app?: AppPort | null;
  readonly addresses: AddressSet;
  readonly balance: BalanceParams;
  readonly requeueBudget: BudgetParams;
  /** Until the head of a response, milliseconds. */
  readonly attemptTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly instance: (endpoint: Endpoint, siblings: Siblings) => Instance;
  /** Limits it to some endpoints. */
  readonly accepts: ((endpoint: Endpoint) => boolean) | null;
  /** Over how long the weight of a new instance grows; left out for none. */
  readonly slowStart?: BalancerOptions['slowStart'];
  /** How many proxies share the budget's floor. */
  readonly nodes: () => number;
  readonly now: () => number;
  readonly random: () => number;
}

export class BoundClient implements ConnectionListener {
  readonly id: string;
  /** The name of the service in reports: the bound name without its namer where that is Marathon's. */
  readonly service: string;
  /** The app that its name is of; null where it is none of a scheduler's table. */
  readonly app: AppPort | null;
  readonly balancer: Balancer;
  readonly scope: ClientScope;
  readonly requeueBudget: RetryBudget;
  readonly attemptTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Whether its addresses are still being looked for. Each request asks. */
  isPending = true;
  private readonly addresses: AddressSet;
  private readonly now: () => number;
  /** Null where nobody waits, as most of the time. */
  private whenKnown: Set<() => void> | null = null;
  private stop: Unsubscribe | null = null;

  constructor(options: BoundClientOptions) {
    const { router, id, addresses, balance, random, now, accepts, instance } = options;
    this.id = id;
    this.service = id.startsWith(MARATHON_PREFIX) ? id.slice(MARATHON_PREFIX.length) : id;
    this.app = options.app ?? null;
    this.addresses = addresses;
    this.now = now;
    this.attemptTimeoutMs = options.attemptTimeoutMs;
    this.connectTimeoutMs = options.connectTimeoutMs;
    const limits = accepts === null ? {} : { accepts };
    const start = options.slowStart === undefined ? {} : { slowStart: options.slowStart };
    this.balancer = new Balancer(this.service, random, { params: balance, instance, ...limits, ...start });
    this.requeueBudget = new RetryBudget(now(), options.nodes, options.requeueBudget);
    const budget = (): number => this.requeueBudget.balance(now());
    this.scope = new ClientScope(router, id, { balancer: new BalancerView(this.balancer), budget, clock: now });
  }

  /** Follows the addresses from now on. */
  open(): void {
    this.stop = this.addresses.observe((change) => this.changed(change));
    this.changed({ kind: 'reset' });
  }

  close(): void {
    this.stop?.();
    this.stop = null;
    // Connections are closed with the instances that they belong to.
    this.balancer.update([]);
    // Who waits for it has to look again where its name leads now.
    this.tellWaiting();
  }

  /** Calls back once, when the addresses are known or cannot be had, or nobody is bound to this client any more. */
  onceKnown(listener: () => void): Unsubscribe {
    this.whenKnown ??= new Set();
    this.whenKnown.add(listener);
    return () => this.whenKnown?.delete(listener);
  }

  /** Why there is no address, where that is not for lack of instances. */
  get failure(): string | null {
    const { state } = this.addresses;
    if (state.kind === 'neg' && state.reason !== undefined) return `${this.id}: ${state.reason}`;
    return state.kind === 'failed' ? state.reason : null;
  }

  /** What it is like now, as plain JSON for people. */
  describe(): unknown {
    const { addresses, balancer } = this;
    const now = this.now();
    const { kind } = addresses.state;
    return { addresses: kind, size: balancer.size, load: balancer.load(), endpoints: balancer.describe(now) };
  }

  connected(latencyMs: number): void {
    this.scope.connected(latencyMs, this.now());
  }

  disconnected(): void {
    this.scope.disconnected();
  }

  private changed(change: AddressChange): void {
    const { state } = this.addresses;
    this.isPending = state.kind === 'pending';
    if (change.kind === 'patch') this.balancer.patch(change.set, change.unset, change.size);
    // What could not be found out again stays as it was: the last good addresses.
    else if (state.kind === 'bound') this.take(state.endpoints);
    else if (state.kind === 'neg') this.balancer.update([]);
    if (!this.isPending) this.tellWaiting();
  }

  private tellWaiting(): void {
    const listeners = this.whenKnown ?? [];
    this.whenKnown = null;
    for (const listener of listeners) listener();
  }

  /** Thousands at once would hold the loop: they are taken in slices, and requests go on with those that are there. */
  private take(endpoints: readonly Endpoint[]): void {
    const { balancer } = this;
    balancer.stage(endpoints);
    if (!balancer.advance(SLICE)) setImmediate(() => this.takeMore());
  }

  private takeMore(): void {
    if (this.stop !== null && !this.balancer.advance(SLICE)) setImmediate(() => this.takeMore());
  }
}

/** Endpoints that a balancer takes in one turn of the loop: some 100 µs. */
const SLICE = 250;
const MARATHON_PREFIX = '/#/io.l5d.marathon/';
