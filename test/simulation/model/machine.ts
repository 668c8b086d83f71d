/** A machine, whatever agent runs on it: its address, its attributes, what it has, and what others have taken of it. */
import type { Attribute, Offer, ReservationInfo } from '../../../framework/mesos-http-client/messages.ts';
import type { Rng } from '../rng.ts';
import type { Agent } from './agent.ts';
import { ALL_PORTS, type Amounts, Pools, rangesOf } from './pools.ts';

const PUBLIC: readonly ReservationInfo[] = [{ type: 'STATIC', role: 'slave_public' }];
const NOBODY: readonly ReservationInfo[] = [];

export class Machine {
  readonly name: string;
  readonly ip: string;
  readonly isPublic: boolean;
  readonly region: string;
  readonly zone: string;
  /** Whose the resources are, before anybody reserves anything. */
  readonly base: readonly ReservationInfo[];
  readonly size: Amounts;
  /** What another framework has of it. */
  others: Amounts = { cpus: 0, mem: 0, disk: 0, ports: 0 };
  agent: Agent | null = null;
  /** Nothing gets through between the leading scheduler and the proxy. */
  isControlCut = false;
  /** By the operator's schedule. Milliseconds since the epoch. */
  maintenance: { readonly from: number; readonly until: number } | null = null;
  #rack: string;
  #attributes: Attribute[] = [];

  constructor(number: number, rng: Rng) {
    this.name = `h${number}`;
    this.ip = `10.0.0.${number}`;
    this.isPublic = rng.chance(0.15);
    this.region = 'r1';
    this.zone = `z${1 + (number % 3)}`;
    this.base = this.isPublic ? PUBLIC : NOBODY;
    this.size = { cpus: rng.pick([1000, 2000, 4000]), mem: 2048, disk: 4096, ports: ALL_PORTS };
    this.#rack = '';
    this.rack = rng.pick(['a', 'b', 'c']);
  }

  get rack(): string {
    return this.#rack;
  }

  set rack(rack: string) {
    this.#rack = rack;
    this.#attributes = [{ name: 'rack', type: 'TEXT', text: { value: rack } }];
  }

  get attributes(): Attribute[] {
    return this.#attributes;
  }

  get portRanges() {
    return rangesOf(this.size.ports);
  }

  /** Without any reservation of ours. */
  whole(): Pools {
    const pools = new Pools();
    pools.add(this.base, this.size);
    return pools;
  }

  isAway(now: number): boolean {
    return this.maintenance !== null && this.maintenance.from <= now && now < this.maintenance.until;
  }

  /** The part of an offer that says where it is. */
  get place(): Pick<Offer, 'hostname' | 'url' | 'domain' | 'attributes'> {
    return {
      hostname: this.name,
      url: { scheme: 'http', address: { hostname: this.name, ip: this.ip, port: 5051 } },
      domain: { fault_domain: { region: { name: this.region }, zone: { name: this.zone } } },
      attributes: this.#attributes,
    };
  }
}
