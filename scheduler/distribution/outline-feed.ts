/**
 * The table of the scope `bound`: as the whole one, without endpoints. That a service has some, and with which ports, is an
 * outline. It follows the whole table commit by commit, and has revisions of its own: a change of endpoints alone is none.
 */
import type { Endpoint, MeshDocument } from '../../agent-proxy/control/contract.ts';
import { portsOfEndpoint } from '../../agent-proxy/routing/service-ports.ts';
import type { DeltaParts } from './delta-cutter.ts';
import { Feed } from './feed.ts';

export class OutlineFeed {
  readonly feed: Feed;
  readonly #whole: Feed;

  /** `whole` has nothing yet. */
  constructor(whole: Feed) {
    this.#whole = whole;
    this.feed = new Feed(whole.epoch);
  }

  /** The whole table was changed by these. Returns the deltas of this one. */
  follow(deltas: readonly DeltaParts[]): Buffer[] {
    for (const name of changedServices(deltas)) this.#stageService(name);
    for (const { agents, agentsRemoved, documents, documentsRemoved } of deltas) {
      for (const agentId of agentsRemoved) this.feed.removeAgent(agentId);
      for (const { value } of agents) this.feed.setAgent(value);
      for (const { value } of documentsRemoved) this.feed.removeDocument(value);
      for (const { value } of documents) this.feed.setDocument(value);
    }
    return this.feed.commit();
  }

  #stageService(name: string): void {
    const entries = this.#whole.endpointsOf(name);
    if (entries === undefined) this.feed.removeService(name);
    else this.feed.setService({ name, endpoints: [] });
    for (const { value } of entries?.values() ?? []) {
      this.feed.setDocument(outlineOf(name, value));
      return;
    }
    this.feed.removeDocument({ kind: 'outline', name });
  }
}

/** The services whose endpoints these deltas change. */
export function changedServices(deltas: readonly DeltaParts[]): Set<string> {
  const names = new Set<string>();
  for (const { remove, upsert, patch } of deltas) {
    for (const name of [...remove, ...upsert.keys(), ...patch.keys()]) names.add(name);
  }
  return names;
}

function outlineOf(name: string, endpoint: Endpoint): MeshDocument {
  const { first, ports } = portsOfEndpoint(endpoint);
  // The numbers are the instance's own.
  const named = ports.map((port) =>
    port.index === undefined ? { name: port.name } : { name: port.name, index: port.index },
  );
  return { kind: 'outline', name, first, ports: named };
}
