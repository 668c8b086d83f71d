/** Status updates on their way from agents to frameworks, and acknowledgements and kills on their way back. */
import type { AgentId, CallBody, FrameworkId, TaskStatus } from '../../framework/mesos-http-client/messages.ts';
import { tell } from './agent-tell.ts';
import { release } from './agents.ts';
import type { MasterContext } from './context.ts';
import { completeTask, type FrameworkRecord, sendTo } from './frameworks.ts';
import { reconcile } from './reconciliation.ts';
import { isTerminal, recordStatus, type TaskRecord } from './tasks.ts';

const OF_A_CHECK = new Set(['REASON_TASK_CHECK_STATUS_UPDATED', 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED']);

type Kill = Extract<CallBody, { type: 'KILL' }>['kill'];
type Acknowledge = Extract<CallBody, { type: 'ACKNOWLEDGE' }>['acknowledge'];

/** From an agent; it sends again until the framework has acknowledged, so nothing is kept here for later. */
export function forwardUpdate(
  context: MasterContext,
  agentId: AgentId,
  frameworkId: FrameworkId,
  status: TaskStatus,
): void {
  const framework = context.frameworks.get(frameworkId);
  if (framework === undefined || context.agents.get(agentId)?.link.kind !== 'connected') return;
  const task = framework.tasks.get(status.task_id.value);
  if (task !== undefined && task.agentId === agentId) changeState(context, task, status);
  // Forwarded even if the task is not known any more: it is the only way to an acknowledgement.
  sendTo(framework, { type: 'UPDATE', update: { status } });
}

/** Takes a status over into the books: a terminal one frees the task's resources at once, acknowledged or not. */
export function changeState(context: MasterContext, task: TaskRecord, status: TaskStatus): void {
  const before = task.state;
  recordStatus(task, status);
  // As Mesos does: news of a check is for everyone, also where the state stays (Master::updateTask).
  if (task.state !== before || OF_A_CHECK.has(status.reason ?? '')) announceState(context, task, status);
  if (task.state === before) return;
  if (!isTerminal(task.state)) return;
  const agent = context.agents.get(task.agentId);
  if (agent !== undefined) release(agent, task.resources);
  context.requestAllocation();
}

export function announceState(context: MasterContext, task: TaskRecord, status: TaskStatus): void {
  const updated = { framework_id: { value: task.frameworkId }, status, state: task.state };
  context.operators.send({ type: 'TASK_UPDATED', task_updated: updated });
}

/** Wrong and repeated ones are passed on too, and ignored by the agent. */
export function acknowledge(context: MasterContext, framework: FrameworkRecord, ack: Acknowledge): void {
  const agent = context.agents.get(ack.agent_id.value);
  if (agent === undefined || agent.link.kind !== 'connected') return;
  const taskId = ack.task_id.value;
  const task = framework.tasks.get(taskId);
  if (task?.update != null && task.update.uuid === ack.uuid && isTerminal(task.update.state)) {
    completeTask(framework, task);
  }
  tell(agent, (endpoint) => endpoint.acknowledge(framework.id, taskId, ack.uuid));
}

export function kill(context: MasterContext, framework: FrameworkRecord, wanted: Kill): void {
  const taskId = wanted.task_id.value;
  const task = framework.tasks.get(taskId);
  if (task === undefined) {
    // Unreachable tasks included: the kill is forgotten, the answer says so.
    reconcile(context, framework, [wanted]);
    return;
  }
  if (wanted.agent_id !== undefined && wanted.agent_id.value !== task.agentId) return;
  const agent = context.agents.get(task.agentId);
  if (agent === undefined) return;
  if (agent.link.kind === 'disconnected') {
    agent.pendingKills.set(taskId, framework.id);
    return;
  }
  const grace = wanted.kill_policy?.grace_period?.nanoseconds;
  tell(agent, (endpoint) => {
    if (grace === undefined) endpoint.killTask(framework.id, taskId);
    else endpoint.killTask(framework.id, taskId, grace / 1e9);
  });
}
