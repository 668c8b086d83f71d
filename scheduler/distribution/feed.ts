/**
 * The table that every proxy gets, with its revisions: changes are staged, a commit turns them into deltas (each one
 * revision further), and a snapshot is the whole table at the revision of now. No clock, no sockets.
 */
import {
  type DocumentRef,
  type Endpoint,
  MAX_DOCUMENT_BYTES,
  type MeshDocument,
  type PeerAgent,
  type Service,
} from '../../agent-proxy/control/contract.ts';
import { TableDigest } from '../../agent-proxy/routing/digest.ts';
import { documentKey } from '../../agent-proxy/routing/documents.ts';
import { cutDeltas, type DeltaParts, type TableStep } from './delta-cutter.ts';
import { changesBetween, type EndpointEntries, type Entry, endpointEntries, entryOf, serviceBytes } from './entries.ts';
import { RECORD_BUDGET } from './records.ts';
import { deltaRecord, snapshotRecords } from './table-records.ts';

/** How many revisions back a proxy's digest can be judged. */
const HISTORY = 4096;

/** Hears of the deltas of a commit, when the feed has them. */
type FeedWatcher = (deltas: readonly DeltaParts[]) => void;

export class Feed {
  readonly epoch: number;
  #services = new Map<string, Map<string, Entry<Endpoint>>>();
  #agents = new Map<string, Entry<PeerAgent>>();
  /** By kind and name. */
  #documents = new Map<string, Entry<MeshDocument>>();
  /** By kind and key: the last word counts. */
  #staged = new Map<string, TableStep>();
  #digest = new TableDigest();
  #revision = 1;
  #digests = new Map<number, string>();
  #snapshot: { readonly revision: number; readonly records: readonly Buffer[] } | null = null;
  #watcher: FeedWatcher | null = null;

  constructor(epoch: number) {
    this.epoch = epoch;
    this.#remember();
  }

  get revision(): number {
    return this.#revision;
  }

  digest(): string {
    return this.#digest.value();
  }

  /** The digest that a proxy must have at a revision; undefined when it never existed or is too long ago. */
  digestAt(revision: number): string | undefined {
    return this.#digests.get(revision);
  }

  /** This one hears of every commit from now on. */
  watchedBy(watcher: FeedWatcher): void {
    this.#watcher = watcher;
  }

  /** The endpoints of a committed service; undefined where there is no such service. */
  endpointsOf(service: string): EndpointEntries | undefined {
    return this.#services.get(service);
  }

  /** The digest of a table that had only this service. */
  digestOf(service: string): string {
    return this.#digest.ofService(service);
  }

