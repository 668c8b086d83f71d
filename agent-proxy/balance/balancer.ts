/**
 * The balancer of one bound name: digests updates of the table, keeps the instances with their load and their ejection from
 * one update to the next, and gives them to the picker that requests see.
 */
import type { Endpoint } from '../control/contract.ts';
import { algorithmFor } from './algorithms.ts';
import { Instance } from './instance.ts';
import { type BalanceParams, DEFAULT_BALANCE } from './params.ts';
import type { Algorithm, Picker, Refusal } from './picker.ts';
import { Siblings } from './siblings.ts';
import { SlowStart } from './slow-start.ts';
import { WithReserve } from './with-reserve.ts';

export interface BalancerOptions {
  readonly params?: BalanceParams;
  /** Limits it to some endpoints: the incoming router's balances over the local ones. */
  readonly accepts?: (endpoint: Endpoint) => boolean;
  /** Makes an instance, where it has to be more than that. An instance belongs to one balancer. */
  readonly instance?: (endpoint: Endpoint, siblings: Siblings) => Instance;
  /** Over how long the weight of a new instance grows. `wallClock`: milliseconds since the epoch. */
  readonly slowStart?: { readonly overMs: number; readonly wallClock: () => number };
}

export class Balancer {
  /** The counters of failure accrual are in here. */
  readonly siblings: Siblings;
  /** Counters: instances that came and went, and what brought that. */
  readonly changes = { adds: 0, removes: 0, updates: 0 };
  private readonly service: string;
  private readonly accepts: (endpoint: Endpoint) => boolean;
  private readonly makeInstance: (endpoint: Endpoint, siblings: Siblings) => Instance;
  /** Over those that are ready. */
  private readonly algorithm: Algorithm;
  /** Over those of which Mesos has lost sight: nearly always none, and then there is no such algorithm. */
  private reserve: Algorithm | null = null;
  private readonly suspects = new Set<Instance>();
  private readonly slowStart: SlowStart | null;
  private current: Picker;
  /** By id; also those that take no traffic now and may come back. */
  private readonly instances = new Map<string, Instance>();
  private readonly isLimited: boolean;
  private known = 0;
  /** What is left of an update that is taken in slices. */
  private staged: readonly Endpoint[] = [];
  private stagedFrom = 0;

  constructor(service: string, random: () => number, options: BalancerOptions = {}) {
    this.service = service;
    this.siblings = new Siblings(options.params ?? DEFAULT_BALANCE, random);
    this.isLimited = options.accepts !== undefined;
    this.accepts = options.accepts ?? (() => true);
    this.makeInstance = options.instance ?? ((endpoint, siblings) => new Instance(endpoint, siblings));
    this.algorithm = algorithmFor(this.siblings);
    this.current = this.algorithm;
    const { slowStart } = options;
    this.slowStart = slowStart === undefined ? null : new SlowStart(slowStart.overMs, slowStart.wallClock);
  }

  /** The one of now: to be asked for with each pick. */
  get picker(): Picker {
    return this.current;
  }

  /** Instances that take traffic. */
  get size(): number {
    return this.siblings.size;
  }

  /** Of these, those that are open to requests. */
  available(now: number): number {
    let count = 0;
    for (const instance of this.instances.values()) if (!instance.draining && instance.isAvailable(now)) count += 1;
    return count;
  }

  /** Requests on their way. */
  load(): number {
    let sum = 0;
    for (const { inflight } of this.instances.values()) sum += inflight;
    return sum;
  }

  /** Instances that take none any more, and are kept because they may come back. */
  draining(): number {
    return this.instances.size - this.siblings.size;
  }

  /** `address:port` of each, for people; the first few of many. */
  addresses(): string[] {
    const shown: string[] = [];
    for (const { endpoint } of this.instances.values()) {
      if (shown.length === MOST_SHOWN) break;
      shown.push(`${endpoint.address}:${endpoint.port}`);
    }
    return shown;
  }

  /** Each instance as it is now, for people; the first few of many. */
  describe(now: number): Shown[] {
    const shown: Shown[] = [];
    for (const instance of this.instances.values()) {
      if (shown.length === MOST_SHOWN) break;
      const { instance: id, address, port } = instance.endpoint;
      const state = instance.draining ? 'draining' : instance.gate(now);
      shown.push({ instance: id, address: `${address}:${port}`, state, inflight: instance.inflight });
    }
    return shown;
  }

  find(id: string): Instance | null {
    return this.instances.get(id) ?? null;
  }

  /** One of those that take traffic and are open, of which this holds; null for none. */
  findOpen(holds: (instance: Instance) => boolean, now: number): Instance | null {
    for (const instance of this.instances.values()) {
      if (!instance.draining && instance.isAvailable(now) && holds(instance)) return instance;
    }
    return null;
  }

