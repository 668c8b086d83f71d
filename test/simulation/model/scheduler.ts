/**
 * A scheduler process: the real core in the shell's place. Events one after the other; actions in their order, writes before
 * the rest goes on; between any two of them the process may be killed or paused. It acts only while it holds its lease.
 */
import { viewOfListed } from '../../../framework/daemonset/agent-view.ts';
import type { Action, DaemonsetEvent, ListedAgent } from '../../../framework/daemonset/events.ts';
import { initialState } from '../../../framework/daemonset/restore.ts';
import type { DaemonsetState, Environment } from '../../../framework/daemonset/state.ts';
import { step } from '../../../framework/daemonset.ts';
import { eventsOf, partsOfList, withoutOffer } from '../../../framework/hearing.ts';
import type { AgentId, CallBody, Event, OperatorAgent, TaskId } from '../../../framework/mesos-http-client/messages.ts';
import type { Checks } from '../checks/checks.ts';
import type { Context } from '../context.ts';
import { ControlPlane } from './control-plane.ts';
import type { Machine } from './machine.ts';
import type { Master, Watcher } from './master.ts';
import type { Leader, ProxyModel, ProxyReport } from './proxy.ts';
import type { Outcome, Session, Subscriber } from './session.ts';
import type { Store } from './store.ts';
import { isWrite, WriteBatch } from './write-batch.ts';

export interface Surroundings {
  readonly context: Context;
  readonly master: Master;
  readonly store: Store;
  readonly machines: readonly Machine[];
  readonly checks: Checks;
  /** Every so many steps the core goes on with a copy of its state. */
  readonly copyEvery: number;
  /** The operator API may be used. */
  readonly mayList: boolean;
  /** The process is over, for whatever reason. */
  ended(process: Scheduler, why: string): void;
  answered(outcome: string): void;
  uninstalled(): void;
}

export interface Start {
  readonly environment: Environment;
  readonly begin: Extract<DaemonsetEvent, { type: 'begin' }>;
}

export class Scheduler implements Subscriber, Leader, Watcher {
  readonly epoch: number;
  state: DaemonsetState;
  isAlive = true;
  isPaused = false;
  holdsLease = true;
  session: Session | null = null;
  steps = 0;
  readonly #around: Surroundings;
  readonly #context: Context;
  readonly #environment: Environment;
  readonly #versions: Map<string, number>;
  readonly #control: ControlPlane;
  #queue: DaemonsetEvent[] = [];
  #batch: WriteBatch | null = null;
  #waking: (() => void)[] = [];
  #isSubscribed = false;
  #tick = 0;
  #list: { again: boolean } | null = null;
  #watch = 0;

