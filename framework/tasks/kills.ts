/**
 * KILL is a request that may get lost or be forgotten, so it is repeated until the task is dead: for the task of a node that
 * was told to go, and for tasks of ours that must not be where they are.
 */
import type { Step } from '../daemonset/effects.ts';
import type { KillReason, Node } from '../daemonset/state.ts';
import type { TaskId } from '../mesos-http-client/messages.ts';
import { rememberEnd } from './ledger.ts';

const FIRST_REPEAT_MS = 5_000;
const MAX_REPEAT_MS = 60_000;

/** Tells the node's task to go. */
export function killTask(step: Step, node: Node, why: KillReason): void {
  if (node.task === null) return;
  step.touched.add(node);
  if (node.killing === null) {
    const { agentId, hostname } = node.agent;
    step.log('info', 'killing the task', { agentId, hostname, taskId: node.task.taskId, why });
    node.killDelay = FIRST_REPEAT_MS;
  }
  node.killing = why;
  // Healthy as it still may be, no rollout waits for it any more.
  step.disarm(node, 'gate');
  kill(step, node, node.task.taskId);
  armKill(step, node, node.killDelay);
}

export function addStray(step: Step, node: Node, taskId: TaskId): void {
  node.strays.set(taskId, { taskId, delay: FIRST_REPEAT_MS });
  repeatKills(step, node);
}

export function dropStray(step: Step, node: Node, taskId: TaskId): void {
  node.strays.delete(taskId);
  rememberEnd(node.ended, taskId);
  step.state.tasks.delete(taskId);
  step.touched.add(node);
}

/** Sends a KILL for each that must go, and again later. */
export function repeatKills(step: Step, node: Node): void {
  let next = Number.POSITIVE_INFINITY;
  if (node.task !== null && node.killing !== null) {
    kill(step, node, node.task.taskId);
    next = node.killDelay;
    node.killDelay = Math.min(MAX_REPEAT_MS, node.killDelay * 2);
  }
  for (const stray of node.strays.values()) {
    kill(step, node, stray.taskId);
    next = Math.min(next, stray.delay);
    stray.delay = Math.min(MAX_REPEAT_MS, stray.delay * 2);
  }
  if (Number.isFinite(next)) step.arm(node, 'kill', step.now + next);
}

function armKill(step: Step, node: Node, delay: number): void {
  const at = step.now + delay;
  if ((node.deadlines.kill ?? Number.POSITIVE_INFINITY) > at) step.arm(node, 'kill', at);
}

/** Without a subscription nothing is sent; the next one repeats every kill. */
export function kill(step: Step, node: Node, taskId: TaskId): void {
  if (!step.state.subscribed) return;
  step.state.counters.kills += 1;
  step.call({ type: 'KILL', kill: { task_id: { value: taskId }, agent_id: { value: node.agent.agentId } } });
}
