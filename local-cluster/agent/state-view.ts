/** The agent's state as `GET /state` and `GET /containers` show it: the old, flat JSON of Mesos' agents. Pure. */
import type { AgentId, Attribute, Resource, TaskStatus } from '../../framework/mesos-http-client/messages.ts';
import type { AgentDescription } from '../agent-link.ts';
import type { TaskRun } from './task-run.ts';
import { isTerminal } from './task-status.ts';

/** What there is to show. */
export interface AgentView {
  readonly agentId: AgentId | null;
  readonly description: AgentDescription;
  /** Seconds since the epoch. */
  readonly startTime: number;
  /** Tasks that run, or whose end is not acknowledged. */
  readonly runs: readonly TaskRun[];
  readonly completed: readonly TaskRun[];
}

/** Of the master that the recordings are from. */
export const MESOS_VERSION = '1.12.0';
const CAPABILITIES = ['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT', 'AGENT_DRAINING'];

type Sum = Record<string, number | string>;

/** `{cpus: 1, mem: 32, disk: 0, gpus: 0, ports: "[1-2, 5-5]"}`; ports only where there are any. */
function sumOf(resources: readonly Resource[]): Sum {
  const sum = { disk: 0, mem: 0, gpus: 0, cpus: 0 } as Record<string, number>;
  for (const { name, scalar } of resources) {
    if (scalar !== undefined) sum[name] = round((sum[name] ?? 0) + scalar.value);
  }
  const ranges = resources.filter(({ name }) => name === 'ports').flatMap(({ ranges: found }) => found?.range ?? []);
  if (ranges.length === 0) return sum;
  return { ...sum, ports: `[${ranges.map(({ begin, end }) => `${begin}-${end}`).join(', ')}]` };
}

/** Mesos counts in thousandths. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function roleOf(resource: Resource): string {
  return resource.reservations?.at(-1)?.role ?? resource.role ?? '*';
}

function byRole(resources: readonly Resource[]): Map<string, Resource[]> {
  const roles = new Map<string, Resource[]>();
  for (const resource of resources) {
    const role = roleOf(resource);
    roles.set(role, [...(roles.get(role) ?? []), resource]);
  }
  return roles;
}

/** The old shape: `role` in place of `reservations`. */
function oldShape(resource: Resource): Omit<Resource, 'reservations'> {
  const { reservations: _stack, ...rest } = resource;
  return { ...rest, role: roleOf(resource) };
}

function attributeValue(attribute: Attribute): string | number {
  return attribute.text?.value ?? attribute.scalar?.value ?? '';
}

export function stateView(view: AgentView): Record<string, unknown> {
  const { description, runs } = view;
  const { resources, attributes, hostname, ip, port } = description;
  const reserved = byRole(resources.filter((resource) => roleOf(resource) !== '*'));
  const unreserved = resources.filter((resource) => roleOf(resource) === '*');
  const used = byRole(runs.filter(isLive).flatMap((run) => run.task.resources));
  const sums = (roles: ReadonlyMap<string, Resource[]>): Record<string, Sum> =>
    Object.fromEntries([...roles].filter(([role]) => role !== '*').map(([role, found]) => [role, sumOf(found)]));
  return {
    version: MESOS_VERSION,
    start_time: view.startTime,
    id: view.agentId ?? '',
    pid: `slave(1)@${ip}:${port}`,
    hostname,
    capabilities: CAPABILITIES,
    resources: sumOf(resources),
    reserved_resources: sums(reserved),
    unreserved_resources: sumOf(unreserved),
    reserved_resources_full: Object.fromEntries([...reserved].map(([role, found]) => [role, found.map(oldShape)])),
    unreserved_resources_full: unreserved.map(oldShape),
    reserved_resources_allocated: sums(used),
    unreserved_resources_allocated: sumOf(used.get('*') ?? []),
    resource_providers: [],
    attributes: Object.fromEntries(attributes.map((attribute) => [attribute.name, attributeValue(attribute)])),
    flags: { hostname, ip, port: String(port) },
    ...frameworksView(view),
  };
}