  constructor(around: Surroundings, { environment, begin }: Start) {
    this.#around = around;
    this.#context = around.context;
    this.#environment = environment;
    const { remembered, versions } = around.store.load();
    this.#versions = versions;
    around.store.epoch += 1;
    this.epoch = around.store.epoch;
    this.state = initialState(remembered, this.#context.now);
    this.#control = new ControlPlane(this.#context, around.machines, this);
    this.push(begin);
    if (this.state.mode === 'gone' || (begin.uninstall && this.state.frameworkId === null)) return;
    this.#subscribeLater();
    this.#watchLater();
  }

  get isAwake(): boolean {
    return this.isAlive && !this.isPaused;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  push(event: DaemonsetEvent): void {
    this.#queue.push(event);
    this.#context.clock.after(0, () => this.#work());
  }

  // ---- life and death ------------------------------------------------------------------------------------------------

  /** What was being written may or may not have got there. */
  end(why: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#context.note(`scheduler ${this.epoch} ends: ${why}`);
    this.#batch?.tear();
    this.#control.close();
    this.#around.master.watchers.delete(this);
    const { session } = this;
    session?.break();
    if (session !== null) {
      this.#context.clock.after(this.#context.rng.between(1, 3_000), () => this.#around.master.unsubscribe(session));
    }
    this.#around.ended(this, why);
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    // Its distribution does not ask for the lease: its frames carry its epoch.
    this.#control.flush();
    for (const run of this.#waking.splice(0)) run();
    this.#work();
  }

  #whenAwake(run: () => void): void {
    if (this.isPaused) this.#waking.push(run);
    else if (this.isAlive) run();
  }

  #leads(): boolean {
    if (this.holdsLease) return true;
    this.#context.tally.count('network', 'held back by the lease');
    this.end('its lease is over');
    return false;
  }

  // ---- one event after the other -------------------------------------------------------------------------------------

  #work(): void {
    if (!this.isAwake || this.#batch !== null) return;
    const event = this.#queue.shift();
    if (event === undefined) return;
    const { checks } = this.#around;
    this.steps += 1;
    const before = checks.before(this);
    const actions = step(this.state, event, this.#context.now, this.#environment);
    checks.after(this, event, actions, before);
    if (this.steps % this.#around.copyEvery === 0) this.state = structuredClone(this.state);
    if (this.#leads()) this.#perform(actions, 0);
  }

  #perform(actions: readonly Action[], from: number): void {
    for (let at = from; at < actions.length; at += 1) {
      const action = actions[at];
      if (action === undefined || !this.isAlive) return;
      if (isWrite(action)) return this.#write(actions, at);
      if (this.#context.faulty && this.#context.rng.chance(0.0008)) {
        this.#context.fault('scheduler killed between two actions', action.type);
        return this.end('killed between two actions');
      }
      this.#act(action);
    }
    if (this.#queue.length > 0) this.#context.clock.after(0, () => this.#work());
  }

  #write(actions: readonly Action[], from: number): void {
    let to = from;
    while (isWrite(actions[to])) to += 1;
    const batch = new WriteBatch(this.#context, this.#around.store, this.#versions, actions.slice(from, to));
    this.#batch = batch;
    if (this.#context.faulty && this.#context.rng.chance(0.002)) {
      this.#context.fault('scheduler killed while it writes', `${this.epoch}`);
      this.#context.clock.after(0, () => this.end('killed while it writes'));
    }
    batch.begin((failure) =>
      this.#whenAwake(() => {
        this.#batch = null;
        if (!this.isAlive) return;
        if (failure !== null) return this.end(failure);
        if (this.#leads()) this.#perform(actions, to);
      }),
    );
  }

  #act(action: Action): void {
    const { checks } = this.#around;
    switch (action.type) {
      case 'call':
        checks.call(this, action.body);
        return this.#call(action.body, action.launches ?? null);
      case 'list-agents':
        return this.#refresh();
      case 'wake':
        this.#tick += 1;
        return this.#tickAt(action.at, this.#tick);
      case 'upgrade':
        checks.upgrade(this, action.agentId, action.goal);
        return this.#control.upgrade(action.taskId, action.goal.id);
      case 'ask-last-words': {
        const { agentId, taskId } = action;
        return this.#later(() => this.push({ type: 'last-words', agentId, taskId, text: 'Error: it broke' }));
      }
      case 'ask-port-holders': {
        const { agentId } = action;
        return this.#later(() => this.push({ type: 'port-holders', agentId, holders: { 4140: 'other.1' } }));
      }
      case 'answer':
        return this.#around.answered(action.outcome.kind);
      case 'uninstalled':
        return this.#around.uninstalled();
      default:
        return;
    }
  }

  #later(run: () => void): void {
    this.#context.clock.after(this.#context.latency(), () => this.#whenAwake(run));
  }

  #tickAt(at: number, tick: number): void {
    this.#context.clock.at(at, () =>
      this.#whenAwake(() => {
        if (tick === this.#tick) this.push({ type: 'tick' });
      }),
    );
  }

  // ---- the subscription ----------------------------------------------------------------------------------------------

  #subscribeLater(): void {
    this.#context.clock.after(this.#context.rng.between(50, this.#context.faulty ? 3_000 : 500), () =>
      this.#whenAwake(() => {
        if (this.session !== null) return;
        const { master } = this.#around;
        if (master.term === null) return this.#subscribeLater();
        const session = master.subscribe(this, this.state.frameworkId);
        if (session === null && this.state.mode === 'uninstall') return this.push({ type: 'torn-down' });
        if (session === null) return this.end('Framework has been removed');
        this.session = session;
        this.#isSubscribed = false;
      }),
    );
  }

  hear(session: Session, event: Event): void {
    this.#whenAwake(() => {
      if (session !== this.session) return;
      if (event.type === 'SUBSCRIBED') this.#isSubscribed = true;
      if (event.type === 'ERROR') return this.end(event.error.message);
      if (event.type === 'RESCIND') {
        const id = event.rescind.offer_id.value;
        this.#context.tally.count('network', 'RESCIND');
        this.#queue = this.#queue.map((waiting) => withoutOffer(waiting, id));
      }
      for (const told of eventsOf(event)) this.push(told);
    });
  }

  lost(session: Session): void {
    this.#whenAwake(() => {
      if (session !== this.session) return;
      this.session = null;
      if (this.#isSubscribed) this.push({ type: 'disconnected' });
      this.#isSubscribed = false;
      this.#context.clock.after(this.#context.rng.between(1, 2_000), () => this.#around.master.unsubscribe(session));
      this.#subscribeLater();
    });
  }

  #call(body: CallBody, launches: TaskId | null): void {
    const { session } = this;
    if (session === null || !this.#isSubscribed) return this.#answered(null, body, launches, 'unreachable');
    session.call(body, (outcome) => this.#whenAwake(() => this.#answered(session, body, launches, outcome)));
  }

  #answered(session: Session | null, body: CallBody, launches: TaskId | null, outcome: Outcome): void {
    if (outcome === 'accepted') {
      if (body.type === 'TEARDOWN') this.push({ type: 'torn-down' });
      return;
    }
    const offersHang = outcome === 'unreachable' && (body.type === 'ACCEPT' || body.type === 'DECLINE');
    if (session !== null && (outcome === 'resubscribe' || offersHang)) {
      session.break();
      this.lost(session);
    }
    if (body.type !== 'ACCEPT') return;
    const offerIds = body.accept.offer_ids.map(({ value }) => value);
    this.push({ type: 'accept-failed', taskId: launches, offerIds, refused: outcome === 'refused', text: '4xx' });
  }

  // ---- the operator API ----------------------------------------------------------------------------------------------

  /** One question at a time, as `AgentWatch` does it. */
  #refresh(): void {
    if (!this.#around.mayList) return;
    if (this.#list !== null) {
      this.#list.again = true;
      return;
    }
    const asking = { again: false };
    this.#list = asking;
    const askedAt = this.#context.now;
    this.#context.clock.after(this.#context.latency(), () => {
      const { master } = this.#around;
      const isLost = master.term === null || (this.#context.faulty && this.#context.rng.chance(0.05));
      const list = isLost ? null : master.list();
      this.#later(() => {
        this.#list = null;
        if (list === null) {
          this.#context.tally.count('network', 'list of agents without an answer');
          this.#context.clock.after(1_000, () => this.#whenAwake(() => this.#refresh()));
          return;
        }
        this.#listed(list, askedAt);
        if (asking.again) this.#refresh();
      });
    });
  }

  #listed(list: { registered: OperatorAgent[]; recovered: AgentId[] }, askedAt: number): void {
    const registered = list.registered.map((agent) => this.#viewOf(agent));
    const events = partsOfList({ type: 'agents', registered, recovered: list.recovered, askedAt });
    for (const event of events) this.push(event);
  }

  #viewOf(agent: OperatorAgent): ListedAgent {
    const view = viewOfListed(agent, this.state.frameworkId);
    if (view === null) throw new Error('an agent without an address');
    return view;
  }

  #watchLater(): void {
    if (!this.#around.mayList) return;
    this.#context.clock.after(this.#context.rng.between(50, 4_000), () =>
      this.#whenAwake(() => {
        const { master } = this.#around;
        if (master.term === null) return this.#watchLater();
        this.#watch += 1;
        master.watchers.add(this);
        this.#listed(master.list(), this.#context.now - 1_000);
      }),
    );
  }

  added(agent: OperatorAgent): void {
    this.#fromWatch(() => this.push({ type: 'agent-added', agent: this.#viewOf(agent) }));
  }

  removed(agentId: AgentId): void {
    this.#fromWatch(() => this.push({ type: 'agent-removed', agentId }));
  }

  broken(): void {
    this.#watch += 1;
    this.#whenAwake(() => this.#watchLater());
  }

  #fromWatch(run: () => void): void {
    const watch = this.#watch;
    this.#watchArrival = Math.max(this.#watchArrival, this.#context.now + this.#context.latency());
    this.#context.clock.at(this.#watchArrival, () =>
      this.#whenAwake(() => {
        if (watch === this.#watch) run();
      }),
    );
  }

  #watchArrival = 0;

  // ---- proxies -------------------------------------------------------------------------------------------------------

  linked(proxy: ProxyModel): void {
    this.#control.linked(proxy);
  }

  unlinked(proxy: ProxyModel): void {
    this.#whenAwake(() => this.#control.unlinked(proxy));
  }

  heard(proxy: ProxyModel, report: ProxyReport): void {
    this.#whenAwake(() => this.#control.hear(proxy, report));
  }
}
