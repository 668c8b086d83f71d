/** What must hold after every step and at every action of the scheduler. The numbers are those of the design's invariants. */
import type { Action, DaemonsetEvent } from '../../../framework/daemonset/events.ts';
import type { DaemonsetState } from '../../../framework/daemonset/state.ts';
import type { AgentId, CallBody, TaskId } from '../../../framework/mesos-http-client/messages.ts';
import type { Goal } from '../../../framework/rollout/goal.ts';
import { type Context, Violation } from '../context.ts';
import type { Store } from '../model/store.ts';
import type { RealTask } from '../model/task-run.ts';
import { Budget } from './budget.ts';
import { lineOf } from './lines.ts';
import { type Shadow, seeTransitions, shadowOf } from './transitions.ts';

const MOST_IN_FLIGHT = 20;
const REVIVE_INTERVAL_MS = 1_000;

/** A scheduler process, as far as it is checked. */
interface Process {
  readonly epoch: number;
  readonly state: DaemonsetState;
}

export class Checks {
  readonly budget: Budget;
  readonly #context: Context;
  readonly #store: Store;
  /** Updates that wait for their acknowledgement, by uuid. */
  readonly #ended = new Map<string, { taskId: string; agentId: string }>();
  readonly #revivedAt = new Map<number, number>();

  constructor(context: Context, store: Store, maxUnavailable: number) {
    this.#context = context;
    this.#store = store;
    this.budget = new Budget(context, maxUnavailable);
  }

  before(process: Process): Shadow {
    return shadowOf(process.state);
  }

