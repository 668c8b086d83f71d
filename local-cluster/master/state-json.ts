/** The state in the shape of the older endpoints (`/state`, `/slaves`, `/tasks`, …), which tools still read. */
import {
  type Attribute,
  TASK_STATES,
  type TaskState,
  type TaskStatus,
} from '../../framework/mesos-http-client/messages.ts';
import type { AgentRecord } from './agents.ts';
import type { MasterContext } from './context.ts';
import { activeResources, type FrameworkRecord, rolesOf } from './frameworks.ts';
import {
  AGENT_CAPABILITIES,
  endpointResource,
  MASTER_CAPABILITIES,
  masterInfo,
  resourcesOfRole,
  roleNames,
  usedOn,
  VERSION_INFO,
} from './operator-json.ts';
import { formatRanges } from './ranges.ts';
import { add, quantities, type Resources, reservationsOf, reservedRole } from './resources.ts';
import { isTerminal, type TaskRecord } from './tasks.ts';

export function stateJson(context: MasterContext): object {
  const { id, hostname, port, startedAt } = context.identity;
  const { pid } = masterInfo(context.identity);
  const count = (kind: string): number => context.agents.all().filter((agent) => agent.link.kind === kind).length;
  return {
    ...VERSION_INFO,
    start_time: startedAt / 1000,
    elected_time: startedAt / 1000,
    id,
    pid,
    hostname,
    capabilities: MASTER_CAPABILITIES,
    activated_slaves: count('connected'),
    deactivated_slaves: count('disconnected'),
    unreachable_slaves: count('unreachable'),
    leader: pid,
    leader_info: { id, pid, port, hostname },
    flags: {
      allocation_interval: `${context.settings.allocationIntervalMs}ms`,
      agent_ping_timeout: `${context.settings.agentPingTimeoutMs}ms`,
      max_agent_ping_timeouts: '1',
    },
    slaves: context.agents.registered().map((agent) => slave(context, agent)),
    recovered_slaves: context.agents.recovered().map((agent) => ({ id: agent.id, hostname: agent.info.hostname })),
    ...frameworksJson(context),
    orphan_tasks: [],
  };
}

export function slavesJson(context: MasterContext): object {
  return {
    slaves: context.agents
      .registered()
      .map((agent) => ({ ...slave(context, agent), ...fullResources(context, agent) })),
    recovered_slaves: context.agents.recovered().map((agent) => ({ id: agent.id, hostname: agent.info.hostname })),
  };
}

export function frameworksJson(context: MasterContext): object {
  return {
    frameworks: context.frameworks.all().map((record) => framework(context, record)),
    completed_frameworks: context.frameworks.completed().map((record) => framework(context, record)),
    unregistered_frameworks: [],
  };
}

export function tasksJson(context: MasterContext): object {
  const records = [...context.frameworks.all(), ...context.frameworks.completed()];
  return { tasks: records.flatMap(allTasks).map(task) };
}

export function rolesJson(context: MasterContext): object {
  return {
    roles: roleNames(context).map((name) => {
      const members = context.frameworks.all().filter((record) => rolesOf(record.info).includes(name));
      const ofRole = (list: Resources): object =>
        numbers(list.filter((resource) => resource.allocation_info?.role === name));
      const allocated = members.flatMap(activeResources);
      const offered = members.flatMap((member) => offersOf(context, member));
      return {
        name,
        weight: 1,
        quota: { role: name, guarantee: {}, limit: {}, consumed: ofRole(allocated) },
        resources: numbers(resourcesOfRole(context, name)),
        allocated: ofRole(allocated),
        offered: ofRole(offered),
        reserved: numbers(
          context.agents
            .registered()
            .flatMap((agent) => agent.total)
            .filter((resource) => reservedRole(resource) === name),
        ),
        frameworks: members.map((member) => member.id),
      };
    }),
  };
}