  /** Committed services, by name. */
  services(): Service[] {
    return [...this.#services].map(([name, entries]) => ({
      name,
      endpoints: [...entries.values()].map((entry) => entry.value),
    }));
  }

  agents(): PeerAgent[] {
    return [...this.#agents.values()].map((entry) => entry.value);
  }

  /** Returns the instances that are left out, because no record can hold the endpoint: nearly always none. */
  setService(service: Service): readonly string[] {
    const { name } = service;
    if (serviceBytes(name) > RECORD_BUDGET) {
      this.removeService(name);
      return service.endpoints.map(({ instance }) => instance);
    }
    const { entries, leftOut } = endpointEntries(service);
    this.#stageService(name, entries);
    return leftOut;
  }

  removeService(name: string): void {
    this.#stage(`service ${name}`, this.#services.has(name) ? { kind: 'service-removed', name } : null);
  }

  setAgent(agent: PeerAgent): void {
    const { agentId } = agent;
    const entry = entryOf(agent);
    const isSame = this.#agents.get(agentId)?.json === entry.json;
    this.#stage(`agent ${agentId}`, isSame ? null : { kind: 'agent', agentId, entry });
  }

  removeAgent(agentId: string): void {
    this.#stage(`agent ${agentId}`, this.#agents.has(agentId) ? { kind: 'agent-removed', agentId } : null);
  }

  /** False when it is too large for any proxy to be told of it; the one before it is gone then. */
  setDocument(document: MeshDocument): boolean {
    const entry = entryOf(document);
    if (entry.bytes > MAX_DOCUMENT_BYTES) {
      this.removeDocument(document);
      return false;
    }
    const key = documentKey(document);
    const isSame = this.#documents.get(key)?.json === entry.json;
    this.#stage(`document ${key}`, isSame ? null : { kind: 'document', entry });
    return true;
  }

  removeDocument({ kind, name }: DocumentRef): void {
    const ref = { kind, name };
    const key = documentKey(ref);
    this.#stage(`document ${key}`, this.#documents.has(key) ? { kind: 'document-removed', entry: entryOf(ref) } : null);
  }

  /** Makes what was staged the table, and returns the deltas that say so, encoded. Empty when nothing is different. */
  commit(): Buffer[] {
    if (this.#staged.size === 0) return [];
    const deltas = cutDeltas(this.#staged.values());
    this.#staged = new Map();
    const records = deltas.map((parts) => {
      this.#apply(parts);
      const base = this.#revision;
      this.#revision = base + 1;
      this.#remember();
      return deltaRecord(this.epoch, base, parts);
    });
    this.#watcher?.(deltas);
    return records;
  }

  /** The whole table in records that all sessions share. */
  snapshot(): readonly Buffer[] {
    const { epoch } = this;
    const revision = this.#revision;
    if (this.#snapshot?.revision === revision) return this.#snapshot.records;
    const table = {
      services: this.#services,
      agents: this.#agents.values(),
      documents: this.#documents.values(),
      digest: this.#digest.value(),
    };
    const records = snapshotRecords(epoch, revision, table);
    this.#snapshot = { revision, records };
    return records;
  }

  #stageService(name: string, entries: EndpointEntries): void {
    const before = this.#services.get(name);
    const key = `service ${name}`;
    if (before === undefined) {
      this.#stage(key, { kind: 'service-new', name, entries });
      return;
    }
    const changes = changesBetween(before, entries);
    const isSame = changes.set.length === 0 && changes.unset.length === 0;
    this.#stage(key, isSame ? null : { kind: 'service-changed', name, entries, changes });
  }

  /** Null where the table has it as it shall be. */
  #stage(key: string, step: TableStep | null): void {
    if (step === null) this.#staged.delete(key);
    else this.#staged.set(key, step);
  }

  /** Does what the proxies will do, so that table and digest are theirs at every revision. */
  #apply({ upsert, remove, patch, agents, agentsRemoved, documents, documentsRemoved }: DeltaParts): void {
    for (const name of remove) {
      this.#services.delete(name);
      this.#digest.removeService(name);
    }
    for (const [name, entries] of upsert) {
      this.#services.set(name, new Map());
      this.#digest.removeService(name);
      this.#digest.addService(name);
      this.#patch(name, entries, []);
    }
    for (const [name, { set, unset }] of patch) this.#patch(name, set, unset);
    for (const agentId of agentsRemoved) {
      this.#agents.delete(agentId);
      this.#digest.removeAgent(agentId);
    }
    for (const entry of agents) {
      this.#agents.set(entry.value.agentId, entry);
      this.#digest.setAgent(entry.value);
    }
    for (const { value } of documentsRemoved) {
      this.#documents.delete(documentKey(value));
      this.#digest.removeDocument(value);
    }
    for (const entry of documents) {
      this.#documents.set(documentKey(entry.value), entry);
      this.#digest.setDocument(entry.value);
    }
  }

  #patch(name: string, set: readonly Entry<Endpoint>[], unset: readonly string[]): void {
    const entries = this.#services.get(name);
    for (const instance of unset) {
      entries?.delete(instance);
      this.#digest.removeEndpoint(name, instance);
    }
    for (const entry of set) {
      entries?.set(entry.value.instance, entry);
      this.#digest.setEndpoint(name, entry.value);
    }
  }

  #remember(): void {
    this.#digests.set(this.#revision, this.#digest.value());
    this.#digests.delete(this.#revision - HISTORY);
    this.#snapshot = null;
  }
}
