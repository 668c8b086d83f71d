/** Agents come, lose their link, fall silent, come back, and go for good; and what frameworks are told of it. */
import { type AgentId, agentId as parseAgentId, type TaskState } from '../../framework/mesos-http-client/messages.ts';
import type { AgentEndpoint, HeldTask } from '../agent-link.ts';
import { readmitTasks } from './agent-return.ts';
import { tell } from './agent-tell.ts';
import { type AgentRecord, agentInfo } from './agents.ts';
import { rescindOffersOn } from './allocation.ts';
import type { MasterContext } from './context.ts';
import { completeTask, type FrameworkRecord, isPartitionAware, sendTo } from './frameworks.ts';
import { operatorAgent } from './operator-json.ts';
import { resources, withCheckpointed } from './resources.ts';
import { masterStatus } from './statuses.ts';
import { announceState, changeState } from './task-updates.ts';
import { isTerminal, recordStatus, type TaskRecord } from './tasks.ts';

/** A framework remembers this many unreachable tasks (`--max_unreachable_tasks_per_framework`). */
const MAX_UNREACHABLE_TASKS = 1000;

export function registerAgent(
  context: MasterContext,
  endpoint: AgentEndpoint,
  id: AgentId | null,
  held: readonly HeldTask[],
): void {
  if (id !== null && context.agents.gone.has(id)) {
    queueMicrotask(() => endpoint.gone());
    return;
  }
  const { hostname, ip } = endpoint.description;
  if (context.maintenance.isDown({ hostname, ip })) {
    queueMicrotask(() => endpoint.shutDown());
    return;
  }
  const agent = id === null ? admitNew(context, endpoint) : admitKnown(context, endpoint, id, held);
  tell(agent, (linked) => linked.registered(agent.id));
  const { drain } = agent;
  if (drain?.state === 'DRAINING') tell(agent, (linked) => linked.drain(drain.order));
  context.requestAllocation();
}

function admitNew(context: MasterContext, endpoint: AgentEndpoint): AgentRecord {
  const { ip, port } = endpoint.description;
  const predecessor = context.agents.at(ip, port);
  if (predecessor !== undefined) {
    const hostname = predecessor.info.hostname;
    removeAgent(context, predecessor, {
      state: 'TASK_LOST',
      reason: 'REASON_AGENT_REMOVED',
      message: `Agent ${hostname} removed: a new agent registered at the same address`,
    });
  }
  const id = parseAgentId(`${context.identity.id}-S${context.nextNumber('agent')}`);
  const info = agentInfo(id, endpoint.description);
  const agent = context.agents.add(id, info, { kind: 'connected', endpoint }, context.clock.now());
  agent.description = endpoint.description;
  agent.total = withCheckpointed(agent.total, endpoint.checkpointed);
  announceAgent(context, agent);
  return agent;
}

function admitKnown(
  context: MasterContext,
  endpoint: AgentEndpoint,
  id: AgentId,
  held: readonly HeldTask[],
): AgentRecord {
  const now = context.clock.now();
  const info = agentInfo(id, endpoint.description);
  const known = context.agents.get(id);
  if (known?.link.kind === 'connected') disconnectAgent(context, known);
  const before = known?.link.kind ?? 'unknown';
  if (known?.link.kind === 'disconnected') known.link.stopTimer();

  const agent = known ?? context.agents.add(id, info, { kind: 'recovered' }, now);
  agent.total = withCheckpointed(resources(info.resources), endpoint.checkpointed);
  agent.info = info;
  agent.description = endpoint.description;
  agent.reregisteredAt = now;
  agent.link = { kind: 'connected', endpoint };
  readmitTasks(context, agent, before, held);
  if (before !== 'disconnected') announceAgent(context, agent);
  return agent;
}

/** The link broke: the ping timeout begins. */
export function disconnectAgent(context: MasterContext, agent: AgentRecord): void {
  if (agent.link.kind !== 'connected') return;
  const stopTimer = context.clock.after(context.settings.agentPingTimeoutMs, () => agentUnreachable(context, agent));
  agent.link = { kind: 'disconnected', stopTimer };
  rescindOffersOn(context, agent.id);
  for (const [framework, task] of tasksOn(context, agent)) {
    if (framework.info.checkpoint === true) continue;
    // Executors of such frameworks do not outlive their agent's process, so they count as lost at once.
    const status = masterStatus({
      taskId: task.id,
      agentId: agent.id,
      state: 'TASK_LOST',
      reason: 'REASON_AGENT_DISCONNECTED',
      message: `Agent ${agent.info.hostname} disconnected`,
      now: context.clock.now(),
    });
    if (!isTerminal(task.state)) sendTo(framework, { type: 'UPDATE', update: { status } });
    changeState(context, task, status);
    completeTask(framework, task);
  }
}

