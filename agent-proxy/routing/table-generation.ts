/**
 * One state of the table: services with their endpoints by instance, agents, documents, the digest. Every change costs what it changes; the list of a service's endpoints is made again only when somebody asks for it.
 */
import type { DocumentRef, Endpoint, MeshDocument, Patch, PeerAgent, Service } from '../control/contract.ts';
import { TableDigest } from './digest.ts';
import { Documents } from './documents.ts';

/** What is different in one service. `set` holds endpoints that are new or not as they were. */
export interface ServiceChange {
  readonly name: string;
  readonly set: readonly Endpoint[];
  /** Instances that are gone. */
  readonly unset: readonly string[];
  /** How many endpoints it has now. */
  readonly size: number;
  /** The service was not in the table before, or it is to be looked at as if it had not been. */
  readonly isNew: boolean;
}

interface ServiceEntry {
  readonly endpoints: Map<string, Endpoint>;
  /** The entry as a list, which is never changed: whoever has got it may go through it slowly. */
  list: Service | null;
}

export class TableGeneration {
  readonly digest = new TableDigest();
  readonly documents = new Documents();
  private readonly entries = new Map<string, ServiceEntry>();
  private readonly agentsById = new Map<string, PeerAgent>();

  get serviceCount(): number {
    return this.entries.size;
  }

  get agentCount(): number {
    return this.agentsById.size;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  names(): IterableIterator<string> {
    return this.entries.keys();
  }

  service(name: string): Service | undefined {
    const entry = this.entries.get(name);
    return entry === undefined ? undefined : listOf(name, entry);
  }

  *services(): IterableIterator<Service> {
    for (const [name, entry] of this.entries) yield listOf(name, entry);
  }

  endpoint(service: string, instance: string): Endpoint | undefined {
    return this.entries.get(service)?.endpoints.get(instance);
  }

  /** The instances of a service, none where it is not known. */
  instances(service: string): Iterable<string> {
    return this.entries.get(service)?.endpoints.keys() ?? [];
  }

  size(service: string): number {
    return this.entries.get(service)?.endpoints.size ?? 0;
  }

  agent(agentId: string): PeerAgent | undefined {
    return this.agentsById.get(agentId);
  }

  agents(): IterableIterator<PeerAgent> {
    return this.agentsById.values();
  }

  /** The service has these endpoints and no others. */
  put({ name, endpoints }: Service): ServiceChange {
    const present = new Set(endpoints.map(({ instance }) => instance));
    const unset = [...this.instances(name)].filter((instance) => !present.has(instance));
    return this.change(name, endpoints, unset);
  }

  /** Some endpoints more, of a service that may be known or not. */
  append({ name, endpoints }: Service): ServiceChange {
    return this.change(name, endpoints, []);
  }

  /** Keeps this object for an endpoint that is the same: what lives long already need not be replaced by a copy. */
  share(service: string, endpoint: Endpoint): void {
    this.entries.get(service)?.endpoints.set(endpoint.instance, endpoint);
  }

  patch({ service, set, unset }: Patch): ServiceChange {
    const gone = unset.filter((instance) => this.entries.get(service)?.endpoints.has(instance));
    return this.change(service, set, gone);
  }

  drop(name: string): boolean {
    if (!this.entries.delete(name)) return false;
    this.digest.removeService(name);
    return true;
  }

  putAgent(agent: PeerAgent): void {
    this.agentsById.set(agent.agentId, agent);
    this.digest.setAgent(agent);
  }

  dropAgent(agentId: string): void {
    if (this.agentsById.delete(agentId)) this.digest.removeAgent(agentId);
  }

  putDocument(document: MeshDocument): void {
    this.documents.set(document);
    this.digest.setDocument(document);
  }

  dropDocument(ref: DocumentRef): void {
    if (this.documents.delete(ref)) this.digest.removeDocument(ref);
  }

  private change(name: string, endpoints: readonly Endpoint[], unset: readonly string[]): ServiceChange {
    let entry = this.entries.get(name);
    const isNew = entry === undefined;
    if (entry === undefined) {
      entry = { endpoints: new Map(), list: null };
      this.entries.set(name, entry);
      this.digest.addService(name);
    }
    for (const instance of unset) {
      entry.endpoints.delete(instance);
      this.digest.removeEndpoint(name, instance);
    }
    const set: Endpoint[] = [];
    for (const endpoint of endpoints) {
      if (!this.digest.setEndpoint(name, endpoint)) continue;
      entry.endpoints.set(endpoint.instance, endpoint);
      set.push(endpoint);
    }
    if (set.length > 0 || unset.length > 0) entry.list = null;
    return { name, set, unset, size: entry.endpoints.size, isNew };
  }
}

function listOf(name: string, entry: ServiceEntry): Service {
  entry.list ??= { name, endpoints: [...entry.endpoints.values()] };
  return entry.list;
}
