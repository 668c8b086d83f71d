/**
 * The table of services, agents and documents that a proxy routes by: applies the frames of the control stream, keeps a
 * digest for anti-entropy. A snapshot is collected beside the table and takes its place in one
 * step at its end, so that a request sees the old table or the new one and never half of either.
 *
 * In the scope `bound` the table has no endpoints. They come service by service, for those that are wanted, and stand beside
 * it: a service that has some and of which none have come is *unfilled*.
 */
import type { Delta, DocumentKind, DocumentOf, Frame, MeshDocument, PeerAgent, Service } from '../control/contract.ts';
import { documentKey } from './documents.ts';
import { FilledServices, type FillFrame } from './filled-services.ts';
import { StagedSnapshot, type TableChange } from './staged-snapshot.ts';
import { type ServiceChange, TableGeneration } from './table-generation.ts';
import { WantedServices } from './wanted-services.ts';

/** The frames that make a table. */
export type TableFrame =
  | Extract<
      Frame,
      { type: 'snapshot-begin' | 'services' | 'agents' | 'documents' | 'snapshot-end' | 'resume' | 'delta' }
    >
  | FillFrame;

/** What workers say to each other of it. `keep`: of no other services have endpoints come one by one. */
export type WorkerFrame = TableFrame | { readonly type: 'keep'; readonly services: readonly string[] };

/**
 * What became of a frame: `staged` belongs to a snapshot that is not complete yet; `gap` could not be applied and the
 * table is as it was (subscribe again).
 */
export type Applied =
  | { readonly kind: 'applied' }
  | { readonly kind: 'staged' }
  | { readonly kind: 'gap'; readonly reason: string };

export type TableListener = (change: TableChange) => void;

/** All that a proxy keeps on disk of its table. */
export interface TableContents {
  readonly revision: number;
  readonly services: readonly Service[];
  readonly agents: readonly PeerAgent[];
  readonly documents: readonly MeshDocument[];
  /** Whose endpoints came one by one. */
  readonly filled: readonly Service[];
}

const NOTHING: TableChange = {
  services: [],
  removed: [],
  agents: [],
  agentsRemoved: [],
  documents: [],
  documentsRemoved: [],
};
const APPLIED: Applied = { kind: 'applied' };
const STAGED: Applied = { kind: 'staged' };

function gap(reason: string): Applied {
  return { kind: 'gap', reason };
}

export class ServiceTable {
  /** Services whose addresses somebody follows. */
  readonly wanted = new WantedServices();
  /** False: the table that comes next has all endpoints itself. */
  isBoundScope = true;
  private current = new TableGeneration();
  private readonly filled = new FilledServices();
  private staging: StagedSnapshot | null = null;
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

  /** Whether a snapshot is on its way. */
  get isStaging(): boolean {
    return this.staging !== null;
  }

  get serviceCount(): number {
    return this.current.serviceCount;
  }

  get agentCount(): number {
    return this.current.agentCount;
  }

  /** Digest of the table at its revision, as the scheduler keeps one too. */
  digest(): string {
    return this.current.digest.value();
  }

  /** What came service by service, as one digest. */
  filledDigest(): string {
    return this.filled.digest();
  }

  /** Services whose endpoints came one by one, each with their digest. */
  filledDigests(): [string, string][] {
    return this.filled.digests();
  }

  /** The service as it is now; what is returned stays as it is when the table changes. An unfilled one has no endpoints here. */
  service(name: string): Service | undefined {
    const own = this.current.service(name);
    return own === undefined ? undefined : (this.filled.service(name) ?? own);
  }

  /** Whether the service has endpoints that are not here. */
  isUnfilled(name: string): boolean {
    return this.document('outline', name) !== undefined && this.current.has(name) && !this.filled.has(name);
  }

  /** How many endpoints the service has, -1 where there is no such service; of an unfilled one 1: there are some. */
  size(name: string): number {
    return this.isUnfilled(name) ? 1 : (this.service(name)?.endpoints.length ?? -1);
  }

  agent(agentId: string): PeerAgent | undefined {
    return this.current.agent(agentId);
  }

  *services(): IterableIterator<Service> {
    for (const service of this.current.services()) yield this.filled.service(service.name) ?? service;
  }

  agents(): IterableIterator<PeerAgent> {
    return this.current.agents();
  }

