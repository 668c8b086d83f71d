/** How a node is, for people: its state, and where it is not healthy one sentence on why. */
import type { NodeState, NodeStatus } from '../contract.ts';
import type { LedgerTask } from '../tasks/ledger.ts';
import type { Node } from './state.ts';

/** `cause` names what the sentence is about, without the figures in it that change by themselves. */
interface Judgement {
  readonly state: NodeState;
  readonly cause: string;
  readonly reason: string | null;
}

export function judge(node: Node, now: number): Judgement {
  return node.task === null ? judgeEmpty(node, now) : judgeTask(node, node.task);
}

export function statusOf(node: Node, now: number): NodeStatus {
  const { state, reason } = judge(node, now);
  return { ...node.agent, state, reason, taskId: node.task?.taskId ?? null, since: node.shown.since };
}

function judgeEmpty(node: Node, now: number): Judgement {
  const ended = node.lastEnd === null ? '' : `The last task ${node.lastEnd}. `;
  if (node.draining) {
    const reason = 'The operator has drained or deactivated the agent; a task is launched when it is active again.';
    return { state: 'draining', cause: 'draining', reason };
  }
  const [stray] = node.strays.keys();
  if (stray !== undefined) {
    return {
      state: 'pending',
      cause: `stray ${stray}`,
      reason: `Waiting for the stray task ${stray} on this agent to be killed.`,
    };
  }
  if (node.notBefore !== null && node.notBefore > now) {
    const seconds = Math.ceil((node.notBefore - now) / 1000);
    return { state: 'pending', cause: `backoff ${node.notBefore}`, reason: `${ended}Next attempt in ${seconds} s.` };
  }
  if (node.misfit !== null) {
    return { state: 'pending', cause: node.misfit, reason: `${ended}The last offer did not fit: ${node.misfit}.` };
  }
  return { state: 'pending', cause: 'waiting', reason: `${ended}Waiting for an offer from Mesos.` };
}

function judgeTask(node: Node, task: LedgerTask): Judgement {
  // The task itself said so, which proves more than an update of Mesos that is still on its way.
  const early = task.phase === 'recovered' || task.phase === 'launching' || task.phase === 'starting';
  if (early && task.health?.healthy === true && !node.draining) return healthy();
  switch (task.phase) {
    case 'unreachable':
      return lost(task, 'The agent is unreachable; its task may be alive and is taken back when the agent returns.');
    case 'lost':
      return lost(task, 'Mesos does not know how the task is, and is being asked.');
    case 'killing':
      return { state: node.draining ? 'draining' : 'unhealthy', cause: 'killing', reason: 'The task is being killed.' };
    case 'recovered':
      return launching(task, 'Known from the state store; waiting for Mesos to say how the task is.');
    case 'launching':
      return launching(task, 'The launch is on its way to the agent.');
    case 'starting':
      return launching(task, 'The agent is starting the task.');
    case 'running':
      if (node.draining) return { state: 'draining', cause: 'draining', reason: 'The operator drains the agent.' };
      if (task.health === null) return launching(task, 'The task runs and has not reported its health yet.');
      if (task.health.healthy) return healthy();
      return {
        state: 'unhealthy',
        cause: `unhealthy ${task.health.reason}`,
        reason: task.health.reason ?? 'The task is not healthy.',
      };
  }
}

const healthy = (): Judgement => ({ state: 'healthy', cause: 'healthy', reason: null });

const lost = (task: LedgerTask, reason: string): Judgement => ({ state: 'lost', cause: task.phase, reason });

const launching = (task: LedgerTask, reason: string): Judgement => ({
  state: 'launching',
  cause: `${task.phase} ${task.health === null}`,
  reason,
});