export function stateSummaryJson(context: MasterContext): object {
  const records = context.frameworks.all();
  return {
    hostname: context.identity.hostname,
    cluster: 'nodemesh',
    slaves: context.agents.registered().map((agent) => {
      const tasks = records.flatMap(allTasks).filter((record) => record.agentId === agent.id);
      const ids = [...new Set(tasks.map((record) => record.frameworkId))];
      return { ...slave(context, agent), ...stateCounts(tasks), framework_ids: ids };
    }),
    frameworks: records.map((record) => {
      const tasks = allTasks(record);
      const ids = [...new Set(tasks.map((its) => its.agentId))];
      return { ...frameworkSummary(context, record), ...stateCounts(tasks), slave_ids: ids };
    }),
  };
}

function slave(context: MasterContext, agent: AgentRecord): object {
  const port = agent.info.port ?? 5051;
  const reserved = agent.total.filter((resource) => reservationsOf(resource).length > 0);
  const unreserved = agent.total.filter((resource) => reservationsOf(resource).length === 0);
  return {
    id: agent.id,
    hostname: agent.info.hostname,
    port,
    attributes: Object.fromEntries(
      agent.info.attributes.map((attribute) => [attribute.name, attributeValue(attribute)]),
    ),
    pid: `slave(1)@${agent.description?.ip ?? agent.info.hostname}:${port}`,
    registered_time: agent.registeredAt / 1000,
    ...(agent.reregisteredAt === null ? {} : { reregistered_time: agent.reregisteredAt / 1000 }),
    resources: summary(agent.total),
    used_resources: summary(agent.used),
    offered_resources: summary(context.offers.offeredOn(agent.id)),
    reserved_resources: byRole(reserved, summary),
    unreserved_resources: summary(unreserved),
    active: agent.link.kind === 'connected' && !agent.deactivated,
    deactivated: agent.deactivated,
    version: VERSION_INFO.version,
    capabilities: AGENT_CAPABILITIES,
  };
}

function fullResources(context: MasterContext, agent: AgentRecord): object {
  const reserved = agent.total.filter((resource) => reservationsOf(resource).length > 0);
  const unreserved = agent.total.filter((resource) => reservationsOf(resource).length === 0);
  const offered = context.offers.ofAgent(agent.id).flatMap((offer) => offer.resources);
  return {
    reserved_resources_full: byRole(reserved, (list) => list.map(endpointResource)),
    unreserved_resources_full: unreserved.map(endpointResource),
    used_resources_full: usedOn(context, agent).map(endpointResource),
    offered_resources_full: add([], offered).map(endpointResource),
  };
}

function framework(context: MasterContext, record: FrameworkRecord): object {
  const { info } = record;
  return {
    ...frameworkSummary(context, record),
    user: info.user,
    failover_timeout: info.failover_timeout ?? 0,
    checkpoint: info.checkpoint ?? false,
    registered_time: record.registeredAt / 1000,
    unregistered_time: 0,
    ...(record.reregisteredAt === record.registeredAt ? {} : { reregistered_time: record.reregisteredAt / 1000 }),
    ...(info.principal === undefined ? {} : { principal: info.principal }),
    resources: summary(add(activeResources(record), offersOf(context, record))),
    roles: rolesOf(info),
    tasks: [...record.tasks.values()].map(task),
    unreachable_tasks: [...record.unreachable.values()].map(task),
    completed_tasks: record.completed.map(task),
    offers: context.offers.ofFramework(record.id).map((offer) => ({
      id: offer.id,
      framework_id: offer.frameworkId,
      allocation_info: { role: offer.role },
      slave_id: offer.agentId,
      resources: summary(offer.resources),
    })),
    executors: [],
    ...(info.labels === undefined ? {} : { labels: info.labels.labels ?? [] }),
    offer_constraints: {},
  };
}

function frameworkSummary(context: MasterContext, record: FrameworkRecord): object {
  const { info } = record;
  return {
    id: record.id,
    name: info.name,
    used_resources: summary(activeResources(record)),
    offered_resources: summary(offersOf(context, record)),
    capabilities: (info.capabilities ?? []).map((capability) => capability.type),
    hostname: info.hostname ?? '',
    webui_url: info.webui_url ?? '',
    active: record.link.kind === 'connected',
    connected: record.link.kind === 'connected',
    recovered: record.link.kind === 'recovered',
  };
}

