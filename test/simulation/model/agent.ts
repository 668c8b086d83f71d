/**
 * An agent: the truth about the tasks on a machine. It starts and ends them, keeps each task's updates until they are
 * acknowledged (the oldest is sent again after 10 s, 20 s, …), and registers again whenever it has lost its master.
 */
import type { AgentId, TaskId, TaskState } from '../../../framework/mesos-http-client/messages.ts';
import { type Context, Violation } from '../context.ts';
import type { Machine } from './machine.ts';
import type { Pools } from './pools.ts';
import { isFinal, type RealTask, TaskRun } from './task-run.ts';

export interface AgentUpdate {
  readonly taskId: TaskId;
  readonly state: TaskState;
  /** How the task is by now: the master believes this rather than the update. */
  readonly latest: TaskState;
  readonly uuid: string;
  readonly reason: string | undefined;
}

/** The leading master, as agents see it. */
export interface Upstream {
  /** Which master leads; null while none does. */
  readonly term: number | null;
  heardUpdate(agent: Agent, update: AgentUpdate): void;
  heardRegistration(agent: Agent): void;
  heardShutdown(agent: Agent): void;
}

const FIRST_RESEND_MS = 10_000;
const MOST_RESEND_MS = 600_000;

export class Agent {
  readonly id: AgentId;
  readonly machine: Machine;
  readonly tasks = new Map<TaskId, RealTask>();
  /** Its checkpointed resources: those of the machine, with what is reserved. */
  total: Pools;
  /** The process. Tasks outlive it. */
  isUp = true;
  isHung = false;
  isCut = false;
  /** Shut down for good: this id never comes back. */
  isOver = false;
  /** It was told to give back what is reserved, and has not heard it. */
  owesRelease = false;
  /** Of the master that it is registered with. */
  term: number | null = null;
  /** Since when the master has heard nothing; null while it does. */
  silentSince: number | null = null;
  readonly #context: Context;
  readonly #upstream: Upstream;
  #lastIn = 0;
  #lastOut = 0;
  /** Counts the times that contact was lost: what was on its way then does not arrive. */
  #contact = 0;
  #mailbox: (() => void)[] = [];
  #isRegistering = false;

  constructor(context: Context, upstream: Upstream, id: AgentId, machine: Machine, total: Pools) {
    this.#context = context;
    this.#upstream = upstream;
    this.id = id;
    this.machine = machine;
    this.total = total;
    machine.agent = this;
    this.lookForMaster();
  }

  get isReachable(): boolean {
    return this.isUp && !this.isCut && !this.isHung && !this.isOver;
  }

  get live(): RealTask[] {
    return [...this.tasks.values()].filter((task) => task.isAlive);
  }

  // ---- the way to the master and back ------------------------------------------------------------------------------

  /** A message of the master. A hung agent reads it when it wakes up, or never. */
  receive(run: () => void): void {
    const { clock } = this.#context;
    this.#lastIn = Math.max(this.#lastIn, this.#context.now + this.#context.latency());
    const contact = this.#contact;
    clock.at(this.#lastIn, () => {
      if (this.isOver || !this.isUp || this.isCut || contact !== this.#contact) return;
      if (this.isHung) this.#mailbox.push(run);
      else run();
    });
  }

