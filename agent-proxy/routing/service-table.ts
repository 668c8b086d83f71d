/**
 * The table of services, agents and documents that a proxy routes by: applies the frames of the control stream, keeps a
 * digest for anti-entropy. A snapshot is collected beside the table and takes its place in one
 * step at its end, so that a request sees the old table or the new one and never half of either.
 */
import type { Delta, DocumentKind, DocumentOf, Frame, MeshDocument, PeerAgent, Service } from '../control/contract.ts';
import { documentKey } from './documents.ts';
import { StagedSnapshot, type TableChange } from './staged-snapshot.ts';
import { type ServiceChange, TableGeneration } from './table-generation.ts';

/** The frames that make a table. */
export type TableFrame = Extract<
  Frame,
  { type: 'snapshot-begin' | 'services' | 'agents' | 'documents' | 'snapshot-end' | 'resume' | 'delta' }
>;

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
}

const APPLIED: Applied = { kind: 'applied' };
const STAGED: Applied = { kind: 'staged' };

function gap(reason: string): Applied {
  return { kind: 'gap', reason };
}

export class ServiceTable {
  private current = new TableGeneration();
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

  /** The service as it is now; what is returned stays as it is when the table changes. */
  service(name: string): Service | undefined {
    return this.current.service(name);
  }

  agent(agentId: string): PeerAgent | undefined {
    return this.current.agent(agentId);
  }

  services(): IterableIterator<Service> {
    return this.current.services();
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

  /** Takes what was on disk. */
  restore(contents: TableContents): void {
    const snapshot = new StagedSnapshot(contents.revision, this.current);
    for (const service of contents.services) snapshot.append(service);
    for (const agent of contents.agents) snapshot.putAgent(agent);
    for (const document of contents.documents) snapshot.putDocument(document);
    this.swap(snapshot);
  }

  /** Forgets a snapshot that was not completed, because its stream ended. */
  abandonSnapshot(): void {
    this.staging = null;
  }

  apply(frame: TableFrame): Applied {
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
        return APPLIED;
      case 'delta': {
        const reason = this.whyNot(frame);
        if (reason !== null) return gap(reason);
        const change = applyDelta(this.current, frame);
        this.at = frame.revision;
        this.tell(change);
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
    this.tell(change);
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
