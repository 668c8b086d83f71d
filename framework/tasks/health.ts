/** What the framework's user says of a task's health, and what follows from it in time. */
import type { Step } from '../daemonset/effects.ts';
import type { Node } from '../daemonset/state.ts';
import type { TaskId } from '../mesos-http-client/messages.ts';
import { noteDown } from '../rollout/budget.ts';
import { lookAtGate } from '../rollout/rollout.ts';
import { SETTLED_AFTER_MS } from './backoff.ts';
import type { LedgerTask, TaskHealth } from './ledger.ts';

const DEAD_FOR_MS = 30_000;

export function takeHealth(step: Step, taskId: TaskId, health: TaskHealth): void {
  const agentId = step.state.tasks.get(taskId);
  const node = agentId === undefined ? undefined : step.state.nodes.get(agentId);
  const task = node?.task;
  if (node === undefined || task === undefined || task === null || task.taskId !== taskId) return;
  task.health = health;
  step.touched.add(node);
  if (health.healthy) {
    becomeHealthy(step, node, task);
  } else {
    task.healthySince = null;
    step.disarm(node, 'settled');
  }
  watchForDeath(step, node, task);
  lookAtGate(step, node);
}

function becomeHealthy(step: Step, node: Node, task: LedgerTask): void {
  // One that is told to go is about to be down, whatever it said before.
  if (node.killing === null) noteDown(step, node, false);
  if (!node.covered) {
    node.covered = true;
    step.persist(node);
  }
  if (task.healthySince !== null) return;
  task.healthySince = step.now;
  step.arm(node, 'settled', step.now + SETTLED_AFTER_MS);
}

/** A task that answers in no way any more is killed after some time of it; call when it may have become so, or not so. */
export function watchForDeath(step: Step, node: Node, task: LedgerTask): void {
  if (task.health?.dead !== true) step.disarm(node, 'dead');
  else if (node.deadlines.dead === undefined) step.arm(node, 'dead', step.now + DEAD_FOR_MS);
}

/** Healthy for long enough: the next end is a first one again. */
export function settle(step: Step, node: Node): void {
  if (node.failures === 0 && node.lastEnd === null) return;
  node.failures = 0;
  node.lastEnd = null;
  step.persist(node);
}
