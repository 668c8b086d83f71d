/**
 * Cuts changes of the table into deltas of which each fits into one record. A service is cut only where it has to be, and
 * then new endpoints go before the old ones are taken away: at no revision in between is it without endpoints. Pure.
 */
import type { DocumentRef, Endpoint, MeshDocument, PeerAgent } from '../../agent-proxy/control/contract.ts';
import { type EndpointChanges, type EndpointEntries, type Entry, serviceBytes, textBytes } from './entries.ts';
import { RECORD_BUDGET } from './records.ts';

/** What one delta says, not encoded yet. */
export interface DeltaParts {
  readonly upsert: Map<string, Entry<Endpoint>[]>;
  readonly remove: string[];
  readonly patch: Map<string, { readonly set: Entry<Endpoint>[]; readonly unset: string[] }>;
  readonly agents: Entry<PeerAgent>[];
  readonly agentsRemoved: string[];
  readonly documents: Entry<MeshDocument>[];
  readonly documentsRemoved: Entry<DocumentRef>[];
}

/** `changed` holds what is different from the service as all proxies have it. */
export type TableStep =
  | { readonly kind: 'service-new'; readonly name: string; readonly entries: EndpointEntries }
  | {
      readonly kind: 'service-changed';
      readonly name: string;
      readonly entries: EndpointEntries;
      readonly changes: EndpointChanges;
    }
  | { readonly kind: 'service-removed'; readonly name: string }
  | { readonly kind: 'agent'; readonly agentId: string; readonly entry: Entry<PeerAgent> }
  | { readonly kind: 'agent-removed'; readonly agentId: string }
  | { readonly kind: 'document'; readonly entry: Entry<MeshDocument> }
  | { readonly kind: 'document-removed'; readonly entry: Entry<DocumentRef> };

export function cutDeltas(steps: Iterable<TableStep>): DeltaParts[] {
  const cutter = new DeltaCutter();
  for (const step of steps) cutter.add(step);
  return cutter.finish();
}

class DeltaCutter {
  readonly #done: DeltaParts[] = [];
  #open = emptyParts();
  #room = RECORD_BUDGET;

  add(step: TableStep): void {
    switch (step.kind) {
      case 'service-new':
        this.#upsert(step.name, [...step.entries.values()]);
        return;
      case 'service-changed': {
        const { name, entries, changes } = step;
        const whole = serviceBytes(name) + listBytes(entries.values());
        const patch = serviceBytes(name) + listBytes(changes.set) + namesBytes(changes.unset);
        // An upsert of a known service says that there are no others, so it cannot be cut.
        if (whole < patch && whole <= RECORD_BUDGET) this.#upsert(name, [...entries.values()]);
        else this.#patch(name, changes, patch);
        return;
      }
      case 'service-removed':
        this.#take(textBytes(step.name) + 1);
        this.#open.remove.push(step.name);
        return;
      case 'agent':
        this.#take(step.entry.bytes + 1);
        this.#open.agents.push(step.entry);
        return;
      case 'agent-removed':
        this.#take(textBytes(step.agentId) + 1);
        this.#open.agentsRemoved.push(step.agentId);
        return;
      case 'document':
        this.#take(step.entry.bytes + 1);
        this.#open.documents.push(step.entry);
        return;
      case 'document-removed':
        this.#take(step.entry.bytes + 1);
        this.#open.documentsRemoved.push(step.entry);
        return;
    }
  }

  finish(): DeltaParts[] {
    if (this.#room < RECORD_BUDGET) this.#close();
    return this.#done;
  }

  #upsert(name: string, entries: readonly Entry<Endpoint>[]): void {
    const head = serviceBytes(name);
    const whole = head + listBytes(entries);
    if (whole <= RECORD_BUDGET) {
      this.#take(whole);
      this.#open.upsert.set(name, [...entries]);
      return;
    }
    this.#take(head + (entries[0]?.bytes ?? 0) + 1);
    const first = entries.slice(0, 1);
    this.#open.upsert.set(name, first);
    for (const entry of entries.slice(1)) {
      if (entry.bytes + 1 > this.#room) break;
      this.#take(entry.bytes + 1);
      first.push(entry);
    }
    const rest = entries.slice(first.length);
    this.#close();
    this.#patch(name, { set: rest, unset: [] }, head + listBytes(rest));
  }

  #patch(name: string, { set, unset }: EndpointChanges, bytes: number): void {
    if (bytes <= RECORD_BUDGET && bytes > this.#room) this.#close();
    for (const entry of set) this.#patchOf(name, entry.bytes + 1).set.push(entry);
    for (const instance of unset) this.#patchOf(name, textBytes(instance) + 1).unset.push(instance);
  }

  /** The service's patch in a delta that has so much room left, which is taken. */
  #patchOf(name: string, bytes: number): { set: Entry<Endpoint>[]; unset: string[] } {
    const begun = this.#open.patch.get(name);
    if (begun !== undefined && bytes <= this.#room) {
      this.#take(bytes);
      return begun;
    }
    if (begun !== undefined) this.#close();
    this.#take(serviceBytes(name) + bytes);
    const patch = { set: [], unset: [] };
    this.#open.patch.set(name, patch);
    return patch;
  }

  #take(bytes: number): void {
    if (bytes > this.#room && this.#room < RECORD_BUDGET) this.#close();
    this.#room -= bytes;
  }

  #close(): void {
    this.#done.push(this.#open);
    this.#open = emptyParts();
    this.#room = RECORD_BUDGET;
  }
}

function emptyParts(): DeltaParts {
  return {
    upsert: new Map(),
    remove: [],
    patch: new Map(),
    agents: [],
    agentsRemoved: [],
    documents: [],
    documentsRemoved: [],
  };
}

function listBytes(entries: Iterable<Entry<unknown>>): number {
  let sum = 0;
  for (const { bytes } of entries) sum += bytes + 1;
  return sum;
}

function namesBytes(names: readonly string[]): number {
  let sum = 0;
  for (const name of names) sum += textBytes(name) + 1;
  return sum;
}
