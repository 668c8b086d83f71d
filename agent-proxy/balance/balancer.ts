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
  picker: Picker;

  constructor(service: string, random: () => number, options: BalancerOptions = ALL) {
    this.service = service;
    this.random = random;
    this.options = options;
    this.picker = this.makePicker(0);
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

  update(endpoints: readonly Endpoint[]): void {
    const present = new Set<string>();
    for (const endpoint of endpoints) {
      if (endpoint.state !== 'ready' || !this.options.accepts(endpoint)) continue;
      present.add(endpoint.instance);
      const known = this.instances.get(endpoint.instance);
      if (known === undefined) this.instances.set(endpoint.instance, this.options.instance(endpoint));
      else known.update(endpoint);
    }
    for (const id of this.instances.keys()) if (!present.has(id)) this.instances.delete(id);
    this.picker = this.makePicker(endpoints.length);
  }

  private makePicker(known: number): Picker {
    const detail = `${known} instances of ${this.service} are known, and none of them takes traffic here`;
    return new Picker([...this.instances.values()], { code: 'no-endpoint', detail }, this.random);
  }
}
