/**
 * The thin shell around the daemonset's core: streams, timers and reports become events, one after the other; actions become
 * writes and calls, in the order in which the core gave them. It decides nothing but when the framework cannot go on.
 */
import { randomUUID } from 'node:crypto';
import { AgentWatch } from './agent-watch.ts';
import type { AgentView, Framework, FrameworkCounters, FrameworkOptions, NodeStatus } from './contract.ts';
import type { Action, DaemonsetEvent } from './daemonset/events.ts';
import { statusOf } from './daemonset/node-status.ts';
import { type DaemonsetState, type Environment, initialState } from './daemonset/state.ts';
import { step } from './daemonset.ts';
import { EventQueue } from './event-queue.ts';
import { createSubscription, type DownKind, frameworkErrorOf, type Subscription } from './mesos-http-client/index.ts';
import {
  type AgentId,
  type CallBody,
  type Event,
  type FrameworkInfo,
  type TaskId,
  taskId,
} from './mesos-http-client/messages.ts';
import { RecordBook } from './state/record-book.ts';
import type { TaskHealth } from './tasks/ledger.ts';

const WEEK_SECONDS = 7 * 24 * 3600;
const CAPABILITIES = [
  'MULTI_ROLE',
  'RESERVATION_REFINEMENT',
  'PARTITION_AWARE',
  'TASK_KILLING_STATE',
  // Without these two, agents with GPUs and agents in other regions would never be offered.
  'GPU_RESOURCES',
  'REGION_AWARE',
];

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
}

