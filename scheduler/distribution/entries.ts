/**
 * Endpoints and agents as they stand in a frame: encoded once, then only put together, and compared by their text.
 */
import type { Endpoint, Service } from '../../agent-proxy/control/contract.ts';
import { RECORD_BUDGET } from './records.ts';

export interface Entry<T> {
  readonly value: T;
  /** As it stands in a frame. */
  readonly json: string;
  readonly bytes: number;
}

/** A service's endpoints by instance. */
export type EndpointEntries = ReadonlyMap<string, Entry<Endpoint>>;

/** What is different in a service that was and is. */
export interface EndpointChanges {
  readonly set: readonly Entry<Endpoint>[];
  readonly unset: readonly string[];
}

export function entryOf<T>(value: T): Entry<T> {
  const json = JSON.stringify(value);
  return { value, json, bytes: Buffer.byteLength(json) };
}

/** What a string takes in a frame. */
export function textBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

/** The braces and keys around the endpoints of a service, whether it is upserted or patched, and its name. */
export function serviceBytes(name: string): number {
  return '{"service":,"set":[],"unset":[]},'.length + textBytes(name);
}

/** The endpoints that a frame can hold, by instance; and the instances whose endpoint alone is too large for any. */
export function endpointEntries({ name, endpoints }: Service): { entries: EndpointEntries; leftOut: string[] } {
  const budget = RECORD_BUDGET - serviceBytes(name);
  const entries = new Map<string, Entry<Endpoint>>();
  const leftOut: string[] = [];
  for (const endpoint of endpoints) {
    const entry = entryOf(endpoint);
    if (Math.max(entry.bytes, textBytes(endpoint.instance)) < budget) entries.set(endpoint.instance, entry);
    else leftOut.push(endpoint.instance);
  }
  return { entries, leftOut };
}

export function changesBetween(before: EndpointEntries, after: EndpointEntries): EndpointChanges {
  return {
    set: [...after].filter(([instance, { json }]) => before.get(instance)?.json !== json).map(([, entry]) => entry),
    unset: [...before.keys()].filter((instance) => !after.has(instance)),
  };
}
