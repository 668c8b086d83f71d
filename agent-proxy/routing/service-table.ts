/**
 * The table of services and agents that a proxy routes by: applies the frames of the control stream, answers look-ups
 * by host name, keeps a digest for anti-entropy. A snapshot is collected beside the table and takes its place in one
 * step at its end, so that a request sees the old table or the new one and never half of either.
 */
import type { Frame, PeerAgent, Service } from '../control/contract.ts';
import { TableDigest } from './digest.ts';
import { HostIndex, normalizeHost } from './host-names.ts';

/** The frames that make a table. */
export type TableFrame = Extract<Frame, { type: 'snapshot-begin' | 'services' | 'agents' | 'snapshot-end' | 'delta' }>;

/**
 * What became of a frame: `staged` belongs to a snapshot that is not complete yet; `gap` could not be applied and the
 * table is as it was (subscribe again).
 */
export type Applied =
  | { readonly kind: 'applied' }
  | { readonly kind: 'staged' }
  | { readonly kind: 'gap'; readonly reason: string };

/** What a frame changed. A service that is the same as before is not among them. */
export interface TableChange {
  readonly upserted: readonly Service[];
  readonly removed: readonly string[];
  readonly agents: readonly PeerAgent[];
  readonly agentsRemoved: readonly string[];
}

export type TableListener = (change: TableChange) => void;

/** All that a proxy keeps on disk of its table. */
export interface TableContents {
  readonly revision: number;
  readonly services: readonly Service[];
  readonly agents: readonly PeerAgent[];
}

interface Generation {
  readonly services: Map<string, Service>;
  readonly agents: Map<string, PeerAgent>;
  readonly hosts: HostIndex;
  readonly digest: TableDigest;
}

interface Staging extends Generation {
  readonly revision: number;
}

const APPLIED: Applied = { kind: 'applied' };
const STAGED: Applied = { kind: 'staged' };

function emptyGeneration(): Generation {
  return { services: new Map(), agents: new Map(), hosts: new HostIndex(), digest: new TableDigest() };
}

function gap(reason: string): Applied {
  return { kind: 'gap', reason };
}

export class ServiceTable {
  private current: Generation = emptyGeneration();
  private staging: Staging | null = null;
  private at: number | null = null;
  private readonly listeners = new Set<TableListener>();

  /** The revision of the table, 0 while there is none. */
  get revision(): number {
    return this.at ?? 0;
  }

  /** Whether there is a table: from a complete snapshot or from disk. */
  get ready(): boolean {
    return this.at !== null;
  }

  get serviceCount(): number {
    return this.current.services.size;
  }

  get agentCount(): number {
    return this.current.agents.size;
  }

  /** Digest of the table at its revision, as the scheduler keeps one too. */
  digest(): string {
    return this.current.digest.value();
  }

  /** The service that a host name means: any case, with or without a port and a trailing dot. */
  lookup(host: string): Service | undefined {
    const name = this.current.hosts.lookup(normalizeHost(host));
    return name === undefined ? undefined : this.current.services.get(name);
  }

  service(name: string): Service | undefined {
    return this.current.services.get(name);
  }

  agent(agentId: string): PeerAgent | undefined {
    return this.current.agents.get(agentId);
  }

  services(): IterableIterator<Service> {
    return this.current.services.values();
  }

  agents(): IterableIterator<PeerAgent> {
    return this.current.agents.values();
  }