/** Silent for too long (or not back in time after a failover): its tasks may live on, nobody knows. */
export function agentUnreachable(context: MasterContext, agent: AgentRecord): void {
  const now = context.clock.now();
  agent.link = { kind: 'unreachable', since: now };
  agent.used = [];
  agent.pendingKills.clear();
  context.filters.forgetAgent(agent.id);
  for (const [framework, task] of tasksOn(context, agent)) {
    if (isTerminal(task.state)) {
      completeTask(framework, task);
      continue;
    }
    const status = masterStatus({
      taskId: task.id,
      agentId: agent.id,
      state: isPartitionAware(framework) ? 'TASK_UNREACHABLE' : 'TASK_LOST',
      reason: 'REASON_AGENT_REMOVED',
      message: 'health check timed out',
      now,
      unreachableSince: now,
    });
    recordStatus(task, status);
    framework.tasks.delete(task.id);
    framework.unreachable.set(task.id, task);
    const oldest = framework.unreachable.keys().next().value;
    if (framework.unreachable.size > MAX_UNREACHABLE_TASKS && oldest !== undefined)
      framework.unreachable.delete(oldest);
    sendTo(framework, { type: 'UPDATE', update: { status } });
    announceState(context, task, status);
  }
  tellFailure(context, agent);
}

export interface Removal {
  /** For PARTITION_AWARE frameworks; the others are told TASK_LOST. */
  readonly state: TaskState;
  readonly reason: string;
  readonly message: string;
}

/** An agent leaves for good: unregistered, replaced, or marked gone. */
export function removeAgent(context: MasterContext, agent: AgentRecord, removal: Removal): void {
  const now = context.clock.now();
  const wasRegistered = agent.link.kind === 'connected' || agent.link.kind === 'disconnected';
  if (agent.link.kind === 'disconnected') agent.link.stopTimer();
  context.agents.remove(agent.id);
  for (const [framework, task] of [...tasksOn(context, agent), ...unreachableTasksOn(context, agent)]) {
    const status = masterStatus({
      taskId: task.id,
      agentId: agent.id,
      state: isPartitionAware(framework) ? removal.state : 'TASK_LOST',
      reason: removal.reason,
      message: removal.message,
      now,
    });
    const over = isTerminal(task.state) && framework.tasks.has(task.id);
    completeTask(framework, task);
    if (over) continue;
    recordStatus(task, status);
    sendTo(framework, { type: 'UPDATE', update: { status } });
    announceState(context, task, status);
  }
  rescindOffersOn(context, agent.id);
  context.filters.forgetAgent(agent.id);
  if (wasRegistered) tellFailure(context, agent);
  context.operators.send({ type: 'AGENT_REMOVED', agent_removed: { agent_id: { value: agent.id } } });
}

/** The operator says that the agent never returns. False if there is no such agent. */
export function markGone(context: MasterContext, id: AgentId): boolean {
  const agent = context.agents.get(id);
  if (agent === undefined) return context.agents.gone.has(id);
  context.agents.gone.add(id);
  const link = agent.link;
  removeAgent(context, agent, {
    state: 'TASK_GONE_BY_OPERATOR',
    reason: 'REASON_AGENT_REMOVED_BY_OPERATOR',
    message: 'Agent has been marked gone',
  });
  if (link.kind === 'connected') queueMicrotask(() => link.endpoint.gone());
  return true;
}

function announceAgent(context: MasterContext, agent: AgentRecord): void {
  if (!context.operators.watched) return;
  context.operators.send({ type: 'AGENT_ADDED', agent_added: { agent: operatorAgent(context, agent) } });
}

/** FAILURE with only an agent id: that agent was removed. Every framework hears of it. */
function tellFailure(context: MasterContext, agent: AgentRecord): void {
  for (const framework of context.frameworks.all()) {
    sendTo(framework, { type: 'FAILURE', failure: { agent_id: { value: agent.id } } });
  }
}

type OwnedTask = [framework: FrameworkRecord, task: TaskRecord];

/** The tasks that the master holds there, ended ones too until that is acknowledged. */
export function tasksOn(context: MasterContext, agent: AgentRecord): OwnedTask[] {
  return context.frameworks
    .all()
    .flatMap((framework) => [...framework.tasks.values()].map((task): OwnedTask => [framework, task]))
    .filter(([, task]) => task.agentId === agent.id);
}

function unreachableTasksOn(context: MasterContext, agent: AgentRecord): OwnedTask[] {
  return context.frameworks
    .all()
    .flatMap((framework) => [...framework.unreachable.values()].map((task): OwnedTask => [framework, task]))
    .filter(([, task]) => task.agentId === agent.id);
}
