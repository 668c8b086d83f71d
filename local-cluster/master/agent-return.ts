/** An agent registered again: its tasks and the master's books are brought together. */
import type { TaskId } from '../../framework/mesos-http-client/messages.ts';
import type { HeldTask } from '../agent-link.ts';
import { tell } from './agent-tell.ts';
import { type AgentLink, type AgentRecord, use } from './agents.ts';
import type { MasterContext } from './context.ts';
import { completeTask, type FrameworkRecord, isPartitionAware, rolesOf, sendTo } from './frameworks.ts';
import { operatorTask } from './operator-json.ts';
import { allocate, resources } from './resources.ts';
import { latestStatus, masterStatus } from './statuses.ts';
import { changeState } from './task-updates.ts';
import { isTerminal, type TaskRecord } from './tasks.ts';

/** `before`: how the master knew the agent; `unknown` when not even from the registry. */
export function readmitTasks(
  context: MasterContext,
  agent: AgentRecord,
  before: AgentLink['kind'] | 'unknown',
  held: readonly HeldTask[],
): void {
  for (const task of held) readmit(context, agent, before, task);
  settleMissing(context, agent, held);
  for (const [taskId, frameworkId] of agent.pendingKills) {
    tell(agent, (endpoint) => endpoint.killTask(frameworkId, taskId));
  }
  agent.pendingKills.clear();
}

function readmit(context: MasterContext, agent: AgentRecord, before: string, held: HeldTask): void {
  if (context.frameworks.isCompleted(held.frameworkId)) {
    tell(agent, (endpoint) => endpoint.shutdownFramework(held.frameworkId));
    return;
  }
  const framework =
    context.frameworks.get(held.frameworkId) ??
    context.frameworks.add(held.frameworkId, held.frameworkInfo, { kind: 'recovered' }, context.clock.now());
  const id = held.task.task_id.value;
  if (framework.tasks.has(id)) return;
  if (wasLost(framework, id) && !isTerminal(held.status.state)) {
    // Lost with its agent's link (checkpoint: false): it must not live on.
    tell(agent, (endpoint) => endpoint.killTask(held.frameworkId, id));
    return;
  }
  const task = taskFrom(framework, agent, held);
  framework.unreachable.delete(id);
  framework.tasks.set(id, task);
  if (!isTerminal(task.state)) use(agent, task.resources);
  if (context.operators.watched)
    context.operators.send({ type: 'TASK_ADDED', task_added: { task: operatorTask(task) } });
  // After a failover nothing is said: to the framework the agent was never away.
  if (before !== 'unreachable' && before !== 'unknown') return;
  const status = latestStatus(
    task,
    'REASON_AGENT_REREGISTERED',
    'Unreachable agent re-reregistered',
    context.clock.now(),
  );
  sendTo(framework, { type: 'UPDATE', update: { status } });
}

/** Tasks in the master's books that the agent does not hold any more (it restarted without them). */
function settleMissing(context: MasterContext, agent: AgentRecord, held: readonly HeldTask[]): void {
  const holds = (framework: FrameworkRecord, id: TaskId): boolean =>
    held.some((task) => task.frameworkId === framework.id && task.task.task_id.value === id);
  for (const framework of context.frameworks.all()) {
    for (const task of framework.unreachable.values()) {
      // Recorded: nothing is said of a task that was unreachable and has vanished; RECONCILE says TASK_GONE.
      if (task.agentId === agent.id && !holds(framework, task.id)) framework.unreachable.delete(task.id);
    }
    for (const task of framework.tasks.values()) {
      if (task.agentId === agent.id && !holds(framework, task.id)) settle(context, framework, task);
    }
  }
}

/** In Mesos the master asks the agent, and the agent tells of the loss; here the master says the same itself. */
function settle(context: MasterContext, framework: FrameworkRecord, task: TaskRecord): void {
  if (!isTerminal(task.state)) {
    const status = {
      ...masterStatus({
        taskId: task.id,
        agentId: task.agentId,
        state: isPartitionAware(framework) ? 'TASK_DROPPED' : 'TASK_LOST',
        reason: 'REASON_RECONCILIATION',
        message: 'Reconciliation: task unknown to the agent',
        now: context.clock.now(),
      }),
      source: 'SOURCE_AGENT' as const,
    };
    changeState(context, task, status);
    sendTo(framework, { type: 'UPDATE', update: { status } });
  }
  completeTask(framework, task);
}

function taskFrom(framework: FrameworkRecord, agent: AgentRecord, held: HeldTask): TaskRecord {
  const { task: info, status } = held;
  const known = framework.unreachable.get(info.task_id.value);
  const role = info.resources[0]?.allocation_info?.role ?? rolesOf(framework.info)[0] ?? '*';
  return {
    id: info.task_id.value,
    frameworkId: framework.id,
    agentId: agent.id,
    info,
    resources: known?.resources ?? allocate(resources(info.resources), role),
    state: status.state,
    statuses: [...(known?.statuses ?? []).filter((past) => past.state !== status.state), status],
    update: status.uuid === undefined ? null : { state: status.state, uuid: status.uuid },
  };
}

function wasLost(framework: FrameworkRecord, id: TaskId): boolean {
  return framework.completed.some((task) => task.id === id && task.state === 'TASK_LOST');
}
