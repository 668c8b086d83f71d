/**
 * Asking the master how our tasks are. One run at a time: all tasks are asked for, and those without an answer again, less
 * and less often. Silence is an answer that has not come yet (after a master's failover for up to ten minutes), never a loss.
 */
import type { AgentId, CallBody, TaskId } from '../mesos-http-client/messages.ts';

const FIRST_REPEAT_MS = 1_000;
const MAX_REPEAT_MS = 30_000;
const PERIOD_MS = 600_000;
/** Of ten thousand tasks no more are asked for at once: each is answered by an event of its own. */
const MOST_AT_ONCE = 1_000;
const PORTION_MS = 100;

export interface Reconciliation {
  /** Tasks that the run still waits for, and on which agents they are. */
  waiting: Map<TaskId, AgentId>;
  /** Those of them that are still to be asked for in this round, the last one first. */
  round: TaskId[];
  repeatDelay: number;
  /** When the next of the round, or else the unanswered ones, are asked for; null when there are none, or no subscription. */
  repeatAt: number | null;
  /** When the next run begins; null without a subscription. */
  nextRunAt: number | null;
}

export function newReconciliation(): Reconciliation {
  return { waiting: new Map(), round: [], repeatDelay: FIRST_REPEAT_MS, repeatAt: null, nextRunAt: null };
}

/**
 * Begins a run: what to ask is the explicit call for `tasks`, of which this gives the first ones, and the implicit one, for
 * tasks that we do not know of.
 */
export function beginRun(run: Reconciliation, tasks: Map<TaskId, AgentId>, now: number): ReadonlyMap<TaskId, AgentId> {
  run.waiting = tasks;
  run.repeatDelay = FIRST_REPEAT_MS;
  run.nextRunAt = now + PERIOD_MS;
  run.round = [...tasks.keys()].reverse();
  return nextOfRound(run, now);
}

function nextOfRound(run: Reconciliation, now: number): ReadonlyMap<TaskId, AgentId> {
  const some = new Map<TaskId, AgentId>();
  while (some.size < MOST_AT_ONCE) {
    const taskId = run.round.pop();
    if (taskId === undefined) break;
    const agentId = run.waiting.get(taskId);
    if (agentId !== undefined) some.set(taskId, agentId);
  }
  if (run.waiting.size === 0) run.repeatAt = null;
  else run.repeatAt = now + (run.round.length > 0 ? PORTION_MS : run.repeatDelay);
  return some;
}

/** An update about a task, of whatever kind, is its answer. */
export function answered(run: Reconciliation, taskId: TaskId): void {
  if (run.waiting.delete(taskId) && run.waiting.size === 0) run.repeatAt = null;
}

/** The tasks to ask for now, if it is time: the next ones, or those without an answer once more. */
export function dueRepeat(run: Reconciliation, now: number): ReadonlyMap<TaskId, AgentId> | null {
  if (run.repeatAt === null || run.repeatAt > now) return null;
  if (run.round.length === 0) {
    run.repeatDelay = Math.min(MAX_REPEAT_MS, run.repeatDelay * 2);
    run.round = [...run.waiting.keys()].reverse();
  }
  return nextOfRound(run, now);
}

/** Without a subscription nothing is asked; the next one begins a new run. */
export function suspend(run: Reconciliation): void {
  run.waiting = new Map();
  run.round = [];
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
