/** How the framework presents itself to Mesos, and what it calls its tasks. */
import { randomUUID } from 'node:crypto';
import type { AgentView } from './agent.ts';
import type { FrameworkOptions } from './contract.ts';
import { type FrameworkInfo, type TaskId, taskId } from './mesos-http-client/messages.ts';

const WEEK_SECONDS = 7 * 24 * 3600;
const CAPABILITIES = [
  'MULTI_ROLE',
  'RESERVATION_REFINEMENT',
  'PARTITION_AWARE',
  'TASK_KILLING_STATE',
  // Without these two, agents with GPUs and agents in other regions would never be offered.
  'GPU_RESOURCES',
  'REGION_AWARE',
];

/** `held`: roles in which resources of ours are reserved; they are offered, and can be given back, only to those who have the role. */
export function frameworkInfo(options: FrameworkOptions, held: Iterable<string>): FrameworkInfo {
  const { user, name, principal, hostname, webuiUrl } = options;
  return {
    user,
    name,
    roles: [...new Set([...rolesOf(options), ...held])],
    hostname,
    webui_url: webuiUrl,
    ...(principal === null ? {} : { principal }),
    // Mesos' defaults would kill every task the moment that the scheduler or an agent restarts.
    failover_timeout: WEEK_SECONDS,
    checkpoint: true,
    capabilities: CAPABILITIES.map((type) => ({ type })),
  };
}

/**
 * A role below that of the public agents is offered what is reserved to it, and may put reservations of its own on top
 * (docs/reservation-refinement.md); the role itself may not.
 */
export function rolesOf({ role, publicRole }: FrameworkOptions): string[] {
  return publicRole === null ? [role] : [role, `${publicRole}/${role}`];
}

/** Readable in a list of tasks, and never used twice. */
export function newTaskId(framework: string, agent: AgentView): TaskId {
  const readable = `${framework}-${agent.hostname}`.replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, 150);
  return taskId(`${readable}__${randomUUID()}`);
}
