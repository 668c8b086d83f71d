/**
 * Asking the master how our tasks are. One run at a time: all tasks are asked for, and those without an answer again, less
 * and less often. Silence is an answer that has not come yet (after a master's failover for up to ten minutes), never a loss.
 */
import type { AgentId, CallBody, TaskId } from '../mesos-http-client/messages.ts';

const FIRST_REPEAT_MS = 1_000;
const MAX_REPEAT_MS = 30_000;
const PERIOD_MS = 600_000;

export interface Reconciliation {
  /** Tasks that the run still waits for, and on which agents they are. */
  waiting: Map<TaskId, AgentId>;
  repeatDelay: number;
  /** When the unanswered ones are asked for again; null when there are none, or no subscription. */
  repeatAt: number | null;
  /** When the next run begins; null without a subscription. */
  nextRunAt: number | null;
}

export function newReconciliation(): Reconciliation {
  return { waiting: new Map(), repeatDelay: FIRST_REPEAT_MS, repeatAt: null, nextRunAt: null };
}

/** Begins a run: what to ask is the explicit call for `tasks` and then the implicit one, for tasks that we do not know of. */
export function beginRun(run: Reconciliation, tasks: Map<TaskId, AgentId>, now: number): void {
  run.waiting = tasks;
  run.repeatDelay = FIRST_REPEAT_MS;
  run.repeatAt = tasks.size === 0 ? null : now + FIRST_REPEAT_MS;
  run.nextRunAt = now + PERIOD_MS;
}

/** An update about a task, of whatever kind, is its answer. */
export function answered(run: Reconciliation, taskId: TaskId): void {
  if (run.waiting.delete(taskId) && run.waiting.size === 0) run.repeatAt = null;
}

/** The tasks to ask for again now, if it is time. */
export function dueRepeat(run: Reconciliation, now: number): ReadonlyMap<TaskId, AgentId> | null {
  if (run.repeatAt === null || run.repeatAt > now) return null;
  run.repeatDelay = Math.min(MAX_REPEAT_MS, run.repeatDelay * 2);
  run.repeatAt = now + run.repeatDelay;
  return run.waiting;
}

/** Without a subscription nothing is asked; the next one begins a new run. */
export function suspend(run: Reconciliation): void {
  run.waiting = new Map();
  run.repeatAt = null;
  run.nextRunAt = null;
}

/** An empty map is the implicit form: all tasks that the master holds. */
export function reconcileCall(tasks: ReadonlyMap<TaskId, AgentId>): CallBody {
  return {
    type: 'RECONCILE',
    // With the agent, or a master that waits for any agent gives no answer at all.
    reconcile: { tasks: [...tasks].map(([task, agent]) => ({ task_id: { value: task }, agent_id: { value: agent } })) },
  };
}