  /** The listener hears of every change, after the table has it. Returns how to stop. */
  onChange(listener: TableListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Takes what was on disk. */
  restore(contents: TableContents): void {
    const next = emptyGeneration();
    for (const service of contents.services) put(next, service);
    for (const agent of contents.agents) putAgent(next, agent);
    this.swap(next, contents.revision);
  }

  /** Forgets a snapshot that was not completed, because its stream ended. */
  abandonSnapshot(): void {
    this.staging = null;
  }

  apply(frame: TableFrame): Applied {
    switch (frame.type) {
      case 'snapshot-begin':
        this.staging = { ...emptyGeneration(), revision: frame.revision };
        return STAGED;
      case 'services': {
        const staging = this.staged(frame.revision);
        if (staging === null) return gap(`services of revision ${frame.revision} outside of its snapshot`);
        for (const service of frame.services) put(staging, this.unlessSame(service));
        return STAGED;
      }
      case 'agents': {
        const staging = this.staged(frame.revision);
        if (staging === null) return gap(`agents of revision ${frame.revision} outside of its snapshot`);
        for (const agent of frame.agents) putAgent(staging, this.unlessSameAgent(agent));
        return STAGED;
      }
      case 'snapshot-end': {
        const staging = this.staged(frame.revision);
        if (staging === null) return gap(`the end of snapshot ${frame.revision} without its beginning`);
        this.staging = null;
        const digest = staging.digest.value();
        if (digest !== frame.digest) {
          return gap(`snapshot ${frame.revision} has digest ${digest}, and the scheduler says ${frame.digest}`);
        }
        this.swap(staging, frame.revision);
        return APPLIED;
      }
      case 'delta': {
        if (this.at === null) return gap(`delta ${frame.revision} before any snapshot`);
        if (frame.base !== this.at) return gap(`delta ${frame.revision} is based on ${frame.base}, not on ${this.at}`);
        const { current } = this;
        for (const name of frame.remove) drop(current, name);
        for (const service of frame.upsert) put(current, service);
        for (const agentId of frame.agentsRemoved) dropAgent(current, agentId);
        for (const agent of frame.agents) putAgent(current, agent);
        this.at = frame.revision;
        const upserted = new Set(frame.upsert.map((service) => service.name));
        const returned = new Set(frame.agents.map((agent) => agent.agentId));
        this.tell({
          upserted: frame.upsert,
          removed: frame.remove.filter((name) => !upserted.has(name)),
          agents: frame.agents,
          agentsRemoved: frame.agentsRemoved.filter((agentId) => !returned.has(agentId)),
        });
        return APPLIED;
      }
    }
  }

  private staged(revision: number): Staging | null {
    return this.staging !== null && this.staging.revision === revision ? this.staging : null;
  }

  /** The object that the table has already, if it says the same: then the swap knows by identity what changed. */
  private unlessSame(service: Service): Service {
    const known = this.current.services.get(service.name);
    return known !== undefined && JSON.stringify(known) === JSON.stringify(service) ? known : service;
  }

  private unlessSameAgent(agent: PeerAgent): PeerAgent {
    const known = this.current.agents.get(agent.agentId);
    return known !== undefined && JSON.stringify(known) === JSON.stringify(agent) ? known : agent;
  }

  private swap(next: Generation, revision: number): void {
    const before = this.current;
    this.current = { services: next.services, agents: next.agents, hosts: next.hosts, digest: next.digest };
    this.at = revision;
    const upserted: Service[] = [];
    const agents: PeerAgent[] = [];
    for (const service of next.services.values()) {
      if (before.services.get(service.name) !== service) upserted.push(service);
    }
    for (const agent of next.agents.values()) if (before.agents.get(agent.agentId) !== agent) agents.push(agent);
    this.tell({
      upserted,
      removed: [...before.services.keys()].filter((name) => !next.services.has(name)),
      agents,
      agentsRemoved: [...before.agents.keys()].filter((agentId) => !next.agents.has(agentId)),
    });
  }

  private tell(change: TableChange): void {
    for (const listener of this.listeners) listener(change);
  }
}

function put(generation: Generation, service: Service): void {
  if (!generation.services.has(service.name)) generation.hosts.add(service.name);
  generation.services.set(service.name, service);
  generation.digest.setService(service);
}

function drop(generation: Generation, name: string): void {
  if (!generation.services.delete(name)) return;
  generation.hosts.remove(name);
  generation.digest.removeService(name);
}

function putAgent(generation: Generation, agent: PeerAgent): void {
  generation.agents.set(agent.agentId, agent);
  generation.digest.setAgent(agent);
}

function dropAgent(generation: Generation, agentId: string): void {
  if (generation.agents.delete(agentId)) generation.digest.removeAgent(agentId);
}
