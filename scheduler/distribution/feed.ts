/**
 * The table that every proxy gets, with its revisions: changes are staged, a commit turns them into deltas (each one
 * revision further), and a snapshot is the whole table at the revision of now. No clock, no sockets.
 */
import type { PeerAgent, Service } from '../../agent-proxy/control/contract.ts';
import { TableDigest } from '../../agent-proxy/routing/digest.ts';
import { encodeFrame, encodeText, packBySize } from './records.ts';

/** How many revisions back a proxy's digest can be judged. */
const HISTORY = 4096;

interface Entry<T> {
  readonly value: T;
  /** As it stands in a frame. */
  readonly json: string;
  readonly bytes: number;
}

type Change =
  | { readonly kind: 'service'; readonly key: string; readonly entry: Entry<Service> | null }
  | { readonly kind: 'agent'; readonly key: string; readonly entry: Entry<PeerAgent> | null };

export class Feed {
  readonly epoch: number;
  #services = new Map<string, Entry<Service>>();
  #agents = new Map<string, Entry<PeerAgent>>();
  /** By kind and key: the last word counts. */
  #staged = new Map<string, Change>();
  #digest = new TableDigest();
  #revision = 1;
  #digests = new Map<number, string>();
  #snapshot: { readonly revision: number; readonly records: readonly Buffer[] } | null = null;

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

  /** Committed services, by name. */
  services(): Service[] {
    return [...this.#services.values()].map((entry) => entry.value);
  }

  agents(): PeerAgent[] {
    return [...this.#agents.values()].map((entry) => entry.value);
  }

  setService(service: Service): void {
    this.#stage(
      { kind: 'service', key: service.name, entry: entryOf(service) },
      this.#services.get(service.name)?.json,
    );
  }

  removeService(name: string): void {
    this.#stage({ kind: 'service', key: name, entry: null }, this.#services.get(name)?.json);
  }

  setAgent(agent: PeerAgent): void {
    this.#stage({ kind: 'agent', key: agent.agentId, entry: entryOf(agent) }, this.#agents.get(agent.agentId)?.json);
  }

  removeAgent(agentId: string): void {
    this.#stage({ kind: 'agent', key: agentId, entry: null }, this.#agents.get(agentId)?.json);
  }

  /** Makes what was staged the table, and returns the deltas that say so, encoded. Empty when nothing is different. */
  commit(): Buffer[] {
    if (this.#staged.size === 0) return [];
    const groups = packBySize(
      this.#staged.values(),
      (change) => change.entry?.bytes ?? Buffer.byteLength(change.key) + 16,
    );
    this.#staged = new Map();
    return groups.map((changes) => {
      const base = this.#revision;
      for (const change of changes) this.#apply(change);
      this.#revision = base + 1;
      this.#remember();
      return this.#deltaRecord(base, changes);
    });
  }

  /** The whole table in records that all sessions share. */
  snapshot(): readonly Buffer[] {
    if (this.#snapshot?.revision === this.#revision) return this.#snapshot.records;
    const { epoch } = this;
    const revision = this.#revision;
    const pages = (type: 'services' | 'agents', entries: Iterable<Entry<unknown>>): Buffer[] =>
      packBySize(entries, (entry) => entry.bytes).map((group) => {
        const list = group.map((entry) => entry.json).join(',');
        return encodeText(`{"type":"${type}","epoch":${epoch},"revision":${revision},"${type}":[${list}]}`);
      });
    const records = [
      encodeFrame({ type: 'snapshot-begin', epoch, revision }),
      ...pages('services', this.#services.values()),
      ...pages('agents', this.#agents.values()),
      encodeFrame({ type: 'snapshot-end', epoch, revision, digest: this.#digest.value() }),
    ];
    this.#snapshot = { revision, records };
    return records;
  }

  #stage(change: Change, current: string | undefined): void {
    const key = `${change.kind} ${change.key}`;
    if (change.entry?.json === current) this.#staged.delete(key);
    else this.#staged.set(key, change);
  }

  #apply(change: Change): void {
    if (change.kind === 'service') {
      if (change.entry === null) {
        this.#services.delete(change.key);
        this.#digest.removeService(change.key);
      } else {
        this.#services.set(change.key, change.entry);
        this.#digest.setService(change.entry.value);
      }
    } else if (change.entry === null) {
      this.#agents.delete(change.key);
      this.#digest.removeAgent(change.key);
    } else {
      this.#agents.set(change.key, change.entry);
      this.#digest.setAgent(change.entry.value);
    }
  }

  #deltaRecord(base: number, changes: readonly Change[]): Buffer {
    const upsert: string[] = [];
    const agents: string[] = [];
    const remove: string[] = [];
    const agentsRemoved: string[] = [];
    for (const { kind, key, entry } of changes) {
      if (kind === 'service') entry === null ? remove.push(key) : upsert.push(entry.json);
      else entry === null ? agentsRemoved.push(key) : agents.push(entry.json);
    }
    return encodeText(
      `{"type":"delta","epoch":${this.epoch},"base":${base},"revision":${base + 1},"upsert":[${upsert.join(',')}],` +
        `"remove":${JSON.stringify(remove)},"agents":[${agents.join(',')}],"agentsRemoved":${JSON.stringify(agentsRemoved)}}`,
    );
  }

  #remember(): void {
    this.#digests.set(this.#revision, this.#digest.value());
    this.#digests.delete(this.#revision - HISTORY);
    this.#snapshot = null;
  }
}

function entryOf<T>(value: T): Entry<T> {
  const json = JSON.stringify(value);
  return { value, json, bytes: Buffer.byteLength(json) };
}
