/** How a node is, for people: its state, and where it is not healthy one sentence on why. */
import type { NodeState, NodeStatus } from '../contract.ts';
import { misfitClause } from '../offers/misfit.ts';
import { isAway } from '../offers/revival.ts';
import type { LedgerTask } from '../tasks/ledger.ts';
import type { KillReason, Node } from './state.ts';

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
  const { taskId = null } = node.task ?? {};
  const { shown, goal, heldOut } = node;
  return { ...node.agent, state, reason, taskId, since: shown.since, goal: goal?.id ?? null, heldOut };
}

function judgeEmpty(node: Node, now: number): Judgement {
  if (!node.placed.wanted) {
    const held = node.reserved === null ? '' : '; what is reserved there is being given back';
    return excluded(`Left out of the placement: ${node.placed.why}${held}.`);
  }
  const ended = node.lastEnd === null ? '' : `The last task ${node.lastEnd}. `;
  if (node.draining) {
    const reason = 'The operator has drained or deactivated the agent; a task is launched when it is active again.';
    return { state: 'draining', cause: 'draining', reason };
  }
  if (node.maintenance !== null && isAway(node, now)) {
    const reason = `In maintenance since ${new Date(node.maintenance.from).toISOString()}, by the operator's schedule.`;
    return { state: 'draining', cause: 'maintenance', reason };
  }
  const [stray] = node.strays.keys();
  if (stray !== undefined) {
    return pending(`stray ${stray}`, `Waiting for the stray task ${stray} on this agent to be killed.`);
  }
  if (node.notBefore !== null && node.notBefore > now) {
    const seconds = Math.ceil((node.notBefore - now) / 1000);
    const why = ended === '' ? 'Finding out whether a task of an earlier time still runs here. ' : ended;
    return pending(`backoff ${node.notBefore}`, `${why}Next attempt in ${seconds} s.`);
  }
  if (node.misfit !== null) {
    const why = misfitClause(node.misfit, node);
    return pending(why, `${ended}The last offer did not fit: ${why}.`);
  }
  const waited = node.waitingSince === null ? 0 : Math.floor((now - node.waitingSince) / 1000);
  if (waited < LONG_WAIT_SECONDS) return pending('waiting', `${ended}Waiting for an offer from Mesos.`);
  return pending('waiting long', `${ended}Mesos has not offered the agent for ${waited} s.`);
}

const LONG_WAIT_SECONDS = 10;

const pending = (cause: string, reason: string): Judgement => ({ state: 'pending', cause, reason });
const excluded = (reason: string): Judgement => ({ state: 'excluded', cause: reason, reason });

function judgeTask(node: Node, task: LedgerTask): Judgement {
  // The task itself said so, which proves more than an update of Mesos that is still on its way.
  const early = task.phase === 'recovered' || task.phase === 'launching' || task.phase === 'starting';
  if (early && task.health?.healthy === true && !node.draining) return healthy();
  const goes = node.killing !== null && task.phase !== 'unreachable' && task.phase !== 'lost';
  if (goes) return judgeKilled(node, node.killing);
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

function judgeKilled(node: Node, why: KillReason | null): Judgement {
  switch (why) {
    case 'eviction':
      return excluded(
        `Left out of the placement${node.placed.wanted ? '' : `: ${node.placed.why}`}; the task is told to end.`,
      );
    case 'maintenance':
      return {
        state: 'draining',
        cause: 'maintenance',
        reason: 'The machine goes into maintenance; the task is told to end.',
      };
    case 'health':
      return {
        state: 'unhealthy',
        cause: 'killing',
        reason: 'Nothing of the task answers any more; it is being replaced.',
      };
    case 'rollout':
    case null:
      return { state: 'draining', cause: 'rollout', reason: 'The task is being replaced.' };
  }
}

const healthy = (): Judgement => ({ state: 'healthy', cause: 'healthy', reason: null });

const lost = (task: LedgerTask, reason: string): Judgement => ({ state: 'lost', cause: task.phase, reason });

const launching = (task: LedgerTask, reason: string): Judgement => ({
  state: 'launching',
  cause: `${task.phase} ${task.health === null}`,
  reason,
});
