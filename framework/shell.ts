/**
 * The thin shell around the daemonset's core: streams, timers and reports become events, one after the other; actions become
 * writes and calls, in the order in which the core gave them. It decides nothing but when the framework cannot go on.
 */
import { AgentWatch } from './agent-watch.ts';
import type { Framework, FrameworkCounters, FrameworkOptions, HealthReport, NodeStatus } from './contract.ts';
import type { Action, DaemonsetEvent, Order } from './daemonset/events.ts';
import { statusOf } from './daemonset/node-status.ts';
import { initialState } from './daemonset/restore.ts';
import { type DaemonsetState, type Environment, heldRoles } from './daemonset/state.ts';
import { step } from './daemonset.ts';
import { EventQueue } from './event-queue.ts';
import { frameworkInfo, newTaskId, rolesOf } from './framework-info.ts';
import { eventsOf, withoutOffer } from './hearing.ts';
import { createSubscription, type DownKind, frameworkErrorOf, type Subscription } from './mesos-http-client/index.ts';
import type { AgentId, Event, TaskId, TaskStatus } from './mesos-http-client/messages.ts';
import { OrderDesk } from './order-desk.ts';
import { Performer } from './performer.ts';
import { judgedRollout } from './rollout/judged.ts';
import type { JudgedRollout, Judgement } from './rollout/judgement.ts';
import type { PlanCommand, PlanOutcome, PlanView } from './rollout/plan-view.ts';
import { planNames, planOf } from './rollout/plans.ts';
import { RecordBook } from './state/record-book.ts';
import type { TaskHealth } from './tasks/ledger.ts';

/** A framework that keeps one task on every agent. Nothing happens before `start`. */
export function createFramework(options: FrameworkOptions): Framework {
  return new Shell(options);
}

/** What exists once the state is loaded. */
interface Running {
  readonly state: DaemonsetState;
  readonly book: RecordBook;
  readonly subscription: Subscription;
  readonly agents: AgentWatch;
  readonly performer: Performer;
}

class Shell implements Framework {
  readonly #options: FrameworkOptions;
  readonly #environment: Environment;
  readonly #queue: EventQueue<DaemonsetEvent>;
  /** Reports that wait for their turn: only the last of each task matters. */
  readonly #health = new Map<TaskId, TaskHealth>();
  readonly #orders: OrderDesk;
  #running: Running | null = null;
  #stopped = false;