class Shell implements Framework {
  readonly #options: FrameworkOptions;
  readonly #environment: Environment;
  readonly #queue: EventQueue<DaemonsetEvent>;
  /** Reports that wait for their turn: only the last of each task matters. */
  readonly #health = new Map<TaskId, TaskHealth>();
  #running: Running | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: FrameworkOptions) {
    this.#options = options;
    this.#queue = new EventQueue((event) => this.#process(event));
    this.#environment = {
      newTaskId: (agent) => newTaskId(options.name, agent),
      template: (agent, id) => options.task(agent, id),
    };
  }

  async start(): Promise<void> {
    const { options, book, loaded } = await this.#load();
    const state = initialState(loaded.frameworkId, loaded.records, Date.now());
    const { masters, authorization, tls } = options;
    const access = { masters, authorization, tls };
    const subscription = createSubscription({
      ...access,
      frameworkId: loaded.frameworkId,
      frameworkInfo: () => frameworkInfo(options),
      onEvent: (event) => this.#hear(event),
      onDown: (reason, wasSubscribed, kind) => this.#down(reason, wasSubscribed, kind),
    });
    const agents = new AgentWatch(access, options.logger, (event) => this.#queue.push(event));
    this.#running = { state, book, subscription, agents };
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

  reportHealth(id: TaskId, health: { healthy: true } | { healthy: false; reason: string }): void {
    const report: TaskHealth = { healthy: health.healthy, reason: health.healthy ? null : health.reason };
    const waiting = this.#health.has(id);
    if (!waiting && this.#isKnown(id, report)) return;
    this.#health.set(id, report);
    if (!waiting) this.#queue.push({ type: 'health', taskId: id, health: report });
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
    };
  }

  async #load() {
    if (this.#running !== null || this.#stopped) throw new Error('a framework is started once');
    const book = new RecordBook(this.#options.store);
    return { options: this.#options, book, loaded: await book.load() };
  }

  /** The same again and again is no news (a proxy reports every few seconds). */
  #isKnown(id: TaskId, report: TaskHealth): boolean {
    const state = this.#running?.state;
    const agentId = state?.tasks.get(id);
    const task = agentId === undefined ? null : state?.nodes.get(agentId)?.task;
    return task?.taskId === id && task.health?.healthy === report.healthy && task.health.reason === report.reason;
  }

  // ---- from Mesos to events ----------------------------------------------------------------------------------------

  /** Resolves when there is room for more: until then the stream is not read. */
  async #hear(event: Event): Promise<void> {
    switch (event.type) {
      case 'SUBSCRIBED':
        this.#options.logger.info({ frameworkId: event.subscribed.framework_id.value }, 'subscribed');
        this.#queue.push({ type: 'subscribed', frameworkId: event.subscribed.framework_id.value });
        break;
      case 'OFFERS':
        this.#queue.push({ type: 'offers', offers: event.offers.offers });
        break;
      case 'INVERSE_OFFERS':
        this.#queue.push({ type: 'inverse-offers', offers: event.inverse_offers.inverse_offers });
        break;
      case 'RESCIND':
        this.#rescind(event.rescind.offer_id.value);
        break;
      case 'UPDATE':
        this.#queue.push({ type: 'update', status: event.update.status });
        break;
      case 'FAILURE':
        if (event.failure.executor_id === undefined) this.#queue.push({ type: 'agent-failure' });
        break;
      case 'ERROR':
        this.#refused(event.error.message);
        break;
      default:
        break;
    }
    await this.#queue.room();
  }

  /** No offer is kept, so only one that still waits in the queue can be spared the way to the master and back. */
  #rescind(id: string): void {
    this.#queue.replace((waiting) => {
      if (waiting.type !== 'offers' || !waiting.offers.some((offer) => offer.id.value === id)) return waiting;
      return { type: 'offers', offers: waiting.offers.filter((offer) => offer.id.value !== id) };
    });
  }

  #refused(message: string): void {
    const id = this.frameworkId() ?? 'unknown';
    const { kind, advice } = frameworkErrorOf(message);
    if (kind === 'removed') this.#fatal(`Mesos has removed the framework ${id}: ${advice}`);
    else if (kind === 'failed-over') this.#fatal(`another scheduler has subscribed as framework ${id}; ${advice}`);
    else this.#options.logger.error({ message, kind }, `Mesos refuses the subscription: ${advice}; trying again`);
  }

  #down(reason: string, wasSubscribed: boolean, kind: DownKind): void {
    const asked = kind === 'unauthorized' || kind === 'forbidden' || kind === 'refused';
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
    try {
      await running.book.write(actions);
    } catch (error) {
      // Nothing of this step is sent: what is not stored has not happened.
      this.#fatal(error instanceof Error ? error.message : String(error), error);
      return;
    }
    if (this.#stopped) return;
    for (const action of actions) this.#perform(running, action);
  }

  #latest(event: DaemonsetEvent): DaemonsetEvent {
    if (event.type !== 'health') return event;
    const health = this.#health.get(event.taskId) ?? event.health;
    this.#health.delete(event.taskId);
    return { ...event, health };
  }

  #perform(running: Running, action: Action): void {
    switch (action.type) {
      case 'persist-framework':
      case 'persist':
      case 'forget':
        // Written already, before everything else of its step.
        return;
      case 'call':
        this.#send(running, action.body, action.launches ?? null);
        return;
      case 'list-agents':
        running.agents.refresh();
        return;
      case 'wake':
        this.#wake(action.at);
        return;
      case 'log':
        this.#options.logger[action.level](action.fields, action.message);
        return;
      case 'changed':
        this.#tellChanged(action.agentId);
        return;
    }
  }

  #send(running: Running, body: CallBody, launches: TaskId | null): void {
    void running.subscription.call(body).then((result) => {
      if (result.outcome === 'accepted' || this.#stopped) return;
      const refused = result.outcome === 'refused';
      const level = refused ? 'warn' : 'debug';
      this.#options.logger[level]({ call: body.type, ...result }, 'a call was not accepted');
      if (launches === null) return;
      const offerIds = body.type === 'ACCEPT' ? body.accept.offer_ids.map((id) => id.value) : [];
      this.#queue.push({ type: 'launch-failed', taskId: launches, offerIds, refused, text: result.text });
    });
  }

  #wake(at: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#queue.push({ type: 'tick' }), Math.max(0, at - Date.now()));
  }

  #tellChanged(agentId: AgentId): void {
    try {
      this.#options.changed(agentId);
    } catch (error) {
      this.#options.logger.error({ agentId, error }, 'a listener of the framework failed');
    }
  }

  #fatal(message: string, cause?: unknown): void {
    if (this.#stopped) return;
    this.#shut();
    this.#options.fatal(cause instanceof Error ? cause : new Error(message));
  }

  #shut(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#running?.subscription.close();
    this.#running?.agents.close();
    if (this.#running !== null) this.#running.state.subscribed = false;
  }
}

function frameworkInfo(options: FrameworkOptions): FrameworkInfo {
  return {
    user: options.user,
    name: options.name,
    roles: [...options.roles],
    hostname: options.hostname,
    webui_url: options.webuiUrl,
    // Mesos' defaults would kill every task the moment that the scheduler or an agent restarts.
    failover_timeout: WEEK_SECONDS,
    checkpoint: true,
    capabilities: CAPABILITIES.map((type) => ({ type })),
  };
}

/** Readable in a list of tasks, and never used twice. */
function newTaskId(framework: string, agent: AgentView): TaskId {
  const readable = `${framework}-${agent.hostname}`.replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, 150);
  return taskId(`${readable}__${randomUUID()}`);
}