function task(record: TaskRecord): object {
  const { info } = record;
  return {
    id: record.id,
    name: info.name,
    framework_id: record.frameworkId,
    executor_id: '',
    slave_id: record.agentId,
    state: record.state,
    resources: summary(record.resources),
    role: record.resources[0]?.allocation_info?.role ?? '*',
    statuses: record.statuses.map(taskStatus),
    ...(info.labels === undefined ? {} : { labels: info.labels.labels ?? [] }),
    ...(info.discovery === undefined ? {} : { discovery: info.discovery }),
    ...(info.container === undefined ? {} : { container: info.container }),
  };
}

function taskStatus(status: TaskStatus): object {
  return {
    state: status.state,
    timestamp: status.timestamp ?? 0,
    ...(status.labels === undefined ? {} : { labels: status.labels.labels ?? [] }),
    ...(status.container_status === undefined ? {} : { container_status: containerStatus(status.container_status) }),
    ...(status.healthy === undefined ? {} : { healthy: status.healthy }),
  };
}

/** The old endpoints do not tell the executor's pid. */
function containerStatus({ executor_pid: _, ...rest }: NonNullable<TaskStatus['container_status']>): object {
  return rest;
}

function allTasks(record: FrameworkRecord): TaskRecord[] {
  return [...record.tasks.values(), ...record.unreachable.values(), ...record.completed];
}

function offersOf(context: MasterContext, record: FrameworkRecord): Resources {
  return add(
    [],
    context.offers.ofFramework(record.id).flatMap((offer) => offer.resources),
  );
}

function stateCounts(tasks: readonly TaskRecord[]): Record<string, number> {
  const counted = TASK_STATES.filter((state) => !isTerminal(state) || COUNTED_TERMINAL.has(state));
  return Object.fromEntries(
    counted
      .filter((state) => state !== 'TASK_UNKNOWN')
      .map((state) => [state, tasks.filter((record) => record.state === state).length]),
  );
}

const COUNTED_TERMINAL: ReadonlySet<TaskState> = new Set([
  'TASK_FINISHED',
  'TASK_KILLED',
  'TASK_FAILED',
  'TASK_LOST',
  'TASK_ERROR',
]);

/** `{"cpus":2,"mem":1024,"disk":0,"gpus":0,"ports":"[31000-31999]"}`, whatever the reservations. */
function summary(list: Resources): Record<string, number | string> {
  const scalars = { disk: 0, mem: 0, gpus: 0, cpus: 0, ...numbers(list.filter(({ type }) => type === 'SCALAR')) };
  const ranges = list.filter(({ type }) => type === 'RANGES');
  const texts = [...new Set(ranges.map(({ name }) => name))].map((name): [string, string] => [
    name,
    formatRanges(ranges.filter((resource) => resource.name === name).flatMap(({ ranges: its }) => its?.range ?? [])),
  ]);
  return { ...scalars, ...Object.fromEntries(texts) };
}

function numbers(list: Resources): Record<string, number> {
  return Object.fromEntries([...quantities(list)].map(([name, thousandths]) => [name, thousandths / 1000]));
}

function byRole<T>(list: Resources, write: (ofRole: Resources) => T): Record<string, T> {
  const roles = [...new Set(list.map((resource) => reservedRole(resource) ?? '*'))];
  return Object.fromEntries(
    roles.map((role) => [role, write(list.filter((resource) => reservedRole(resource) === role))]),
  );
}

function attributeValue(attribute: Attribute): string | number {
  if (attribute.scalar !== undefined) return attribute.scalar.value;
  if (attribute.ranges !== undefined) return formatRanges(attribute.ranges.range ?? []);
  if (attribute.set !== undefined) return `{${(attribute.set.item ?? []).join(', ')}}`;
  return attribute.text?.value ?? '';
}