  constructor(options: FrameworkOptions) {
    this.#options = options;
    this.#queue = new EventQueue((event) => this.#process(event));
    this.#orders = new OrderDesk((event) => this.#queue.push(event));
    const { principal, constraints, reserve, rollout } = options;
    this.#environment = {
      settings: { roles: rolesOf(options), principal, constraints, reserve, rollout },
      newTaskId: (agent) => newTaskId(options.name, agent),
      template: (agent, id, goal) => options.task(agent, id, goal),
      available: (goal) => options.available(goal),
    };
  }

  async start(): Promise<void> {
    const { options, book, loaded } = await this.#load();
    const state = initialState(loaded, Date.now());
    const { masters, authorization, tls, mayCall } = options;
    const access = { masters, authorization, tls, mayCall };
    const subscription = createSubscription({
      ...access,
      frameworkId: state.frameworkId,
      frameworkInfo: () => frameworkInfo(options, heldRoles(state)),
      onEvent: (event) => this.#hear(event),
      onDown: (reason, wasSubscribed, kind) => this.#down(reason, wasSubscribed, kind),
    });
    const agents = new AgentWatch(
      access,
      options.logger,
      () => state.frameworkId,
      (event) => this.#queue.push(event),
      (refusal) => options.permission?.('GET_AGENTS', refusal),
    );
    const push = (event: DaemonsetEvent): void => this.#queue.push(event);
    const orders = this.#orders;
    const performer = new Performer({ options, state, access, subscription, agents, orders, push });
    this.#running = { state, book, subscription, agents, performer };
    this.#queue.push({ type: 'begin', goal: options.goal, uninstall: options.uninstall });
    if (state.mode === 'gone' || (options.uninstall && state.frameworkId === null)) {
      options.logger.info({}, 'everything is uninstalled; there is nothing to subscribe for');
      return;
    }
    subscription.open();
    agents.open();
  }

  async stop(): Promise<void> {
    this.#shut();
    await this.#queue.close();
  }

  nodes(): NodeStatus[] {
    if (this.#running === null) return [];
    const now = Date.now();
    return Array.from(this.#running.state.nodes.values(), (node) => statusOf(node, now));
  }

  node(agentId: AgentId): NodeStatus | undefined {
    const node = this.#running?.state.nodes.get(agentId);
    return node === undefined ? undefined : statusOf(node, Date.now());
  }

  reportHealth(id: TaskId, health: HealthReport): void {
    const report: TaskHealth = health.healthy
      ? { healthy: true, reason: null, dead: false }
      : { healthy: false, reason: health.reason, dead: health.dead === true };
    const waiting = this.#health.has(id);
    if (!waiting && this.#isKnown(id, report)) return;
    this.#health.set(id, report);
    if (!waiting) this.#queue.push({ type: 'health', taskId: id, health: report });
  }

  reportGoal(id: TaskId, goal: string): void {
    const task = this.#taskOf(id);
    if (task?.node.goal?.id !== goal) this.#queue.push({ type: 'runs', taskId: id, goal });
  }

  reportUpgradeFailed(id: TaskId, goal: string, reason: string): void {
    this.#queue.push({ type: 'upgrade-failed', taskId: id, goal, reason });
  }

  credential(id: TaskId): string | null | undefined {
    return this.#taskOf(id)?.node.credential;
  }

  keepCredential(taskId: TaskId, credential: string, replaces: string | null): Promise<PlanOutcome> {
    return this.#order({ kind: 'credential', taskId, credential, replaces });
  }

  planNames(): string[] {
    return this.#running === null ? [] : planNames(this.#running.state);
  }

  plan(name: string): PlanView | undefined {
    return this.#running === null ? undefined : planOf(this.#running.state, name, Date.now());
  }

  command(command: PlanCommand): Promise<PlanOutcome> {
    return this.#order({ kind: 'plan', command });
  }

  judgedRollout(): JudgedRollout | null {
    return this.#running === null ? null : judgedRollout(this.#running.state);
  }

  judge({ id, phase }: JudgedRollout, judgement: Judgement): void {
    this.#queue.push({ type: 'judged', rollout: id, phase, judgement });
  }

  holdOut(node: string, why: string | null): Promise<PlanOutcome> {
    return this.#order({ kind: 'hold-out', node, why });
  }

  freeze(frozen: boolean): Promise<PlanOutcome> {
    return this.#order({ kind: 'freeze', frozen });
  }

  get frozen(): boolean {
    return this.#running?.state.frozen ?? false;
  }

  subscribed(): boolean {
    return this.#running?.state.subscribed ?? false;
  }

  frameworkId(): string | null {
    return this.#running?.state.frameworkId ?? null;
  }

  counters(): FrameworkCounters {
    const counted = this.#running?.state.counters;
    return {
      launches: counted?.launches ?? 0,
      offersReceived: counted?.offersReceived ?? 0,
      offersDeclined: counted?.offersDeclined ?? 0,
      statusUpdates: counted?.statusUpdates ?? 0,
      subscriptions: this.#running?.subscription.counters.subscriptions ?? 0,
      reconciliations: counted?.reconciliations ?? 0,
      kills: counted?.kills ?? 0,
      revives: counted?.revives ?? 0,
      unreserved: counted?.unreserved ?? 0,
    };
  }

  async #load() {
    if (this.#running !== null || this.#stopped) throw new Error('a framework is started once');
    const book = new RecordBook(this.#options.store);
    return { options: this.#options, book, loaded: await book.load() };
  }

  /** The same again and again is no news (a proxy reports every few seconds). */
  #isKnown(id: TaskId, report: TaskHealth): boolean {
    const health = this.#taskOf(id)?.task.health;
    return health?.healthy === report.healthy && health.reason === report.reason && health.dead === report.dead;
  }

  #taskOf(id: TaskId) {
    const state = this.#running?.state;
    const agentId = state?.tasks.get(id);
    const node = agentId === undefined ? undefined : state?.nodes.get(agentId);
    return node?.task?.taskId === id ? { node, task: node.task } : null;
  }

  #order(order: Order): Promise<PlanOutcome> {
    if (!this.#stopped && this.#running !== null) return this.#orders.take(order);
    return Promise.resolve({ kind: 'invalid', message: 'the framework does not run' });
  }

  // ---- from Mesos to events ----------------------------------------------------------------------------------------

  /** Resolves when there is room for more: until then the stream is not read. */
  async #hear(event: Event): Promise<void> {
    for (const told of eventsOf(event)) this.#queue.push(told);
    if (event.type === 'UPDATE') this.#judgeLaunch(event.update.status);
    if (event.type === 'SUBSCRIBED') {
      this.#options.permission?.('SUBSCRIBE', null);
      this.#options.logger.info({ frameworkId: event.subscribed.framework_id.value }, 'subscribed');
    } else if (event.type === 'RESCIND') {
      const id = event.rescind.offer_id.value;
      this.#queue.replace((waiting) => withoutOffer(waiting, id));
    } else if (event.type === 'ERROR') {
      this.#refused(event.error.message);
    }
    await this.#queue.room();
  }

  #refused(message: string): void {
    const id = this.frameworkId() ?? 'unknown';
    const { kind, advice } = frameworkErrorOf(message);
    if (kind === 'unauthorized') this.#options.permission?.('SUBSCRIBE', message);
    // What an uninstalling framework has asked for itself.
    if (kind === 'removed' && this.#isUninstalling()) this.#queue.push({ type: 'torn-down' });
    else if (kind === 'removed') this.#fatal(`Mesos has removed the framework ${id}: ${advice}`);
    else if (kind === 'failed-over') this.#fatal(`another scheduler has subscribed as framework ${id}; ${advice}`);
    else this.#options.logger.error({ message, kind }, `Mesos refuses the subscription: ${advice}; trying again`);
  }

  /** Whether tasks may run as their user. */
  #judgeLaunch({ state, reason, message }: TaskStatus): void {
    if (reason === 'REASON_TASK_UNAUTHORIZED') {
      this.#options.permission?.('LAUNCH', message ?? 'the task is not authorized');
    } else if (state === 'TASK_RUNNING') this.#options.permission?.('LAUNCH', null);
  }

  #isUninstalling(): boolean {
    return this.#running !== null && this.#running.state.mode !== 'keep';
  }

  #down(reason: string, wasSubscribed: boolean, kind: DownKind): void {
    const asked = kind === 'unauthorized' || kind === 'forbidden' || kind === 'refused';
    if (kind === 'unauthorized' || kind === 'forbidden') this.#options.permission?.('SUBSCRIBE', reason);
    if (wasSubscribed) this.#options.logger.warn({ reason, kind }, 'subscription lost; trying again');
    else this.#options.logger[asked ? 'warn' : 'debug']({ reason, kind }, 'not subscribed yet; trying again');
    if (wasSubscribed) this.#queue.push({ type: 'disconnected' });
  }

  // ---- from actions to calls ---------------------------------------------------------------------------------------

  async #process(event: DaemonsetEvent): Promise<void> {
    const running = this.#running;
    if (running === null || this.#stopped) return;
    let actions: Action[];
    try {
      actions = step(running.state, this.#latest(event), Date.now(), this.#environment);
    } catch (error) {
      // The state may be half changed: only what is stored can be gone on with.
      const why = error instanceof Error ? error.message : String(error);
      const sentence =
        `the framework failed while it worked on an event of type ${event.type} (${why}); nothing of it was ` +
        'stored or sent, and tasks run on: start the scheduler again, and report this error';
      this.#fatal(sentence, new Error(sentence, { cause: error }));
      return;
    }
    if (!this.#leads()) return;
    try {
      await running.book.write(actions);
    } catch (error) {
      // Nothing of this step is sent: what is not stored has not happened.
      this.#fatal(error instanceof Error ? error.message : String(error), error);
      return;
    }
    if (this.#stopped || !this.#leads()) return;
    for (const action of actions) running.performer.perform(action);
  }

  /** False, and the end, when this process may not lead any more: whoever leads now goes on from what is stored. */
  #leads(): boolean {
    const { mayCall } = this.#options;
    if (mayCall === undefined || mayCall()) return true;
    this.#fatal('the lead is lost: another scheduler may be leading already, so this one ends');
    return false;
  }

  #latest(event: DaemonsetEvent): DaemonsetEvent {
    if (event.type !== 'health') return event;
    const health = this.#health.get(event.taskId) ?? event.health;
    this.#health.delete(event.taskId);
    return { ...event, health };
  }

  #fatal(message: string, cause?: unknown): void {
    if (this.#stopped) return;
    this.#shut();
    this.#options.fatal(cause instanceof Error ? cause : new Error(message));
  }

  #shut(): void {
    this.#stopped = true;
    this.#orders.close();
    this.#running?.performer.stop();
    this.#running?.subscription.close();
    this.#running?.agents.close();
    if (this.#running !== null) this.#running.state.subscribed = false;
  }
}