  document<Kind extends DocumentKind>(kind: Kind, name: string): DocumentOf<Kind> | undefined {
    return this.current.documents.get(kind, name);
  }

  documents<Kind extends DocumentKind>(kind: Kind): IterableIterator<DocumentOf<Kind>> {
    return this.current.documents.of(kind);
  }

  allDocuments(): IterableIterator<MeshDocument> {
    return this.current.documents.all();
  }

  /** The listener hears of every change, after the table has it. Returns how to stop. */
  onChange(listener: TableListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** What {@link restore} takes. */
  contents(): TableContents {
    return {
      revision: this.revision,
      services: [...this.current.services()],
      agents: [...this.agents()],
      documents: [...this.allDocuments()],
      filled: [...this.filled.services()],
    };
  }

  /** Takes what was on disk. */
  restore(contents: TableContents): void {
    for (const service of contents.filled) this.filled.put(service);
    const snapshot = new StagedSnapshot(contents.revision, this.current);
    for (const service of contents.services) snapshot.append(service);
    for (const agent of contents.agents) snapshot.putAgent(agent);
    for (const document of contents.documents) snapshot.putDocument(document);
    this.swap(snapshot);
  }

  /** Forgets a snapshot that was not completed, because its stream ended. */
  abandonSnapshot(): void {
    this.staging = null;
    this.filled.abandon();
  }

  apply(frame: WorkerFrame): Applied {
    switch (frame.type) {
      case 'snapshot-begin':
        this.staging = new StagedSnapshot(frame.revision, this.current);
        return STAGED;
      case 'services': {
        const staging = this.staged(frame.revision);
        if (staging === null) return gap(`services of revision ${frame.revision} outside of its snapshot`);
        for (const service of frame.services) staging.append(service);
        return STAGED;
      }
      case 'agents': {
        const staging = this.staged(frame.revision);
        if (staging === null) return gap(`agents of revision ${frame.revision} outside of its snapshot`);
        for (const agent of frame.agents) staging.putAgent(agent);
        return STAGED;
      }
      case 'documents': {
        const staging = this.staged(frame.revision);
        if (staging === null) return gap(`documents of revision ${frame.revision} outside of its snapshot`);
        for (const document of frame.documents) staging.putDocument(document);
        return STAGED;
      }
      case 'snapshot-end': {
        const staging = this.staged(frame.revision);
        if (staging === null) return gap(`the end of snapshot ${frame.revision} without its beginning`);
        const digest = staging.next.digest.value();
        if (digest !== frame.digest) {
          this.staging = null;
          return gap(`snapshot ${frame.revision} has digest ${digest}, and the scheduler says ${frame.digest}`);
        }
        this.swap(staging);
        return APPLIED;
      }
      case 'resume':
        if (this.at === null) return gap(`a table of revision ${frame.revision} to go on with, and there is none`);
        this.staging = null;
        this.at = frame.revision;
        if (!this.isBoundScope) this.keep([]);
        return APPLIED;
      case 'endpoints':
      case 'endpoints-patch':
      case 'forget': {
        const outcome = this.filled.apply(frame);
        if (outcome.kind === 'staged') return STAGED;
        if (outcome.change !== null) this.tellFilled(outcome.change);
        return outcome.kind === 'gap' ? gap(outcome.reason) : APPLIED;
      }
      case 'keep':
        this.keep(frame.services);
        return APPLIED;
      case 'delta': {
        const reason = this.whyNot(frame);
        if (reason !== null) return gap(reason);
        const change = applyDelta(this.current, frame);
        this.at = frame.revision;
        this.tell(this.withFilled(change));
        return APPLIED;
      }
    }
  }

  private staged(revision: number): StagedSnapshot | null {
    return this.staging !== null && this.staging.revision === revision ? this.staging : null;
  }

  /** Why a delta cannot be applied, or null. Asked before anything is changed. */
  private whyNot({ base, revision, upsert, remove, patch }: Delta): string | null {
    if (this.staging !== null) return `delta ${revision} in the midst of snapshot ${this.staging.revision}`;
    if (this.at === null) return `delta ${revision} before any snapshot`;
    if (base !== this.at) return `delta ${revision} is based on ${base}, not on ${this.at}`;
    const upserted = new Set(upsert.map(({ name }) => name));
    const removed = new Set(remove);
    for (const { service } of patch) {
      if (upserted.has(service)) continue;
      if (!this.current.has(service) || removed.has(service)) {
        return `delta ${revision} patches service '${service}', which is not in the table`;
      }
    }
    return null;
  }

  private swap(snapshot: StagedSnapshot): void {
    const change = snapshot.change();
    this.current = snapshot.next;
    this.at = snapshot.revision;
    this.staging = null;
    if (this.isBoundScope) this.tell(this.withFilled(change));
    else this.tell(this.withoutFilled(change));
  }

  /** What a change of the table means where endpoints stand beside it. */
  private withFilled(change: TableChange): TableChange {
    const { filled } = this;
    const services = change.services.flatMap((one): ServiceChange[] => {
      if (this.isUnfilled(one.name)) return [{ ...one, size: this.size(one.name) }];
      const own = filled.service(one.name);
      if (own === undefined) return [one];
      // It has not been told while the table did not have the service.
      return one.isNew ? [{ ...one, set: own.endpoints, unset: [], size: own.endpoints.length }] : [];
    });
    for (const { kind, name } of [...change.documents, ...change.documentsRemoved]) {
      if (kind !== 'outline' || filled.has(name) || !this.current.has(name)) continue;
      services.push({ name, set: [], unset: [], size: this.size(name), isNew: true });
    }
    return { ...change, services };
  }

  /** The table has all endpoints itself now, and nothing beside it counts any more. */
  private withoutFilled(change: TableChange): TableChange {
    const changed = new Map(change.services.map((one) => [one.name, one]));
    for (const [name] of this.filled.digests()) {
      const before = this.filled.forget(name);
      const set = this.current.service(name)?.endpoints;
      if (set === undefined) continue;
      const present = new Set(set.map(({ instance }) => instance));
      const unset = before.map(({ instance }) => instance).filter((instance) => !present.has(instance));
      changed.set(name, { name, set, unset, size: set.length, isNew: true });
    }
    return { ...change, services: [...changed.values()] };
  }

  /** Forgets the endpoints of all others that came one by one. */
  private keep(services: readonly string[]): void {
    const kept = new Set(services);
    for (const [name] of this.filled.digests()) {
      if (kept.has(name)) continue;
      const unset = this.filled.forget(name).map(({ instance }) => instance);
      this.tellFilled({ name, set: [], unset, size: 0, isNew: true });
    }
  }

  private tellFilled(change: ServiceChange): void {
    const { name, set, isNew } = change;
    const own = this.current.service(name);
    if (own === undefined) return;
    const present = new Set(set.map(({ instance }) => instance));
    // What the table has itself, because its scope was another one, is hidden from now on.
    const hidden = isNew ? own.endpoints.map(({ instance }) => instance).filter((one) => !present.has(one)) : [];
    const unset = [...change.unset, ...hidden];
    this.tell({ ...NOTHING, services: [{ ...change, unset, size: this.size(name) }] });
  }

  private tell(change: TableChange): void {
    for (const listener of this.listeners) listener(change);
  }
}

function applyDelta(table: TableGeneration, delta: Delta): TableChange {
  const upserted = new Set(delta.upsert.map(({ name }) => name));
  const returned = new Set(delta.agents.map(({ agentId }) => agentId));
  const renewed = new Set(delta.documents.map(documentKey));
  const removed = delta.remove.filter((name) => !upserted.has(name) && table.drop(name));
  const services: ServiceChange[] = [];
  for (const service of delta.upsert) services.push(table.put(service));
  for (const patch of delta.patch) services.push(table.patch(patch));
  for (const agentId of delta.agentsRemoved) table.dropAgent(agentId);
  for (const agent of delta.agents) table.putAgent(agent);
  for (const ref of delta.documentsRemoved) table.dropDocument(ref);
  for (const document of delta.documents) table.putDocument(document);
  return {
    services: services.filter(({ set, unset, isNew }) => isNew || set.length > 0 || unset.length > 0),
    removed,
    agents: delta.agents,
    agentsRemoved: delta.agentsRemoved.filter((agentId) => !returned.has(agentId)),
    documents: delta.documents,
    documentsRemoved: delta.documentsRemoved.filter((ref) => !renewed.has(documentKey(ref))),
  };
}
