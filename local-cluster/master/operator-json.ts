/** The master's state in the words of the v1 operator API (`GET_AGENTS`, `GET_TASKS`, events of its stream). */
import type { AgentInfo, OperatorAgentWire, Resource } from '../../framework/mesos-http-client/messages.ts';
import type { AgentRecord, Drain } from './agents.ts';
import { offerWire } from './allocation.ts';
import type { MasterContext, MasterIdentity } from './context.ts';
import { activeResources, type FrameworkRecord, rolesOf } from './frameworks.ts';
import { add, type Resources, reservationsOf, toWire, unallocate } from './resources.ts';
import { limitsOf } from './task-validation.ts';
import { isTerminal, type TaskRecord } from './tasks.ts';

/** The version that this master says it is: the one that it was compared with. */
export const VERSION = '1.12.0';

export const VERSION_INFO = {
  build_date: '2024-08-23 00:00:00 UTC',
  build_time: 1_724_425_140,
  build_user: 'root',
  git_sha: 'c1b42f79d157aa900be5cbb0c1023f1479962aa7',
  version: VERSION,
} as const;

export const MASTER_CAPABILITIES = ['AGENT_UPDATE', 'AGENT_DRAINING', 'QUOTA_V2'] as const;

export const AGENT_CAPABILITIES = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'RESOURCE_PROVIDER',
  'RESIZE_VOLUME',
  'AGENT_OPERATION_FEEDBACK',
  'AGENT_DRAINING',
  'TASK_RESOURCE_LIMITS',
] as const;

export function masterInfo(identity: MasterIdentity) {
  return {
    id: identity.id,
    ip: networkOrder(identity.ip),
    port: identity.port,
    pid: `master@${identity.ip}:${identity.port}`,
    hostname: identity.hostname,
    version: VERSION,
    address: { hostname: identity.hostname, ip: identity.ip, port: identity.port },
    capabilities: MASTER_CAPABILITIES.map((type) => ({ type })),
  };
}

export function operatorAgent(context: MasterContext, agent: AgentRecord): OperatorAgentWire {
  const offered = context.offers.ofAgent(agent.id).flatMap((offer) => offer.resources);
  const used = usedOn(context, agent);
  const wire = {
    agent_info: recoveredAgent(agent),
    active: agent.link.kind === 'connected' && !agent.deactivated,
    deactivated: agent.deactivated,
    version: VERSION,
    pid: `slave(1)@${agent.description?.ip ?? agent.info.hostname}:${agent.info.port ?? 5051}`,
    registered_time: { nanoseconds: agent.registeredAt * 1_000_000 },
    ...(agent.reregisteredAt === null ? {} : { reregistered_time: { nanoseconds: agent.reregisteredAt * 1_000_000 } }),
    total_resources: agent.total.map(endpointResource),
    ...(used.length === 0 ? {} : { allocated_resources: used.map(endpointResource) }),
    ...(offered.length === 0 ? {} : { offered_resources: offered.map(endpointResource) }),
    capabilities: AGENT_CAPABILITIES.map((type) => ({ type })),
    ...(agent.drain === null ? {} : drainJson(agent.drain)),
  };
  return wire;
}

function drainJson({ state, order, startedAt }: Drain): object {
  return {
    // Recorded: `max_grace_period` reads 0 here, whatever was asked for.
    drain_info: { state, config: { max_grace_period: { nanoseconds: 0 }, mark_gone: order.markGone } },
    estimated_drain_start_time: { nanoseconds: Math.floor(startedAt / 1000) * 1_000_000_000 },
  };
}

/** An AgentInfo as the operator API writes it. */
export function recoveredAgent(agent: AgentRecord): AgentInfo {
  const info = {
    hostname: agent.info.hostname,
    ...(agent.info.port === undefined ? {} : { port: agent.info.port }),
    resources: agent.info.resources.map((resource) => toWire(resource, true)),
    attributes: agent.info.attributes,
    ...(agent.info.domain === undefined ? {} : { domain: agent.info.domain }),
    id: { value: agent.id },
    checkpoint: true,
  };
  return info;
}

export function getAgents(context: MasterContext): {
  agents: OperatorAgentWire[];
  recovered_agents: AgentInfo[];
} {
  return {
    agents: context.agents.registered().map((agent) => operatorAgent(context, agent)),
    recovered_agents: context.agents.recovered().map(recoveredAgent),
  };
}

