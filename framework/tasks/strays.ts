/** Tasks of ours that must go: KILL is a request that may get lost or be forgotten, so it is repeated until the task is dead. */
import type { Step } from '../daemonset/effects.ts';
import type { Node } from '../daemonset/state.ts';
import type { TaskId } from '../mesos-http-client/messages.ts';
import { rememberEnd } from './ledger.ts';

const FIRST_REPEAT_MS = 5_000;
const MAX_REPEAT_MS = 60_000;

export function addStray(step: Step, node: Node, taskId: TaskId): void {
  node.strays.set(taskId, { taskId, delay: FIRST_REPEAT_MS });
  killStrays(step, node);
}

export function dropStray(step: Step, node: Node, taskId: TaskId): void {
  node.strays.delete(taskId);
  rememberEnd(node.ended, taskId);
  step.state.tasks.delete(taskId);
  step.touched.add(node);
}

/** Sends a KILL for each, and again later. */
export function killStrays(step: Step, node: Node): void {
  let next = MAX_REPEAT_MS;
  for (const stray of node.strays.values()) {
    kill(step, node, stray.taskId);
    next = Math.min(next, stray.delay);
    stray.delay = Math.min(MAX_REPEAT_MS, stray.delay * 2);
  }
  if (node.strays.size > 0) step.arm(node, 'kill', step.now + next);
}

export function kill(step: Step, node: Node, taskId: TaskId): void {
  step.call({ type: 'KILL', kill: { task_id: { value: taskId }, agent_id: { value: node.agent.agentId } } });
}
