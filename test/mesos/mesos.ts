/** The cluster as its masters tell of it: the other witness besides the scheduler. */
import { createOperator, type MasterAccess, type Operator } from '../../framework/mesos-http-client/index.ts';
import type { Resource } from '../../framework/mesos-http-client/messages.ts';

export interface AgentRow {
  readonly id: string;
  readonly ip: string;
  readonly resources: readonly Resource[];
  /** Part of `resources`, to whichever framework. */
  readonly allocated: readonly Resource[];
}

const PUBLIC_OR_NONE = new Set(['*', 'slave_public']);

const OCCUPYING = new Set(['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING']);

export class Mesos {
  readonly #access: MasterAccess;
  readonly #operator: Operator;

  constructor(access: MasterAccess) {
    this.#access = access;
    this.#operator = createOperator({ ...access, onEvent: () => undefined, onDown: () => undefined });
  }

  /** Where the leading master is. */
  async leader(): Promise<{ ip: string; port: number }> {
    const { master_info: info } = await this.#operator.ask('GET_MASTER');
    const ip = info?.address?.ip ?? info?.hostname;
    if (ip === undefined) throw new Error('the leading master does not say where it is');
    return { ip, port: info?.address?.port ?? info?.port ?? 5050 };
  }

  /** Those that are registered and connected now. */
  async agents(): Promise<AgentRow[]> {
    const { agents } = await this.#operator.getAgents();
    return agents.flatMap(({ agent_info: { id }, pid, total_resources: resources, allocated_resources, active }) => {
      const ip = /@\[?([^@\]]+)\]?:\d+$/.exec(pid ?? '')?.[1];
      if (id === undefined || ip === undefined || !active) return [];
      return [{ id: id.value, ip, resources, allocated: allocated_resources ?? [] }];
    });
  }

  /** Tasks of the framework that may be alive, by agent. */
  async tasks(frameworkId: string): Promise<Map<string, string[]>> {
    const { tasks } = await this.#operator.ask('GET_TASKS');
    const byAgent = new Map<string, string[]>();
    for (const task of tasks) {
      if (task.framework_id.value !== frameworkId || !OCCUPYING.has(task.state)) continue;
      const agent = task.agent_id.value;
      byAgent.set(agent, [...(byAgent.get(agent) ?? []), task.task_id.value]);
    }
    return byAgent;
  }

  /** True while the master has the framework as a live one. */
  async knows(frameworkId: string): Promise<boolean> {
    const { frameworks } = await this.#operator.ask('GET_FRAMEWORKS');
    return frameworks.some(({ framework_info: { id } }) => id?.value === frameworkId);
  }

  /** Agents on which something is reserved under the labels of the framework. */
  async reservedFor(frameworkId: string): Promise<string[]> {
    // Masters tell of reservations in the older form as well as, or instead of, the newer.
    const isIts = ({ reservation, reservations = [] }: Resource): boolean =>
      [reservation, ...reservations].some(
        (each) => each?.labels?.labels?.some(({ value }) => value === frameworkId) === true,
      );
    return (await this.agents()).filter(({ resources }) => resources.some(isIts)).map(({ ip }) => ip);
  }

  close(): void {
    this.#operator.close();
    void this.#access.masters.close();
  }
}

/** Three ports that every agent has free and gives to anyone (or, a public agent, to its role); null when there are none. */
export function commonPorts(agents: readonly AgentRow[]): { out: number; in: number; admin: number } | null {
  const [first = new Set<number>(), ...others] = agents.map(freePorts);
  const common = [...first].filter((port) => others.every((ports) => ports.has(port))).sort((a, b) => a - b);
  // The last ones: tasks are given the first.
  const [out, incoming, admin] = common.slice(-3);
  return out === undefined || incoming === undefined || admin === undefined ? null : { out, in: incoming, admin };
}

/** The least memory that an agent has free, in megabytes. */
export function leastMemory(agents: readonly AgentRow[]): number {
  const sum = (resources: readonly Resource[]): number =>
    resources.reduce((total, { name, scalar }) => total + (name === 'mem' ? (scalar?.value ?? 0) : 0), 0);
  return Math.min(...agents.map(({ resources, allocated }) => sum(resources) - sum(allocated)));
}

function freePorts({ resources, allocated }: AgentRow): Set<number> {
  const ports = new Set(portsOf(resources.filter(isForUs)));
  for (const port of portsOf(allocated)) ports.delete(port);
  return ports;
}

/** Not held for others: a reservation of the public role is on all that a public agent has. */
function isForUs({ role = '*', reservation, reservations = [] }: Resource): boolean {
  const isDynamic = reservation !== undefined || reservations.some(({ type }) => type === 'DYNAMIC');
  return !isDynamic && PUBLIC_OR_NONE.has(reservations.at(-1)?.role ?? role);
}

function* portsOf(resources: readonly Resource[]): Iterable<number> {
  for (const { name, ranges } of resources) {
    if (name !== 'ports') continue;
    for (const { begin, end } of ranges?.range ?? []) for (let port = begin; port <= end; port += 1) yield port;
  }
}
