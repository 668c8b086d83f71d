/**
 * Invariant 3, kept apart from the core's own books: which nodes are down (or being changed) by the scheduler's doing, over
 * restarts of it too, and that they are never more than may be unavailable.
 */
import type { DaemonsetState, Node } from '../../../framework/daemonset/state.ts';
import type { AgentId, TaskId } from '../../../framework/mesos-http-client/messages.ts';
import type { Goal } from '../../../framework/rollout/goal.ts';
import { type Context, Violation } from '../context.ts';

interface Down {
  readonly taskId: TaskId;
  /** What it is upgraded to; null when it was killed. */
  readonly goal: string | null;
  /** Of the scheduler that did it. */
  readonly epoch: number;
}

/** A scheduler process. */
interface Doer {
  readonly epoch: number;
  readonly state: DaemonsetState;
}

export class Budget {
  readonly #context: Context;
  readonly #most: number;
  readonly #down = new Map<AgentId, Down>();
  readonly #killed = new Set<TaskId>();
  /** Tasks that were asked to change, and into what. */
  readonly #asked = new Set<string>();
  /** Tasks that an operator wants replaced, whatever the budget. */
  readonly #ordered = new Set<TaskId>();

  constructor(context: Context, most: number) {
    this.#context = context;
    this.#most = most;
  }

  ordered(taskId: TaskId): void {
    this.#ordered.add(taskId);
  }

  wasKilled(taskId: TaskId): boolean {
    return this.#killed.has(taskId) || this.#ordered.has(taskId);
  }

  /** The operator counts what is down as done. */
  forgive(): void {
    this.#down.clear();
  }

  /** The node may be well again. */
  look(doer: Doer, agentId: AgentId | undefined): void {
    if (agentId !== undefined) this.#forgetIfBack(agentId, doer);
  }

  kill({ epoch, state }: Doer, taskId: TaskId, agentId: AgentId | undefined, wasWell: boolean): void {
    if (agentId === undefined) throw new Violation(`the KILL of ${taskId} names no agent`);
    if (!taskId.startsWith('t')) throw new Violation(`the KILL is of ${taskId}, which is not ours`);
    const node = state.nodes.get(agentId);
    if (node?.task?.taskId !== taskId || this.#ordered.has(taskId)) return;
    if (node.killing !== 'rollout' && node.killing !== 'health') return;
    const isRepeated = this.#killed.has(taskId);
    this.#killed.add(taskId);
    if (!isRepeated && node.killing === 'health') this.#noCommonCause(state, node);
    // Again, or one that was never well: nothing more is down for it.
    const costs = !isRepeated && wasWell;
    if (costs || this.#down.has(agentId)) this.#down.set(agentId, { taskId, goal: null, epoch });
    if (costs) this.#check({ epoch, state }, `${taskId} is killed for ${node.killing}`);
  }

  /** The node is gone; should it come back, it is another one. */
  gone(agentId: AgentId): void {
    this.#down.delete(agentId);
  }

  upgrade({ epoch, state }: Doer, agentId: AgentId, goal: Goal, wasWell: boolean): void {
    const taskId = state.nodes.get(agentId)?.task?.taskId;
    if (taskId === undefined) return;
    const known = this.#down.get(agentId);
    if (known !== undefined && known.taskId === taskId && known.goal === null) return;
    const isRepeated = this.#asked.has(`${taskId} ${goal.id}`);
    this.#asked.add(`${taskId} ${goal.id}`);
    if ((isRepeated || !wasWell) && known === undefined) return;
    this.#down.set(agentId, { taskId, goal: goal.id, epoch });
    this.#check({ epoch, state }, `${taskId} is upgraded to ${goal.id}`);
  }

  #noCommonCause(state: DaemonsetState, node: Node): void {
    let unwell = 0;
    for (const { task } of state.nodes.values()) {
      if (task?.phase === 'running' && task.health?.healthy === false) unwell += 1;
    }
    if (unwell > 1 && unwell > 0.1 * state.nodes.size) {
      throw new Violation(
        `3: ${node.task?.taskId} is killed for its health while ${unwell} of ${state.nodes.size} nodes look unwell`,
      );
    }
  }

  #check({ epoch, state }: Doer, what: string): void {
    for (const agentId of [...this.#down.keys()]) this.#forgetIfBack(agentId, { epoch, state });
    this.#context.tally.count('network', `budget used: ${Math.min(3, this.#down.size)}`);
    if (this.#down.size <= this.#most) return;
    const down = [...this.#down].map(([id, { taskId, goal }]) => `${id} (${taskId} ${goal ?? 'killed'})`);
    throw new Violation(`3: ${what}, and down are ${down.join(', ')}: more than ${this.#most}`);
  }

  #forgetIfBack(agentId: AgentId, doer: Doer): void {
    const down = this.#down.get(agentId);
    if (down !== undefined && isBack(doer, down, doer.state.nodes.get(agentId))) this.#down.delete(agentId);
  }
}

/** Well again, or away for a reason that is not the scheduler's. */
function isBack({ epoch, state }: Doer, down: Down, node: Node | undefined): boolean {
  if (node === undefined || !node.placed.wanted || node.draining || node.maintenance !== null) return true;
  const { task } = node;
  if (task?.phase === 'unreachable' || task?.phase === 'lost') return true;
  if (task?.health?.healthy !== true) return false;
  if (task.taskId !== down.taskId) return true;
  // To another scheduler it is well; that the KILL of the one before is still on its way nobody can know.
  if (down.goal === null) return node.killing === null && epoch !== down.epoch;
  return node.goal?.id === down.goal || state.rollout?.active.has(node.agent.agentId) !== true;
}