  send(run: () => void): void {
    if (!this.isReachable || this.term === null) return;
    const { clock } = this.#context;
    this.#lastOut = Math.max(this.#lastOut, this.#context.now + this.#context.latency());
    const [contact, term] = [this.#contact, this.term];
    clock.at(this.#lastOut, () => {
      if (contact === this.#contact && term === this.#upstream.term && !this.isOver) run();
    });
  }

  /** Contact is lost: the process is down, hangs, or is cut off. */
  lose(how: 'isUp' | 'isHung' | 'isCut'): void {
    if (how === 'isUp') this.isUp = false;
    else this[how] = true;
    this.silentSince ??= this.#context.now;
    // A hung process keeps its sockets: what comes waits there.
    if (how !== 'isHung') this.#breakContact();
  }

  /** Everything is well again with it. */
  recover(): void {
    if (this.isOver || this.isReachable) return;
    const hung = this.isHung;
    this.isUp = true;
    this.isHung = false;
    this.isCut = false;
    this.silentSince = null;
    const mailbox = this.#mailbox;
    this.#mailbox = [];
    if (!hung) return this.lookForMaster();
    // Either it reads what had come meanwhile, even if nobody expects it any more, or its master had hung up on it.
    if (this.#context.rng.chance(0.5)) for (const run of mailbox) run();
    else this.#breakContact();
    this.lookForMaster();
  }

  /** Registers with whoever leads, soon. */
  lookForMaster(): void {
    if (this.#isRegistering || this.isOver) return;
    this.#isRegistering = true;
    this.#context.clock.after(this.#context.rng.between(50, 2_000), () => {
      this.#isRegistering = false;
      if (!this.isReachable || this.#upstream.term === null) return;
      this.term = this.#upstream.term;
      this.#contact += 1;
      this.#upstream.heardRegistration(this);
    });
  }

  /** The master has taken the registration: updates without an answer are sent again. */
  registered(): void {
    for (const task of this.tasks.values()) if (task.updates.length > 0) this.#forward(task, 0);
  }

  #breakContact(): void {
    this.#contact += 1;
    this.#mailbox = [];
  }

  // ---- what the master asks for --------------------------------------------------------------------------------------

  launch(taskId: TaskId, goalId: string, resources: Pools): void {
    if (this.tasks.has(taskId)) throw new Violation(`1: the task ${taskId} was launched twice`);
    const [other] = this.live;
    const run = new TaskRun(this.#context, taskId, this.machine.name, goalId, resources, (state, reason) =>
      this.#advanced(run, state, reason),
    );
    this.tasks.set(taskId, run);
    if (other !== undefined) {
      throw new Violation(`1: ${taskId} was launched on ${this.id}, where ${other.taskId} lives (${other.state})`);
    }
    run.start();
  }

  kill(taskId: TaskId, reason?: string): void {
    const task = this.tasks.get(taskId);
    if (task === undefined) this.disown(taskId);
    else task.kill(reason);
  }

  acknowledge(taskId: TaskId, uuid: string): void {
    const task = this.tasks.get(taskId);
    const [head] = task?.updates ?? [];
    if (task === undefined || head === undefined || head.uuid !== uuid) return;
    task.updates.shift();
    if (task.updates.length > 0) this.#forward(task, 0);
    else if (!task.isAlive && isFinal(head.state)) this.tasks.delete(taskId);
  }

  /** The master knows a task that this agent has never heard of, or has forgotten. */
  disown(taskId: TaskId): void {
    if (this.tasks.has(taskId)) return;
    const task = TaskRun.neverStarted(this.#context, taskId, this.machine.name);
    this.tasks.set(taskId, task);
    this.#advanced(task, 'TASK_DROPPED', 'REASON_RECONCILIATION');
  }

  /** All that runs is killed, and the id is never used again. */
  shutDown(): void {
    if (this.isOver) return;
    for (const task of this.live) task.die();
    this.isOver = true;
    this.isUp = false;
    if (this.machine.agent === this) this.machine.agent = null;
  }

  /** The machine starts anew: executors are gone, and the agent says so when it is back. */
  reboot(): void {
    this.lose('isUp');
    for (const task of this.live) task.end('TASK_FAILED', 'REASON_EXECUTOR_TERMINATED');
  }

  // ---- updates -------------------------------------------------------------------------------------------------------

  #advanced(task: RealTask, state: TaskState, reason: string | undefined): void {
    const uuid = `u${this.#context.number()}`;
    task.state = state;
    task.updates.push({ state, uuid, reason });
    if (task.updates.length === 1) this.#forward(task, 0);
  }

  #forward(task: RealTask, attempt: number): void {
    const [head] = task.updates;
    if (head === undefined) return;
    if (attempt > 0) this.#context.tally.count('network', 'update sent again');
    const { taskId, state: latest } = task;
    this.send(() => this.#upstream.heardUpdate(this, { taskId, latest, ...head }));
    task.sending += 1;
    const sending = task.sending;
    const delay = Math.min(MOST_RESEND_MS, FIRST_RESEND_MS * 2 ** attempt);
    this.#context.clock.after(delay, () => {
      if (task.sending !== sending || task.updates[0] !== head || this.isOver) return;
      if (this.isUp && !this.isHung) this.#forward(task, attempt + 1);
    });
  }
}
