/** A task as it really is on its agent: it starts, runs, is killed or ends by itself, and has a proxy while it runs. */
import type { TaskId, TaskState } from '../../../framework/mesos-http-client/messages.ts';
import type { Context } from '../context.ts';
import { crashesAtStart, GOOD, goalOfId } from './goals.ts';
import { Pools } from './pools.ts';
import { ProxyModel } from './proxy.ts';

const FINAL: readonly TaskState[] = ['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED', 'TASK_DROPPED'];

export const isFinal = (state: TaskState): boolean => FINAL.includes(state);

export interface PendingUpdate {
  readonly state: TaskState;
  readonly uuid: string;
  readonly reason: string | undefined;
}

export type RealTask = TaskRun;

type Advance = (state: TaskState, reason: string | undefined) => void;

export class TaskRun {
  readonly taskId: TaskId;
  readonly resources: Pools;
  state: TaskState = 'TASK_STAGING';
  isAlive = true;
  proxy: ProxyModel | null = null;
  /** Not acknowledged yet, oldest first. */
  readonly updates: PendingUpdate[] = [];
  /** Which attempt to send the oldest is the current one. */
  sending = 0;
  readonly #context: Context;
  readonly #agentName: string;
  readonly #goalId: string;
  readonly #advance: Advance;
  #isKilled = false;

  constructor(context: Context, taskId: TaskId, agentName: string, goalId: string, resources: Pools, advance: Advance) {
    this.#context = context;
    this.taskId = taskId;
    this.#agentName = agentName;
    this.#goalId = goalId;
    this.resources = resources;
    this.#advance = advance;
  }

  static neverStarted(context: Context, taskId: TaskId, agentName: string): TaskRun {
    const task = new TaskRun(context, taskId, agentName, GOOD[0]?.id ?? '', new Pools(), () => {});
    task.isAlive = false;
    return task;
  }

  start(): void {
    const { clock, rng } = this.#context;
    clock.after(rng.between(100, this.#context.faulty && rng.chance(0.05) ? 90_000 : 3_000), () => {
      if (!this.isAlive || this.#isKilled) return;
      this.#advance('TASK_STARTING', undefined);
      clock.after(rng.between(50, 2_000), () => this.#run());
    });
  }

  #run(): void {
    if (!this.isAlive || this.#isKilled) return;
    const { faulty, rng } = this.#context;
    const goal = goalOfId(this.#goalId);
    if (crashesAtStart(goal) || (faulty && rng.chance(0.02))) {
      this.#context.fault('crash at start', `${this.taskId} ${goal.id}`);
      return this.end('TASK_FAILED', undefined);
    }
    this.proxy = new ProxyModel(this.#context, this.taskId, this.#agentName, goal);
    this.#advance('TASK_RUNNING', undefined);
  }

  kill(reason: string | undefined): void {
    if (!this.isAlive || this.#isKilled) return;
    this.#isKilled = true;
    const { clock, rng } = this.#context;
    if (this.state !== 'TASK_STAGING') this.#advance('TASK_KILLING', reason);
    clock.after(rng.between(50, 5_000), () => this.end('TASK_KILLED', reason));
  }

  end(state: TaskState, reason: string | undefined): void {
    if (!this.isAlive) return;
    this.die();
    this.#advance(state, reason);
  }

  /** Without a word. */
  die(): void {
    this.isAlive = false;
    this.proxy?.die();
  }
}