/** A task counts until its last update is terminal. */
function isLive(run: TaskRun): boolean {
  const last = run.statuses.at(-1);
  return last === undefined || !isTerminal(last.state);
}

/** As in Mesos, a framework whose last executor has ended is a completed one, until it has another. */
function frameworksView({ runs, completed, agentId }: AgentView): Record<string, unknown> {
  const infos = new Map([...completed, ...runs].map((run) => [run.frameworkId, run.frameworkInfo]));
  const executors = (of: readonly TaskRun[], frameworkId: string): Record<string, unknown>[] =>
    of.filter((run) => run.frameworkId === frameworkId).map((run) => executorView(run, agentId ?? ''));
  const views = [...infos].map(([id, info]) => ({
    id,
    name: info.name,
    user: info.user,
    failover_timeout: info.failover_timeout ?? 0,
    checkpoint: info.checkpoint ?? false,
    hostname: info.hostname ?? '',
    roles: info.roles ?? [info.role ?? '*'],
    executors: executors(runs, id),
    completed_executors: executors(completed, id),
  }));
  return {
    frameworks: views.filter(({ executors: live }) => live.length > 0),
    completed_frameworks: views.filter(({ executors: live }) => live.length === 0),
  };
}

export function executorName(run: TaskRun): string {
  const { command, name } = run.task;
  const line = command?.shell === false ? [command.value, ...(command.arguments ?? [])].join(' ') : command?.value;
  return `Command Executor (Task: ${name}) (Command: sh -c '${line ?? ''}')`;
}

function executorView(run: TaskRun, agentId: string): Record<string, unknown> {
  const { task } = run;
  const labels = task.labels?.labels;
  const live = isLive(run);
  const view = {
    id: task.task_id.value,
    name: task.name,
    framework_id: run.frameworkId,
    executor_id: '',
    slave_id: agentId,
    state: run.statuses.at(-1)?.state ?? 'TASK_STAGING',
    resources: sumOf(task.resources),
    role: task.resources[0]?.allocation_info?.role ?? '*',
    statuses: run.statuses.map(statusView),
    ...(labels === undefined ? {} : { labels }),
    ...(task.discovery === undefined ? {} : { discovery: task.discovery }),
  };
  return {
    id: task.task_id.value,
    name: executorName(run),
    source: task.task_id.value,
    container: run.containerId,
    directory: run.directory,
    resources: view.resources,
    role: view.role,
    ...(labels === undefined ? {} : { labels }),
    tasks: live ? [view] : [],
    queued_tasks: [],
    completed_tasks: live ? [] : [view],
  };
}

function statusView({ state, timestamp, container_status, healthy }: TaskStatus): Record<string, unknown> {
  return {
    state,
    timestamp,
    ...(container_status === undefined ? {} : { container_status }),
    ...(healthy === undefined ? {} : { healthy }),
  };
}

/** Of the tasks whose process is alive. */
export function containersView({ runs }: AgentView): Record<string, unknown>[] {
  return runs
    .filter((run) => run.active && run.pid !== null)
    .map((run) => ({
      container_id: run.containerId,
      executor_id: run.taskId,
      executor_name: executorName(run),
      framework_id: run.frameworkId,
      source: run.taskId,
      statistics: limits(run),
      status: { container_id: { value: run.containerId }, executor_pid: run.pid },
    }));
}

/** Usage is not measured; the limits are what the task asked for. */
export function limits(run: TaskRun): Record<string, number> {
  const amount = (name: string): number =>
    run.task.resources
      .filter((resource) => resource.name === name)
      .reduce((sum, { scalar }) => sum + (scalar?.value ?? 0), 0);
  const bytes = amount('mem') * 1024 * 1024;
  return {
    timestamp: Date.now() / 1000,
    cpus_soft_limit: amount('cpus'),
    mem_limit_bytes: bytes,
    mem_soft_limit_bytes: bytes,
  };
}
