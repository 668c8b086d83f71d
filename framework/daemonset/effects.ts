/**
 * What one step wants done, collected while it works and put into the one right order at its end: first what is written to
 * the store, then the calls. So a launch is always on disk before it is sent, and an update before it is acknowledged.
 */
import type { AgentId, CallBody, TaskId } from '../mesos-http-client/messages.ts';
import { type DeadlineKind, pushDeadline } from './deadlines.ts';
import type { Action } from './events.ts';
import { type DaemonsetState, type Environment, frameworkRecordOf, type Node, recordOf } from './state.ts';

export class Step {
  readonly state: DaemonsetState;
  readonly environment: Environment;
  readonly now: number;
  readonly touched = new Set<Node>();
  readonly #dirty = new Set<Node>();
  readonly #forgotten = new Set<AgentId>();
  readonly #calls: { body: CallBody; launches?: TaskId }[] = [];
  /** Asked for together at the end of the step. */
  readonly questions = new Map<TaskId, AgentId>();
  readonly #logs: Action[] = [];
  #others: Action[] = [];
  #frameworkIsDirty = false;
  #rolloutIsDirty = false;
  #listAgents = false;

  constructor(state: DaemonsetState, environment: Environment, now: number) {
    this.state = state;
    this.environment = environment;
    this.now = now;
  }

  /** The framework's own record changed. */
  persistFramework(): void {
    this.#frameworkIsDirty = true;
  }

  persistRollout(): void {
    this.#rolloutIsDirty = true;
  }

  /** The node's record changed. */
  persist(node: Node): void {
    this.#dirty.add(node);
    this.touched.add(node);
    this.#forgotten.delete(node.agent.agentId);
  }

  forget(node: Node): void {
    this.#dirty.delete(node);
    this.touched.add(node);
    this.#forgotten.add(node.agent.agentId);
  }

  call(body: CallBody, launches?: TaskId): void {
    this.#calls.push(launches === undefined ? { body } : { body, launches });
  }

  /** Anything else that is done after the writes. */
  act(action: Action): void {
    this.#others.push(action);
  }

  /** What was asked for in this step, and is not wanted any more at its end. */
  dropUpgrades(goalId: string): void {
    this.#others = this.#others.filter((action) => action.type !== 'upgrade' || action.goal.id !== goalId);
  }

  listAgents(): void {
    this.#listAgents = true;
  }

  log(level: 'info' | 'warn', message: string, fields: object): void {
    this.#logs.push({ type: 'log', level, message, fields });
  }

  /** Sets (or moves) a deadline of a node. */
  arm(node: Node, kind: DeadlineKind, at: number): void {
    node.deadlines[kind] = at;
    pushDeadline(this.state.heap, { at, agentId: node.agent.agentId, kind });
  }

  disarm(node: Node, kind: DeadlineKind): void {
    // Deleting makes an object slow for good, even of what it does not have.
    if (node.deadlines[kind] !== undefined) delete node.deadlines[kind];
  }

  actions(): Action[] {
    const actions: Action[] = [...this.#logs];
    const framework = this.#frameworkIsDirty ? frameworkRecordOf(this.state) : null;
    if (framework !== null) actions.push({ type: 'persist-framework', record: framework });
    const { rollout } = this.state;
    if (this.#rolloutIsDirty && rollout !== null) {
      actions.push({ type: 'persist-rollout', record: { ...rollout.record } });
    }
    for (const agentId of this.#forgotten) actions.push({ type: 'forget', agentId });
    for (const node of this.#dirty) actions.push({ type: 'persist', record: recordOf(node) });
    for (const call of this.#calls) actions.push({ type: 'call', ...call });
    actions.push(...this.#others);
    if (this.#listAgents) actions.push({ type: 'list-agents' });
    return actions;
  }
}
