/** The agents of the cluster and the states that they go through. */
import type { AgentId, AgentInfo, FrameworkId, TaskId } from '../../framework/mesos-http-client/messages.ts';
import type { AgentDescription, AgentEndpoint, DrainOrder } from '../agent-link.ts';
import type { MaintenanceState } from './maintenance.ts';
import { add, type Resources, resources, subtract, unallocate } from './resources.ts';

/** How an agent is linked to this master. */
export type AgentLink =
  /** Registered, the link is up. */
  | { readonly kind: 'connected'; readonly endpoint: AgentEndpoint }
  /** The link broke; `stopTimer` cancels the ping timeout after which the agent is unreachable. */
  | { readonly kind: 'disconnected'; readonly stopTimer: () => void }
  /** Silent for longer than the ping timeout. May come back. */
  | { readonly kind: 'unreachable'; readonly since: number }
  /** In the registry of the master before this one, not back yet. */
  | { readonly kind: 'recovered' };

/** Told to get rid of its tasks, or rid of them. */
export interface Drain {
  readonly state: 'DRAINING' | 'DRAINED';
  readonly order: DrainOrder;
  readonly startedAt: number;
}

export interface AgentRecord {
  readonly id: AgentId;
  info: AgentInfo;
  /** What the agent said at registration; null while it is only known from the registry. */
  description: AgentDescription | null;
  /** All resources, dynamic reservations and volumes included. */
  total: Resources;
  /** Of the tasks that are not terminal. */
  used: Resources;
  link: AgentLink;
  registeredAt: number;
  reregisteredAt: number | null;
  /** Kills asked for while the link was down: said again when the agent is back. */
  readonly pendingKills: Map<TaskId, FrameworkId>;
  /** Nothing of it is offered until it is reactivated. */
  deactivated: boolean;
  drain: Drain | null;
}

/** What outlives a master: who belongs to the cluster. In Mesos it is in the replicated log. */
export interface MasterRegistry {
  /** Agents that are admitted, with their ids. */
  readonly agents: readonly AgentInfo[];
  /** Those of them that were unreachable. */
  readonly unreachable?: readonly AgentId[];
  /** Marked gone by the operator: never let in again. */
  readonly gone: readonly AgentId[];
  readonly deactivated?: readonly AgentId[];
  readonly drains?: ReadonlyMap<AgentId, Drain>;
  readonly maintenance?: MaintenanceState;
}

export class AgentTable {
  readonly #byId = new Map<AgentId, AgentRecord>();
  readonly gone = new Set<AgentId>();

  get(id: AgentId): AgentRecord | undefined {
    return this.#byId.get(id);
  }

  all(): AgentRecord[] {
    return [...this.#byId.values()];
  }

  /** Registered ones, connected or for the moment not. */
  registered(): AgentRecord[] {
    return this.all().filter((agent) => agent.link.kind === 'connected' || agent.link.kind === 'disconnected');
  }

  recovered(): AgentRecord[] {
    return this.all().filter((agent) => agent.link.kind === 'recovered');
  }

  add(id: AgentId, info: AgentInfo, link: AgentLink, now: number): AgentRecord {
    const agent: AgentRecord = {
      id,
      info,
      description: null,
      total: resources(info.resources),
      used: [],
      link,
      registeredAt: now,
      reregisteredAt: null,
      pendingKills: new Map(),
      deactivated: false,
      drain: null,
    };
    this.#byId.set(id, agent);
    return agent;
  }

  remove(id: AgentId): void {
    this.#byId.delete(id);
  }

  /** The registered agent at an address, if any: a second one there replaces it. */
  at(ip: string, port: number): AgentRecord | undefined {
    return this.registered().find((agent) => agent.description?.ip === ip && agent.description.port === port);
  }
}

export function agentInfo(id: AgentId, description: AgentDescription): AgentInfo {
  return {
    id: { value: id },
    hostname: description.hostname,
    port: description.port,
    resources: [...description.resources],
    attributes: [...description.attributes],
    ...(description.domain === undefined ? {} : { domain: description.domain }),
  };
}

/** Counts resources of a task in or out of what an agent has in use. */
export function use(agent: AgentRecord, taskResources: Resources): void {
  agent.used = add(agent.used, unallocate(taskResources));
}

export function release(agent: AgentRecord, taskResources: Resources): void {
  agent.used = subtract(agent.used, unallocate(taskResources));
}