  after(process: Process, event: DaemonsetEvent, actions: readonly Action[], before: Shadow): void {
    const { tally } = this.#context;
    const { state } = process;
    tally.count('event', event.type);
    this.#context.note(`${process.epoch} < ${lineOf(event)}`);
    for (const action of actions) {
      tally.count('action', action.type);
      if (action.type !== 'log' && action.type !== 'changed')
        this.#context.note(`${process.epoch} > ${lineOf(action)}`);
    }
    seeTransitions(tally, before, state);
    for (const action of actions) {
      if (action.type === 'persist-rollout' && action.record.turnedBack !== null)
        tally.count('judgement', 'turned back');
    }
    if (event.type === 'offers') {
      this.#answeredOnce(
        event.offers.map((offer) => offer.id.value),
        actions,
      );
    }
    // Whatever they are by now: the operator takes them as done.
    const { order } = event.type === 'order' ? event : { order: null };
    if (order?.kind === 'plan' && order.command.verb === 'forceComplete') this.budget.forgive();
    if (event.type === 'update') this.#remember(event);
    if (event.type === 'health' && event.health.healthy) this.budget.look(process, state.tasks.get(event.taskId));
    for (const one of actions) {
      if (one.type === 'persist') this.budget.look(process, one.record.agentId);
      if (one.type === 'forget') this.budget.gone(one.agentId);
    }
    if (state.inFlight.size > MOST_IN_FLIGHT) throw new Violation(`${state.inFlight.size} launches are in flight`);
    for (const one of actions) {
      if (one.type !== 'call') continue;
      if (!state.subscribed) throw new Violation(`${one.body.type} without a subscription`);
      if (one.body.type === 'REVIVE') this.#revived(process.epoch);
    }
  }

  call(process: Process, body: CallBody): void {
    this.#context.tally.count('call', body.type);
    switch (body.type) {
      case 'SUPPRESS':
        return this.#suppressed();
      case 'KILL':
        this.#spared(process, body.kill.task_id.value, body.kill.agent_id?.value);
        return this.#killed(process, body.kill.task_id.value, body.kill.agent_id?.value);
      case 'ACCEPT':
        return this.#accepted(body.accept);
      case 'ACKNOWLEDGE':
        return this.#acknowledged(body.acknowledge.uuid);
      default:
        return;
    }
  }

  upgrade(process: Process, agentId: AgentId, goal: Goal): void {
    const step = this.#store.agent(agentId)?.step;
    if (step?.state !== 'active' && step?.state !== 'failed')
      throw new Violation(`5: ${agentId} is upgraded, and its step is not in the store`);
    if (process.state.bad.includes(goal.id))
      throw new Violation(`7: ${agentId} is upgraded to ${goal.id}, which is bad`);
    this.budget.upgrade(process, agentId, goal, this.#wasWell(agentId));
  }

  #killed(process: Process, taskId: TaskId, agentId: AgentId | undefined): void {
    this.budget.kill(process, taskId, agentId, agentId !== undefined && this.#wasWell(agentId));
  }

  #wasWell(agentId: AgentId): boolean {
    return this.liveTasks(agentId).some((task) => task.proxy?.wasWell === true);
  }

  /** 1, the other way round: an agent's only task is never killed as one too many. */
  #spared({ state }: Process, taskId: TaskId, agentId: AgentId | undefined): void {
    const node = agentId === undefined ? undefined : state.nodes.get(agentId);
    if (node === undefined || node.task !== null || !node.strays.has(taskId) || !node.placed.wanted) return;
    const [task, other] = this.liveTasks(node.agent.agentId);
    // One that was told to go, and came back from where nobody knew of it, still has to.
    if (this.budget.wasKilled(taskId)) return;
    if (task?.taskId !== taskId || other !== undefined || task.state !== 'TASK_RUNNING') return;
    throw new Violation(`1: ${taskId} is killed as a stray, and is the only task of ${agentId}`);
  }

  /** The truth about an agent. */
  liveTasks: (agentId: AgentId) => readonly RealTask[] = () => [];

  /** Off for a run that is to show what SUPPRESS leads to. */
  forbidsSuppress = true;

  #suppressed(): void {
    if (this.forbidsSuppress) throw new Violation('SUPPRESS hides new agents');
  }

  #revived(epoch: number): void {
    const { now } = this.#context;
    const last = this.#revivedAt.get(epoch);
    if (last !== undefined && now - last < REVIVE_INTERVAL_MS)
      throw new Violation(`REVIVE again after ${now - last} ms`);
    this.#revivedAt.set(epoch, now);
  }

  /** 4: each offer once, in the step that brings it. */
  #answeredOnce(ids: readonly string[], actions: readonly Action[]): void {
    const open = new Set(ids);
    for (const action of actions) {
      if (action.type !== 'call') continue;
      const { body } = action;
      const answered =
        body.type === 'ACCEPT' ? body.accept.offer_ids : body.type === 'DECLINE' ? body.decline.offer_ids : [];
      for (const { value } of answered) {
        if (!open.delete(value)) throw new Violation(`4: the offer ${value} is answered, and was not open`);
      }
    }
    const [kept] = open;
    if (kept !== undefined) throw new Violation(`4: the offer ${kept} has no answer in the step that brought it`);
  }

  #remember({ status }: Extract<DaemonsetEvent, { type: 'update' }>): void {
    if (status.uuid === undefined || status.agent_id === undefined) return;
    const isEnd = ['TASK_FAILED', 'TASK_KILLED', 'TASK_FINISHED', 'TASK_DROPPED'].includes(status.state);
    if (isEnd) this.#ended.set(status.uuid, { taskId: status.task_id.value, agentId: status.agent_id.value });
  }

  /** 5: the end of a task is in the store before it is acknowledged. */
  #acknowledged(uuid: string): void {
    const end = this.#ended.get(uuid);
    if (end === undefined) return;
    this.#ended.delete(uuid);
    if (this.#store.agent(end.agentId)?.taskId === end.taskId) {
      throw new Violation(`5: the end of ${end.taskId} is acknowledged, and the store still has the task`);
    }
  }

  /** 5: a launch and a reservation are in the store before they are sent. */
  #accepted(accept: Extract<CallBody, { type: 'ACCEPT' }>['accept']): void {
    for (const operation of accept.operations ?? []) {
      if (operation.type !== 'LAUNCH') continue;
      for (const task of operation.launch.task_infos) {
        const record = this.#store.agent(task.agent_id.value);
        if (record?.taskId !== task.task_id.value) {
          throw new Violation(`5: ${task.task_id.value} is launched, and the store does not have it`);
        }
        const reserves = (accept.operations ?? []).some((one) => one.type === 'RESERVE');
        if (reserves && record.reserved === null) {
          throw new Violation(`5: resources are reserved for ${task.task_id.value}, and the store does not say so`);
        }
      }
    }
  }
}
