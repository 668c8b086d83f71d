/**
 * The masters: one leads, with its registry of agents (which outlives it) and what it holds in memory (which does not). The
 * rules are those of a real master (src/master/master.cpp, and what was recorded of one).
 */
import {
  type AgentId,
  agentId,
  type CallBody,
  type Event,
  type FrameworkId,
  frameworkId,
  type OperatorAgent,
  offerId,
  type TaskId,
  type TaskState,
  type TaskStatus,
} from '../../../framework/mesos-http-client/messages.ts';
import { type Context, Violation } from '../context.ts';
import { answerAccept } from './accept.ts';
import { Agent, type AgentUpdate, type Upstream } from './agent.ts';
import { Allocator, unavailability } from './allocator.ts';
import { type AgentEntry, isTerminal, type MasterTask } from './entry.ts';
import type { Machine } from './machine.ts';
import { type Outcome, Session, type Subscriber } from './session.ts';

const PING_TIMEOUT_MS = 75_000;
const REREGISTER_TIMEOUT_MS = 600_000;

/** Who follows the operator API's stream. */
export interface Watcher {
  added(agent: OperatorAgent): void;
  removed(id: AgentId): void;
  broken(): void;
}

export class Master implements Upstream {
  readonly context: Context;
  readonly allocator: Allocator;
  readonly agents = new Map<AgentId, AgentEntry>();
  readonly gone = new Set<AgentId>();
  /** Agents that were registered, and not only just, when the framework was torn down. */
  readonly presentAtTheEnd = new Set<AgentId>();
  readonly watchers = new Set<Watcher>();
  term: number | null = 1;
  session: Session | null = null;
  /** This master knows the framework. */
  isKnown = false;
  /** For ever: torn down. */
  isRemoved = false;
  isSuppressed = false;
  frameworkId: FrameworkId | null = null;
  #terms = 1;
  /** All that ever were, as long as they are not over: they find the new master by themselves. */
  #everyAgent: Agent[] = [];

  constructor(context: Context) {
    this.context = context;
    this.allocator = new Allocator(context, {
      isWanted: () => this.session !== null && !this.isSuppressed,
      frameworkId: () => ({ value: this.frameworkId ?? frameworkId('none') }),
      send: (offers) => this.emit({ type: 'OFFERS', offers: { offers } }),
      rescind: (id) => this.emit({ type: 'RESCIND', rescind: { offer_id: { value: id } } }),
    });
  }

  emit(event: Event): void {
    this.session?.emit(event);
  }

  // ---- schedulers ----------------------------------------------------------------------------------------------------

  /** Null: refused for ever. */
  subscribe(subscriber: Subscriber, id: FrameworkId | null): Session | null {
    if (this.isRemoved && id === this.frameworkId) return null;
    const before = this.session;
    if (before !== null) {
      before.emit({ type: 'ERROR', error: { message: 'Framework failed over' } });
      this.allocator.offers.clear();
    }
    this.frameworkId = id ?? frameworkId(`f${this.context.number()}`);
    this.isKnown = true;
    this.isSuppressed = false;
    this.session = new Session(this.context, subscriber, (session, call) => this.#call(session, call));
    this.emit({ type: 'SUBSCRIBED', subscribed: { framework_id: { value: this.frameworkId } } });
    for (const entry of this.agents.values()) this.allocator.look(entry);
    return this.session;
  }

  /** The connection is seen to be broken: what was offered is void, and filters are forgotten. */
  unsubscribe(session: Session): void {
    if (this.session !== session) return;
    this.session = null;
    this.allocator.offers.clear();
    this.allocator.dropFilters();
  }

  #call(session: Session, call: CallBody): Outcome {
    if (this.session !== session || this.term === null) return 'resubscribe';
    switch (call.type) {
      case 'ACCEPT':
        if (this.context.faulty && this.context.rng.chance(0.01)) {
          this.context.fault('call refused', 'ACCEPT');
          return 'refused';
        }
        answerAccept(this, call.accept);
        return 'accepted';
      case 'DECLINE':
        for (const { value } of call.decline.offer_ids) {
          const offer = this.allocator.offers.get(value);
          if (offer === undefined) continue;
          this.allocator.offers.delete(value);
          this.allocator.filter(offer.entry, offer.role, offer.pools, call.decline.filters?.refuse_seconds ?? 5);
        }
        return 'accepted';
      case 'REVIVE':
        this.isSuppressed = false;
        this.allocator.dropFilters();
        for (const entry of this.agents.values()) this.allocator.look(entry);
        return 'accepted';
      case 'SUPPRESS':
        this.isSuppressed = true;
        return 'accepted';
      case 'KILL':
        this.#kill(call.kill.task_id.value, call.kill.agent_id?.value);
        return 'accepted';
      case 'ACKNOWLEDGE':
        this.#acknowledge(call.acknowledge.agent_id.value, call.acknowledge.task_id.value, call.acknowledge.uuid);
        return 'accepted';
      case 'RECONCILE':
        this.#reconcileAll(call.reconcile.tasks.map((one) => [one.task_id.value, one.agent_id?.value]));
        return 'accepted';
      case 'TEARDOWN':
        this.#tearDown();
        return 'accepted';
      case 'ACCEPT_INVERSE_OFFERS':
        return 'accepted';
      default:
        throw new Violation(`the model has no call ${call.type}`);
    }
  }