export function operatorTask(task: TaskRecord): object {
  const limits = limitsOf(task.info);
  const { name, labels, discovery, health_check, kill_policy, container } = task.info;
  return {
    name,
    task_id: { value: task.id },
    framework_id: { value: task.frameworkId },
    agent_id: { value: task.agentId },
    state: task.state,
    resources: task.resources.map((resource) => toWire(resource, true)),
    ...(task.statuses.length === 0 ? {} : { statuses: task.statuses }),
    ...(task.update === null ? {} : { status_update_state: task.update.state, status_update_uuid: task.update.uuid }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(labels === undefined ? {} : { labels }),
    ...(discovery === undefined ? {} : { discovery }),
    ...(container === undefined ? {} : { container }),
    ...(health_check === undefined ? {} : { health_check }),
    ...(kill_policy === undefined ? {} : { kill_policy }),
  };
}

export function getTasks(context: MasterContext) {
  const all = [...context.frameworks.all(), ...context.frameworks.completed()];
  return {
    tasks: all.flatMap((framework) => [...framework.tasks.values()].map(operatorTask)),
    unreachable_tasks: all.flatMap((framework) => [...framework.unreachable.values()].map(operatorTask)),
    completed_tasks: all.flatMap((framework) => framework.completed.map(operatorTask)),
  };
}

export function operatorFramework(context: MasterContext, framework: FrameworkRecord): object {
  const offers = context.offers.ofFramework(framework.id);
  const offered = offers.flatMap((offer) => offer.resources);
  const allocated = activeResources(framework);
  return {
    framework_info: framework.info,
    active: framework.link.kind === 'connected',
    connected: framework.link.kind === 'connected',
    recovered: framework.link.kind === 'recovered',
    registered_time: { nanoseconds: framework.registeredAt * 1_000_000 },
    reregistered_time: { nanoseconds: framework.reregisteredAt * 1_000_000 },
    ...(offers.length === 0 ? {} : { offers: offers.flatMap((offer) => offerWire(context, offer, true)) }),
    ...(allocated.length === 0 ? {} : { allocated_resources: allocated.map(endpointResource) }),
    ...(offered.length === 0 ? {} : { offered_resources: add([], offered).map(endpointResource) }),
  };
}

export function getFrameworks(context: MasterContext) {
  return {
    frameworks: context.frameworks.all().map((framework) => operatorFramework(context, framework)),
    completed_frameworks: context.frameworks.completed().map((framework) => ({
      framework_info: framework.info,
      active: false,
      connected: false,
      recovered: false,
    })),
  };
}

export function getState(context: MasterContext) {
  return {
    get_tasks: getTasks(context),
    get_executors: { executors: [] },
    get_frameworks: getFrameworks(context),
    get_agents: getAgents(context),
  };
}

export function getRoles(context: MasterContext) {
  return {
    roles: roleNames(context).map((name) => {
      const frameworks = context.frameworks.all().filter((framework) => rolesOf(framework.info).includes(name));
      const held = resourcesOfRole(context, name);
      return {
        name,
        weight: 1,
        frameworks: frameworks.map((framework) => ({ value: framework.id })),
        resources: unallocate(held)
          .filter((resource) => resource.type === 'SCALAR')
          .map((resource) => toWire(resource, true)),
      };
    }),
  };
}

/** Roles that somebody subscribed to or holds something in. */
export function roleNames(context: MasterContext): string[] {
  return [...new Set(context.frameworks.all().flatMap((framework) => rolesOf(framework.info)))].sort();
}

/** What tasks and offers hold in a role, over all frameworks. */
export function resourcesOfRole(context: MasterContext, role: string): Resources {
  const held = context.frameworks
    .all()
    .flatMap((framework) => [
      ...activeResources(framework),
      ...context.offers.ofFramework(framework.id).flatMap((offer) => offer.resources),
    ]);
  return add(
    [],
    held.filter((resource) => resource.allocation_info?.role === role),
  );
}

/** What tasks hold on an agent, allocated to roles. */
export function usedOn(context: MasterContext, agent: AgentRecord): Resources {
  const tasks = context.frameworks.all().flatMap((framework) => [...framework.tasks.values()]);
  return add(
    [],
    tasks.filter((task) => task.agentId === agent.id && !isTerminal(task.state)).flatMap((task) => task.resources),
  );
}

/** Operator endpoints write both shapes at once: `role` for old readers, `reservations` where there are any. */
export function endpointResource(resource: Resource): Resource {
  const stack = reservationsOf(resource);
  // The old shape has no words for a refined reservation.
  if (stack.length > 1) return toWire(resource, true);
  return { ...toWire(resource, false), ...(stack.length === 0 ? {} : { reservations: stack }) };
}

/** An IPv4 address as the integer of MasterInfo: in network byte order, read as little-endian. */
function networkOrder(ip: string): number {
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
  return a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24;
}
