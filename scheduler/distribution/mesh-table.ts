/**
 * Marathon's instances and Mesos' agents joined to what proxies need: endpoints that know their agent's address, and
 * agents that say whether their proxy is ready. Pure functions, and a directory of agents.
 */
import { isIP } from 'node:net';
import type { Endpoint, PeerAgent, Service } from '../../agent-proxy/control/contract.ts';
import type { MarathonApp, MarathonInstance } from '../../agent-proxy/routing/marathon-endpoints.ts';
import type { NodeStatus } from '../../framework/index.ts';
import { isInner } from '../proxy/inner.ts';
import type { SessionView } from './session-view.ts';

/** Agents that left are remembered, so that their endpoints go at once and not when Marathon has noticed. */
const MAX_GONE = 1_000;
/** Packaging puts tens of kilobytes into labels; none of it says anything about routing. */
const MAX_LABEL_CHARS = 512;
/** All labels of an endpoint together: it has to fit into a record with room to spare. */
const MAX_LABELS_CHARS = 8_192;
const NOT_FOR_ROUTING = /^DCOS_PACKAGE_/;

/** Where agents are, from Mesos. */
export class AgentDirectory {
  readonly #addresses = new Map<string, string>();
  readonly #gone = new Set<string>();

  /** True when the agent is new or has another address. */
  set(agentId: string, address: string): boolean {
    this.#gone.delete(agentId);
    if (this.#addresses.get(agentId) === address) return false;
    this.#addresses.set(agentId, address);
    return true;
  }

  /** True when the agent was known. */
  remove(agentId: string): boolean {
    if (!this.#addresses.delete(agentId)) return false;
    this.#gone.add(agentId);
    for (const oldest of this.#gone) {
      if (this.#gone.size <= MAX_GONE) break;
      this.#gone.delete(oldest);
    }
    return true;
  }

  address(agentId: string): string | undefined {
    return this.#addresses.get(agentId);
  }

  isGone(agentId: string): boolean {
    return this.#gone.has(agentId);
  }
}

/** `name` is the service's: the app's own, or with the prefix of its Marathon before it. */
export function serviceOf(app: MarathonApp, agents: AgentDirectory, name = app.name): Service {
  const labels = routingLabels(app.labels);
  return {
    name,
    endpoints: app.instances.flatMap((instance) => endpointOf(name, instance, labels, agents) ?? []),
  };
}

function endpointOf(
  service: string,
  instance: MarathonInstance,
  labels: Record<string, string>,
  agents: AgentDirectory,
): Endpoint | null {
  if (agents.isGone(instance.agentId)) return null;
  // Marathon may know of an agent before the framework does: what Marathon calls the agent came from Mesos too.
  const agentAddress = agents.address(instance.agentId) ?? (isIP(instance.host) === 0 ? null : instance.host);
  if (agentAddress === null) return null;
  return {
    service,
    instance: instance.taskId,
    // A host name would have to be looked up on a request's way; it names the agent, whose address is known.
    address: isIP(instance.address) === 0 ? agentAddress : instance.address,
    port: instance.port,
    ports: instance.ports.map((port) => ({ ...port })),
    agentId: instance.agentId,
    agentAddress,
    weight: 1,
    state: instance.state,
    startedAt: instance.startedAt,
    labels,
  };
}

/** Without those that say nothing of routing, and never so many that an endpoint fits into no record. */
export function routingLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  const sorted = Object.entries(labels)
    .filter(([key, value]) => !NOT_FOR_ROUTING.test(key) && value.length <= MAX_LABEL_CHARS)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  let chars = 0;
  const fitting = sorted.filter(([key, value]) => {
    chars += key.length + value.length;
    return chars <= MAX_LABELS_CHARS;
  });
  return Object.fromEntries(fitting);
}

/**
 * `presumed`: right after a start the proxies that ran before are taken for ready until they say something themselves. A wrong
 * guess costs little: who is refused by a peer's proxy goes to the instance directly.
 * A proxy whose incoming router is for its own node alone is none that peers go through.
 */
export function peerAgentOf(
  node: NodeStatus,
  session: SessionView | undefined,
  config: { readonly ports: { readonly in: number } } & Parameters<typeof isInner>[0],
  presumed: boolean,
): PeerAgent {
  const said = session === undefined || session.health.kind === 'connecting' ? null : session.health.kind === 'ready';
  return {
    agentId: node.agentId,
    address: node.ip,
    // A configuration may have no such listener: peers find nothing there, and go to the instances directly.
    incomingPort: session?.incomingPort || config.ports.in,
    ready: !isInner(config, node) && (said ?? presumed) && node.taskId !== null && node.state !== 'draining',
  };
}
