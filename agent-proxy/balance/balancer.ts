/**
 * The balancer of one service: digests updates of the table and outcomes of requests, and makes pickers. Instances keep
 * their load and their ejection across updates.
 */
import type { Endpoint } from '../control/contract.ts';
import { Instance } from './instance.ts';
import { Picker } from './picker.ts';

export interface BalancerOptions {
  /** Limits it to some endpoints: the incoming router's balances over the local ones. */
  readonly accepts: (endpoint: Endpoint) => boolean;
  /** Who keeps the instances, where others share them. */
  readonly instance: (endpoint: Endpoint) => Instance;
}

const ALL: BalancerOptions = { accepts: () => true, instance: (endpoint) => new Instance(endpoint) };

export class Balancer {
  private readonly service: string;
  private readonly random: () => number;
  private readonly options: BalancerOptions;
  private readonly instances = new Map<string, Instance>();
  private known = 0;
  picker: Picker;

  constructor(service: string, random: () => number, options: BalancerOptions = ALL) {
    this.service = service;
    this.random = random;
    this.options = options;
    this.picker = this.makePicker();
  }

  /** Instances that take traffic. */
  get size(): number {
    return this.instances.size;
  }

  available(now: number): number {
    let count = 0;
    for (const instance of this.instances.values()) if (!instance.isEjected(now)) count += 1;
    return count;
  }

  load(): number {
    let sum = 0;
    for (const instance of this.instances.values()) sum += instance.inflight;
    return sum;
  }

  /** These endpoints and no others. */
  update(endpoints: readonly Endpoint[]): void {
    const present = new Set(endpoints.map(({ instance }) => instance));
    const unset = [...this.instances.keys()].filter((id) => !present.has(id));
    this.patch(endpoints, unset, endpoints.length);
  }

  /** Some endpoints are new or different, some instances are gone; `known` is the number of endpoints in all. */
  patch(set: readonly Endpoint[], unset: readonly string[], known: number): void {
    let others = known !== this.known;
    this.known = known;
    for (const id of unset) if (this.instances.delete(id)) others = true;
    for (const endpoint of set) if (this.take(endpoint)) others = true;
    // Where only a weight or an address is another, the picker has the same instances.
    if (others) this.picker = this.makePicker();
  }

  /** Whether that made the instances others. */
  private take(endpoint: Endpoint): boolean {
    if (endpoint.state !== 'ready' || !this.options.accepts(endpoint)) return this.instances.delete(endpoint.instance);
    const instance = this.instances.get(endpoint.instance);
    if (instance === undefined) this.instances.set(endpoint.instance, this.options.instance(endpoint));
    else instance.update(endpoint);
    return instance === undefined;
  }

  private makePicker(): Picker {
    const detail = `${this.known} instances of ${this.service} are known, and none of them takes traffic here`;
    return new Picker([...this.instances.values()], { code: 'no-endpoint', detail }, this.random);
  }
}