  #kill(taskId: TaskId, id: AgentId | undefined): void {
    const entry = this.#holderOf(taskId);
    if (entry === null) return this.#reconcile(taskId, id);
    if (id !== undefined && entry.id !== id) return;
    entry.pendingKills.add(taskId);
    const { agent } = entry;
    agent.receive(() => agent.kill(taskId));
  }

  #acknowledge(id: AgentId, taskId: TaskId, uuid: string): void {
    const entry = this.agents.get(id);
    if (entry === undefined || entry.state !== 'registered') return;
    const task = entry.tasks.get(taskId);
    if (task !== undefined && isTerminal(task.state) && task.uuid === uuid) entry.tasks.delete(taskId);
    const { agent } = entry;
    if (this.context.faulty && this.context.rng.chance(0.04)) {
      return this.context.tally.count('network', 'acknowledgement lost');
    }
    agent.receive(() => agent.acknowledge(taskId, uuid));
  }

  #reconcileAll(tasks: readonly (readonly [TaskId, AgentId | undefined])[]): void {
    for (const [taskId, id] of tasks) this.#reconcile(taskId, id);
    if (tasks.length > 0) return;
    for (const entry of this.agents.values()) {
      for (const task of entry.tasks.values()) this.#answer(entry.id, task.taskId, task.state);
      for (const taskId of entry.unreachable) this.#answer(entry.id, taskId, 'TASK_UNREACHABLE');
    }
  }

  /** src/master/master.cpp, reconcileTasks. */
  #reconcile(taskId: TaskId, id: AgentId | undefined): void {
    const holder = this.#holderOf(taskId);
    const task = holder?.tasks.get(taskId);
    if (holder !== null && task !== undefined) return this.#answer(holder.id, taskId, task.state);
    if (id === undefined) return;
    const entry = this.agents.get(id);
    if (this.gone.has(id)) return this.#answer(id, taskId, 'TASK_GONE_BY_OPERATOR');
    if (entry === undefined) return this.#answer(id, taskId, 'TASK_UNKNOWN');
    if (entry.state === 'recovered') {
      this.context.tally.count('network', 'reconciliation without an answer');
      return;
    }
    this.#answer(id, taskId, entry.state === 'unreachable' ? 'TASK_UNREACHABLE' : 'TASK_GONE');
  }

  #answer(id: AgentId, taskId: TaskId, state: TaskState): void {
    this.status(id, taskId, state, 'REASON_RECONCILIATION');
  }

  #holderOf(taskId: TaskId): AgentEntry | null {
    for (const entry of this.agents.values()) if (entry.tasks.has(taskId)) return entry;
    return null;
  }

  /** The master's own word: no uuid, no acknowledgement. */
  status(id: AgentId, taskId: TaskId, state: TaskState, reason: string): void {
    const status: TaskStatus = {
      task_id: { value: taskId },
      agent_id: { value: id },
      state,
      source: 'SOURCE_MASTER',
      reason,
    };
    this.emit({ type: 'UPDATE', update: { status } });
  }

  #tearDown(): void {
    this.isRemoved = true;
    for (const entry of this.agents.values())
      if (entry.state === 'registered' && entry.since < this.context.now - 15_000) this.presentAtTheEnd.add(entry.id);
    for (const entry of this.agents.values()) {
      const { agent } = entry;
      agent.receive(() => {
        for (const task of agent.live) task.die();
      });
      entry.tasks.clear();
    }
    this.allocator.offers.clear();
    this.session = null;
  }

  // ---- agents --------------------------------------------------------------------------------------------------------

  heardUpdate(agent: Agent, update: AgentUpdate): void {
    const entry = this.agents.get(agent.id);
    if (entry === undefined || entry.state !== 'registered') return;
    const task = entry.tasks.get(update.taskId);
    if (task !== undefined) {
      task.state = update.latest;
      task.uuid = update.uuid;
      if (isTerminal(update.latest)) this.allocator.look(entry);
    }
    const status: TaskStatus = {
      task_id: { value: update.taskId },
      agent_id: { value: agent.id },
      state: update.state,
      uuid: update.uuid,
      source: update.state === 'TASK_DROPPED' ? 'SOURCE_AGENT' : 'SOURCE_EXECUTOR',
      ...(update.reason === undefined ? {} : { reason: update.reason }),
    };
    this.emit({ type: 'UPDATE', update: { status } });
  }

  heardRegistration(agent: Agent): void {
    if (this.gone.has(agent.id)) {
      agent.receive(() => agent.shutDown());
      return;
    }
    const known = this.agents.get(agent.id);
    const entry = known ?? newEntry(agent);
    const before = known?.state ?? 'unknown';
    this.agents.set(agent.id, entry);
    this.#replacePredecessor(agent);
    entry.state = 'registered';
    if (before !== 'registered') entry.since = this.context.now;
    // What it was told to reserve, and has not heard, it is told again; another master only knows what the agent says.
    if (before === 'registered') {
      // As it is now: what changes while this is on its way follows it.
      const total = entry.total.copy();
      agent.receive(() => {
        agent.total = total;
      });
    } else entry.total = agent.total.copy();
    const told = [...agent.tasks.values()];
    if (before === 'registered') {
      for (const taskId of [...entry.tasks.keys()].filter((one) => !agent.tasks.has(one))) {
        agent.receive(() => agent.disown(taskId));
      }
    } else {
      entry.tasks.clear();
      for (const { taskId, state, resources } of told) entry.tasks.set(taskId, masterTask(taskId, state, resources));
      if (before !== 'recovered') {
        for (const { taskId, state } of told) this.status(agent.id, taskId, state, 'REASON_AGENT_REREGISTERED');
      }
      entry.unreachable.clear();
      for (const watcher of this.watchers) watcher.added(listed(entry));
    }
    if (before === 'registered') for (const taskId of entry.pendingKills) agent.receive(() => agent.kill(taskId));
    else entry.pendingKills.clear();
    agent.receive(() => agent.registered());
    if (entry.isDraining) this.drain(entry);
    this.allocator.look(entry);
  }

  /** A new agent at the same address: the one before is gone. */
  #replacePredecessor(agent: Agent): void {
    for (const entry of this.agents.values()) {
      if (entry.id !== agent.id && entry.agent.machine === agent.machine) {
        this.remove(entry, 'TASK_LOST', 'REASON_AGENT_REMOVED');
      }
    }
  }

  heardShutdown(agent: Agent): void {
    const entry = this.agents.get(agent.id);
    if (entry !== undefined) this.remove(entry, 'TASK_LOST', 'REASON_AGENT_REMOVED');
  }

  /** The ping timeout runs. */
  watch(agent: Agent): void {
    const since = agent.silentSince;
    if (since === null) return;
    const entry = this.agents.get(agent.id);
    // One that hangs keeps its sockets open: nobody notices before it has missed its pings.
    if (entry !== undefined && !agent.isHung) this.allocator.rescindOf(entry);
    this.context.clock.at(since + PING_TIMEOUT_MS, () => {
      const one = this.agents.get(agent.id);
      if (this.term !== null && agent.silentSince === since && one?.state === 'registered') this.#unreachable(one);
    });
  }

  #unreachable(entry: AgentEntry): void {
    entry.state = 'unreachable';
    entry.agent.term = null;
    for (const task of entry.tasks.values()) {
      if (isTerminal(task.state)) continue;
      entry.unreachable.add(task.taskId);
      this.status(entry.id, task.taskId, 'TASK_UNREACHABLE', 'REASON_AGENT_REMOVED');
    }
    entry.tasks.clear();
    entry.pendingKills.clear();
    this.allocator.rescindOf(entry);
    this.emit({ type: 'FAILURE', failure: { agent_id: { value: entry.id } } });
  }

  /** For good. */
  remove(entry: AgentEntry, state: TaskState, reason: string): void {
    const tasks = [...entry.tasks.values()].filter((task) => !isTerminal(task.state)).map((task) => task.taskId);
    this.agents.delete(entry.id);
    entry.state = 'removed';
    for (const taskId of [...tasks, ...entry.unreachable]) this.status(entry.id, taskId, state, reason);
    this.allocator.rescindOf(entry);
    this.emit({ type: 'FAILURE', failure: { agent_id: { value: entry.id } } });
    for (const watcher of this.watchers) watcher.removed(entry.id);
  }

  newAgent(machine: Machine, total = machine.whole()): Agent {
    const agent = new Agent(this.context, this, agentId(`S${this.context.number()}`), machine, total);
    this.#everyAgent.push(agent);
    return agent;
  }

  // ---- operators -----------------------------------------------------------------------------------------------------

  markGone(entry: AgentEntry): void {
    this.gone.add(entry.id);
    this.remove(entry, 'TASK_GONE_BY_OPERATOR', 'REASON_AGENT_REMOVED_BY_OPERATOR');
    const { agent } = entry;
    agent.receive(() => agent.shutDown());
  }

  drain(entry: AgentEntry): void {
    entry.isDraining = true;
    entry.isDeactivated = true;
    this.allocator.rescindOf(entry);
    const { agent } = entry;
    agent.receive(() => {
      for (const task of agent.live) task.kill('REASON_AGENT_DRAINING');
    });
  }

  reactivate(entry: AgentEntry): void {
    entry.isDraining = false;
    entry.isDeactivated = false;
    this.allocator.look(entry);
  }

  /** Any change takes all offers back, and makes those that still hold anew. */
  scheduleChanged(): void {
    for (const entry of this.agents.values()) {
      this.allocator.rescindOf(entry);
      this.allocator.look(entry);
      const { inverseOffer } = entry;
      const { maintenance } = entry.agent.machine;
      if (inverseOffer !== null) {
        entry.inverseOffer = null;
        this.emit({ type: 'RESCIND_INVERSE_OFFER', rescind_inverse_offer: { inverse_offer_id: inverseOffer.id } });
      }
      if (maintenance === null || entry.state !== 'registered') continue;
      entry.inverseOffer = {
        id: { value: offerId(`i${this.context.number()}`) },
        framework_id: { value: this.frameworkId ?? frameworkId('none') },
        agent_id: { value: entry.id },
        unavailability: unavailability(maintenance),
        resources: [],
      };
      this.emit({ type: 'INVERSE_OFFERS', inverse_offers: { inverse_offers: [entry.inverseOffer] } });
    }
  }

  list(): { registered: OperatorAgent[]; recovered: AgentId[] } {
    const all = [...this.agents.values()];
    return {
      registered: all.filter((entry) => entry.state === 'registered').map(listed),
      recovered: all.filter((entry) => entry.state === 'recovered').map((entry) => entry.id),
    };
  }

  // ---- failover ------------------------------------------------------------------------------------------------------

  /** What was in memory is gone; another master leads after a while, from the registry. */
  fail(): void {
    this.term = null;
    this.session?.break();
    this.session = null;
    this.isKnown = false;
    this.allocator.offers.clear();
    this.allocator.dropFilters();
    for (const watcher of [...this.watchers]) watcher.broken();
    this.watchers.clear();
    for (const entry of this.agents.values()) {
      entry.tasks.clear();
      entry.unreachable.clear();
      entry.pendingKills.clear();
      entry.inverseOffer = null;
      if (entry.state === 'registered') entry.state = 'recovered';
    }
    this.context.clock.after(this.context.rng.between(1_000, 12_000), () => this.#lead());
  }

  #lead(): void {
    this.#terms += 1;
    const term = this.#terms;
    this.term = term;
    this.#everyAgent = this.#everyAgent.filter((agent) => !agent.isOver);
    for (const agent of this.#everyAgent) agent.lookForMaster();
    this.context.clock.after(REREGISTER_TIMEOUT_MS, () => {
      if (this.term !== term) return;
      for (const entry of this.agents.values()) if (entry.state === 'recovered') this.#unreachable(entry);
    });
  }

  /** It has too many unreachable agents to remember them all. */
  forget(entry: AgentEntry): void {
    if (entry.state === 'unreachable') this.agents.delete(entry.id);
  }
}

function newEntry(agent: Agent): AgentEntry {
  return {
    id: agent.id,
    agent,
    state: 'registered',
    since: 0,
    total: agent.total.copy(),
    tasks: new Map(),
    unreachable: new Set(),
    pendingKills: new Set(),
    isDeactivated: false,
    isDraining: false,
    inverseOffer: null,
  };
}

function masterTask(taskId: TaskId, state: TaskState, resources: MasterTask['resources']): MasterTask {
  return { taskId, state, uuid: null, resources };
}

/** As GET_AGENTS shows it. */
function listed(entry: AgentEntry): OperatorAgent {
  const { machine } = entry.agent;
  return {
    agent_info: {
      id: { value: entry.id },
      hostname: machine.name,
      resources: machine.whole().resources(''),
      attributes: machine.attributes,
      domain: machine.place.domain,
    },
    active: true,
    deactivated: entry.isDeactivated,
    pid: `slave(1)@${machine.ip}:5051`,
    total_resources: entry.total.resources(''),
  };
}
