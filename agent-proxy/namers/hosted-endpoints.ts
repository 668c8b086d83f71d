/**
 * Endpoints of a list that names hosts: those with IP addresses count at once, the others as soon as their names are
 * resolved, and they follow their names as long as they are in the list.
 */
import type { Endpoint } from '../control/contract.ts';
import type { Unsubscribe } from '../routing/activity.ts';
import type { AddressSet } from '../routing/names.ts';
import type { AddressVar } from './address-var.ts';
import { addressOf, type InetAddresses } from './inet.ts';

/** What becomes of an endpoint whose host has these addresses, at least one. */
export type Place = (endpoint: Endpoint, addresses: readonly string[]) => readonly Endpoint[];

/** A task runs once, wherever its host's name leads: the first address. */
export function atFirstAddress(endpoint: Endpoint, addresses: readonly string[]): readonly Endpoint[] {
  const address = addresses[0] ?? endpoint.address;
  // On a network of its own a task has another address than its agent.
  const agentAddress = endpoint.agentAddress === endpoint.address ? address : endpoint.agentAddress;
  if (address === endpoint.address) return [endpoint];
  return [{ ...endpoint, address, agentAddress }];
}

/** Each address is an instance of its own. */
export function atEachAddress(endpoint: Endpoint, addresses: readonly string[]): readonly Endpoint[] {
  return addresses.map((address) => {
    const instance = `${address}:${endpoint.port}`;
    // A thousand services of addresses are not kept twice.
    const isAsWritten = endpoint.instance === instance && endpoint.agentAddress === address;
    return isAsWritten ? endpoint : { ...endpoint, instance, address, agentAddress: address };
  });
}

interface Host {
  readonly addresses: AddressSet;
  readonly stop: Unsubscribe;
}

export class HostedEndpoints {
  private readonly inet: InetAddresses;
  private readonly target: AddressVar;
  private readonly place: Place;
  /** Null where all addresses are literals. */
  private hosts: Map<string, Host> | null = null;
  private endpoints: readonly Endpoint[] = [];

  /** What is known is set on `target`. */
  constructor(inet: InetAddresses, target: AddressVar, place: Place) {
    this.inet = inet;
    this.target = target;
    this.place = place;
  }

  /** These endpoints and no others. The `address` of each may be a name. */
  set(endpoints: readonly Endpoint[]): void {
    this.endpoints = endpoints;
    const named = new Set(endpoints.map(({ address }) => address).filter((address) => addressOf(address) === null));
    for (const [name, { stop }] of this.hosts ?? []) {
      if (named.has(name)) continue;
      stop();
      this.hosts?.delete(name);
    }
    for (const name of named) {
      this.hosts ??= new Map();
      if (this.hosts.has(name)) continue;
      // Only the addresses are asked for: the port of each endpoint stays its own.
      const addresses = this.inet.of(name, 0);
      this.hosts.set(name, { addresses, stop: addresses.observe(() => this.publish()) });
    }
    this.publish();
  }

  /** Follows no name any longer. */
  close(): void {
    for (const { stop } of this.hosts?.values() ?? []) stop();
    this.hosts = null;
  }

  private publish(): void {
    const placed = new Map<string, Endpoint>();
    let pending = false;
    let reason: string | null = null;
    for (const endpoint of this.endpoints) {
      const literal = addressOf(endpoint.address);
      const state = this.hosts?.get(endpoint.address)?.addresses.state;
      let found: readonly string[] = [];
      if (literal !== null) found = [literal];
      else if (state?.kind === 'bound') found = state.endpoints.map(({ address }) => address);
      else if (state?.kind === 'failed') reason = state.reason;
      else if (state?.kind === 'neg') reason = `there is no host '${endpoint.address}'`;
      else pending = true;
      if (found.length === 0) continue;
      for (const each of this.place(endpoint, found)) placed.set(each.instance, each);
    }
    if (placed.size > 0 || this.endpoints.length === 0) this.target.bound([...placed.values()]);
    else if (!pending) this.target.failed(reason ?? 'no host of the list has an address');
  }
}
