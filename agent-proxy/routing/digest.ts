/**
 * A digest of a table of services and agents that scheduler and proxy both keep up to date for the price of what
 * changed: the XOR of one hash an entry, so order does not matter and an update is two XORs. Entries are the endpoints,
 * the services (one without endpoints is known too), the agents and the documents.
 */
import { hash } from 'node:crypto';
import type { DocumentRef, Endpoint, MeshDocument, PeerAgent, Service } from '../control/contract.ts';
import { documentKey } from './documents.ts';

interface ServiceEntry {
  readonly hash: bigint;
  readonly endpoints: Map<string, bigint>;
}

export class TableDigest {
  private readonly services = new Map<string, ServiceEntry>();
  private readonly agents = new Map<string, bigint>();
  private readonly documents = new Map<string, bigint>();
  private sum = 0n;

  /** The service has these endpoints and no others. */
  setService({ name, endpoints }: Service): void {
    this.removeService(name);
    this.addService(name);
    for (const endpoint of endpoints) this.setEndpoint(name, endpoint);
  }

  /** The service is known, with the endpoints that it has. */
  addService(name: string): ServiceEntry {
    const known = this.services.get(name);
    if (known !== undefined) return known;
    const entry = { hash: hashOf(['service', name]), endpoints: new Map<string, bigint>() };
    this.services.set(name, entry);
    this.sum ^= entry.hash;
    return entry;
  }

  removeService(name: string): void {
    const entry = this.services.get(name);
    if (entry === undefined) return;
    this.services.delete(name);
    this.sum ^= entry.hash;
    for (const each of entry.endpoints.values()) this.sum ^= each;
  }

  /** Whether that made a difference. */
  setEndpoint(service: string, endpoint: Endpoint): boolean {
    const { endpoints } = this.addService(service);
    const before = endpoints.get(endpoint.instance);
    const after = endpointHash(service, endpoint);
    if (before === after) return false;
    this.sum ^= (before ?? 0n) ^ after;
    endpoints.set(endpoint.instance, after);
    return true;
  }

  removeEndpoint(service: string, instance: string): void {
    const endpoints = this.services.get(service)?.endpoints;
    this.sum ^= endpoints?.get(instance) ?? 0n;
    endpoints?.delete(instance);
  }

  /** Whether this endpoint is in the other table too, and the same there. */
  agrees(other: TableDigest, service: string, instance: string): boolean {
    const own = this.services.get(service)?.endpoints.get(instance);
    return own !== undefined && own === other.services.get(service)?.endpoints.get(instance);
  }

  setAgent(agent: PeerAgent): void {
    const { agentId, address, incomingPort, ready } = agent;
    this.removeAgent(agentId);
    const entry = hashOf(['agent', agentId, address, incomingPort, ready]);
    this.agents.set(agentId, entry);
    this.sum ^= entry;
  }

  removeAgent(agentId: string): void {
    this.sum ^= this.agents.get(agentId) ?? 0n;
    this.agents.delete(agentId);
  }

  setDocument(document: MeshDocument): void {
    this.removeDocument(document);
    const entry = hashOf(['document', sorted(document)]);
    this.documents.set(documentKey(document), entry);
    this.sum ^= entry;
  }

  removeDocument(ref: DocumentRef): void {
    const key = documentKey(ref);
    this.sum ^= this.documents.get(key) ?? 0n;
    this.documents.delete(key);
  }

  /** 16 hexadecimal digits. */
  value(): string {
    return digestText(this.sum);
  }

  /** As a table of this service alone would have it; of one that is not known, as if it had no endpoints. */
  ofService(name: string): string {
    const entry = this.services.get(name);
    let sum = entry?.hash ?? hashOf(['service', name]);
    for (const each of entry?.endpoints.values() ?? []) sum ^= each;
    return digestText(sum);
  }
}

/** A sum of hashes as digests are written. */
export function digestText(sum: bigint): string {
  return sum.toString(16).padStart(16, '0');
}

/**
 * What is hashed belongs to the contract: exactly these fields, in this order. A field that is added to the endpoint
 * later stays out of it, or a scheduler and a proxy of two versions would never agree.
 */
function endpointHash(service: string, endpoint: Endpoint): bigint {
  const { instance, address, port, ports, agentId, agentAddress, weight, state, labels } = endpoint;
  return hashOf([
    'endpoint',
    service,
    instance,
    address,
    port,
    ports.map((named) => [named.name, named.port]),
    agentId,
    agentAddress,
    weight,
    state,
    Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}

/** The same for the same content, in whatever order its fields were written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => [key, sorted(each)]);
}

function hashOf(parts: readonly unknown[]): bigint {
  return BigInt(`0x${hash('sha256', JSON.stringify(parts)).slice(0, 16)}`);
}