  /** Why the picker found nothing. */
  refusal(tried: readonly Instance[]): Refusal {
    const { service, known, size } = this;
    if (this.isLimited && known > 0 && this.instances.size === 0) {
      return { code: 'nack', detail: `of ${known} instances of ${service} none is on this node` };
    }
    if (size === 0) {
      const detail = `${known} instances of ${service} are known, and none of them takes traffic here`;
      return { code: 'no-endpoint', detail };
    }
    const detail = `of ${size} instances of ${service} this request has tried ${tried.length}, and ${this.siblings.closed} are out of use`;
    return { code: 'breaker', detail };
  }

  /** These endpoints and no others. */
  update(endpoints: readonly Endpoint[]): void {
    this.stage(endpoints);
    this.advance(endpoints.length);
  }

  /**
   * The same for thousands of endpoints, so that no request waits for all of them: what is gone goes at once, and each
   * `advance` takes so many of the others. Any other change finishes it first.
   */
  stage(endpoints: readonly Endpoint[]): void {
    this.changes.updates += 1;
    this.staged = endpoints;
    this.stagedFrom = 0;
    this.known = endpoints.length;
    const present = new Set<string>();
    for (const { instance } of endpoints) present.add(instance);
    for (const [id, instance] of this.instances) if (!present.has(id)) this.forget(instance);
  }

  /** Says whether all is done. */
  advance(count: number): boolean {
    const to = Math.min(this.stagedFrom + count, this.staged.length);
    for (; this.stagedFrom < to; this.stagedFrom += 1) {
      const endpoint = this.staged[this.stagedFrom];
      if (endpoint !== undefined) this.take(endpoint);
    }
    if (to < this.staged.length) return false;
    this.staged = [];
    this.stagedFrom = 0;
    return true;
  }

  /** Some endpoints are new or different, some instances are gone; `known` is the number of endpoints in all. */
  patch(set: readonly Endpoint[], unset: readonly string[], known: number): void {
    this.changes.updates += 1;
    this.advance(this.staged.length);
    for (const id of unset) {
      const instance = this.instances.get(id);
      if (instance !== undefined) this.forget(instance);
    }
    for (const endpoint of set) this.take(endpoint);
    this.known = known;
  }

  private take(endpoint: Endpoint): void {
    const known = this.instances.get(endpoint.instance);
    if (!this.accepts(endpoint)) {
      if (known !== undefined) this.forget(known);
      return;
    }
    if (known === undefined) {
      if (takesTraffic(endpoint)) this.add(this.makeInstance(endpoint, this.siblings));
      return;
    }
    known.update(endpoint);
    this.slowStart?.take(known);
    if (!takesTraffic(endpoint)) this.retire(known);
    else if (known.draining) this.add(known);
    else if (this.suspects.has(known) !== isSuspect(endpoint)) this.move(known);
    else this.homeOf(known).reweigh(known);
  }

  /** Gives young instances the weight of now. To be called a few times a second. */
  ramp(): void {
    this.slowStart?.advance((instance) => {
      if (!instance.draining) this.homeOf(instance).reweigh(instance);
    });
  }

  private add(instance: Instance): void {
    this.instances.set(instance.endpoint.instance, instance);
    this.changes.adds += 1;
    instance.join();
    this.slowStart?.take(instance);
    this.settle(instance);
  }

  private settle(instance: Instance): void {
    if (isSuspect(instance.endpoint)) this.suspects.add(instance);
    this.homeOf(instance).add(instance);
    this.choosePicker();
  }

  private unsettle(instance: Instance): void {
    this.homeOf(instance).remove(instance);
    this.suspects.delete(instance);
    this.choosePicker();
  }

  private move(instance: Instance): void {
    this.unsettle(instance);
    this.settle(instance);
  }

  private homeOf(instance: Instance): Algorithm {
    if (!this.suspects.has(instance)) return this.algorithm;
    this.reserve ??= algorithmFor(this.siblings);
    return this.reserve;
  }

  private choosePicker(): void {
    if (this.suspects.size === 0 || this.reserve === null) this.current = this.algorithm;
    else if (this.current === this.algorithm) this.current = new WithReserve(this.algorithm, this.reserve);
  }

  private retire(instance: Instance): void {
    if (instance.draining) return;
    this.changes.removes += 1;
    this.unsettle(instance);
    this.slowStart?.forget(instance);
    instance.leave();
  }

  private forget(instance: Instance): void {
    this.retire(instance);
    this.instances.delete(instance.endpoint.instance);
  }
}

function isSuspect({ state }: Endpoint): boolean {
  return state === 'suspect';
}

function takesTraffic({ state }: Endpoint): boolean {
  return state === 'ready' || state === 'suspect';
}

/** Addresses in one answer. */
const MOST_SHOWN = 100;

interface Shown {
  readonly instance: string;
  readonly address: string;
  readonly state: string;
  readonly inflight: number;
}
