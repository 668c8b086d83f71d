/**
 * A snapshot on its way: collected record by record beside the table that it will replace. What is different is found out
 * with each record, so that the end, when it takes the table's place, costs no more than the number of services.
 */
import type { DocumentRef, Endpoint, MeshDocument, PeerAgent, Service } from '../control/contract.ts';
import { documentKey } from './documents.ts';
import { type ServiceChange, TableGeneration } from './table-generation.ts';

/** What a frame changed. A service that is the same as before is not among them. */
export interface TableChange {
  readonly services: readonly ServiceChange[];
  readonly removed: readonly string[];
  readonly agents: readonly PeerAgent[];
  readonly agentsRemoved: readonly string[];
  readonly documents: readonly MeshDocument[];
  readonly documentsRemoved: readonly DocumentRef[];
}

interface Difference {
  readonly changed: Map<string, Endpoint>;
  /** Instances of the old table that have not come yet. */
  readonly missing: Set<string>;
}

export class StagedSnapshot {
  readonly revision: number;
  readonly next = new TableGeneration();
  private readonly before: TableGeneration;
  private readonly differences = new Map<string, Difference>();
  private readonly agentsChanged = new Map<string, PeerAgent>();
  private readonly documentsChanged = new Map<string, MeshDocument>();

  /** `before` must not change while this is on its way. */
  constructor(revision: number, before: TableGeneration) {
    this.revision = revision;
    this.before = before;
  }

  append(service: Service): void {
    const { before, next } = this;
    const { name } = service;
    const { changed, missing } = this.difference(name);
    next.append(service);
    for (const endpoint of service.endpoints) {
      const { instance } = endpoint;
      missing.delete(instance);
      const known = next.digest.agrees(before.digest, name, instance) ? before.endpoint(name, instance) : undefined;
      if (known === undefined) {
        changed.set(instance, endpoint);
      } else {
        next.share(name, known);
        changed.delete(instance);
      }
    }
  }

  putAgent(agent: PeerAgent): void {
    this.next.putAgent(agent);
    const known = this.before.agent(agent.agentId);
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(agent)) {
      this.agentsChanged.delete(agent.agentId);
    } else {
      this.agentsChanged.set(agent.agentId, agent);
    }
  }

  putDocument(document: MeshDocument): void {
    const { before, next } = this;
    next.putDocument(document);
    const known = before.documents.get(document.kind, document.name);
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(document)) {
      this.documentsChanged.delete(documentKey(document));
    } else {
      this.documentsChanged.set(documentKey(document), document);
    }
  }

  /** What is different in all, when the last record has come. */
  change(): TableChange {
    const { before, next } = this;
    const services: ServiceChange[] = [];
    for (const [name, { changed, missing }] of this.differences) {
      const isNew = !before.has(name);
      if (!isNew && changed.size === 0 && missing.size === 0) continue;
      services.push({ name, set: [...changed.values()], unset: [...missing], size: next.size(name), isNew });
    }
    return {
      services,
      removed: [...before.names()].filter((name) => !next.has(name)),
      agents: [...this.agentsChanged.values()],
      agentsRemoved: [...before.agents()].map(({ agentId }) => agentId).filter((id) => next.agent(id) === undefined),
      documents: [...this.documentsChanged.values()],
      documentsRemoved: [...before.documents.all()]
        .filter(({ kind, name }) => next.documents.get(kind, name) === undefined)
        .map(({ kind, name }) => ({ kind, name })),
    };
  }

  private difference(name: string): Difference {
    let difference = this.differences.get(name);
    if (difference === undefined) {
      difference = { changed: new Map(), missing: new Set(this.before.instances(name)) };
      this.differences.set(name, difference);
    }
    return difference;
  }
}
