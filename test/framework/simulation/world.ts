/**
 * A model of Mesos for the simulation: what is really true (which task lives on which agent), what the master believes, and
 * a network between master and scheduler that loses, repeats and reorders. Only as much of Mesos as can hurt a daemonset.
 */

import type { DaemonsetEvent, ListedAgent } from '../../../framework/daemonset/events.ts';
import {
  type AgentId,
  agentId,
  type CallBody,
  type Offer,
  offerSchema,
  type TaskId,
  type TaskState,
  type TaskStatus,
  taskId,
} from '../../../framework/mesos-http-client/messages.ts';
import { launchesOf } from '../story.ts';
import type { Rng } from './rng.ts';

const OFFER_TIMEOUT_MS = 120_000;
const RESEND_MS = 10_000;
const PING_TIMEOUT_MS = 75_000;

interface RealTask {
  state: TaskState;
  alive: boolean;
  /** Updates that wait for an acknowledgement, oldest first. */
  updates: { state: TaskState; uuid: string }[];
  sentAt: number;
}

export interface Agent {
  readonly id: AgentId;
  /** The machine: `dead` for good. */
  machine: 'up' | 'cut' | 'dead';
  /** What the master thinks. */
  seen: 'registered' | 'unreachable' | 'recovered' | 'gone' | 'removed';
  cutAt: number;
  readonly tasks: Map<TaskId, RealTask>;
  /** Launches that the master sent and the agent never got. */
  readonly vanished: Set<TaskId>;
  offer: { id: string; at: number } | null;
  filteredUntil: number;
}

export class World {
  now = 0;
  readonly agents = new Map<AgentId, Agent>();
  /** On their way to the scheduler of the current session. */
  inbox: DaemonsetEvent[] = [];
  #session = 0;
  #numbers = 0;
  readonly #rng: Rng;
  /** Loses, repeats and reorders while true. */
  faulty = true;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  get session(): number {
    return this.#session;
  }

  addAgent(): void {
    const id = agentId(`S${++this.#numbers}`);
    const agent: Agent = {
      id,
      machine: 'up',
      seen: 'registered',
      cutAt: 0,
      tasks: new Map(),
      vanished: new Set(),
      offer: null,
      filteredUntil: 0,
    };
    this.agents.set(id, agent);
    this.#emit({ type: 'agent-added', agent: listed(agent) });
  }

  subscribe(): void {
    this.#session += 1;
    this.inbox = [];
    for (const agent of this.agents.values()) {
      agent.offer = null;
      agent.filteredUntil = 0;
    }
  }

  /** The scheduler is away: nothing reaches it. */
  hangUp(): void {
    this.#session += 1;
    this.inbox = [];
  }

  // ---- what happens --------------------------------------------------------------------------------------------------

  fail(agent: Agent): void {
    for (const [id, task] of agent.tasks) if (task.alive) this.#advance(agent, id, task, 'TASK_FAILED');
  }

  cut(agent: Agent): void {
    if (agent.machine !== 'up') return;
    agent.machine = 'cut';
    agent.cutAt = this.now;
    agent.offer = null;
  }

  return(agent: Agent): void {
    if (agent.machine !== 'cut') return;
    agent.machine = 'up';
    if (agent.seen === 'gone' || agent.seen === 'removed') return;
    const was = agent.seen;
    agent.seen = 'registered';
    agent.filteredUntil = 0;
    if (was === 'unreachable') this.#emit({ type: 'agent-added', agent: listed(agent) });
    for (const [id, task] of agent.tasks) {
      if (was === 'unreachable')
        this.#status(agent, id, task.state, { reason: 'REASON_AGENT_REREGISTERED', source: 'SOURCE_MASTER' });
      task.sentAt = 0;
    }
    agent.vanished.clear();
  }

  /** Marked gone by the operator, or shut down and unregistered. */
  remove(agent: Agent, byOperator: boolean): void {
    if (agent.seen === 'gone' || agent.seen === 'removed') return;
    const state = byOperator ? 'TASK_GONE_BY_OPERATOR' : 'TASK_LOST';
    const reason = byOperator ? 'REASON_AGENT_REMOVED_BY_OPERATOR' : 'REASON_AGENT_REMOVED';
    agent.machine = 'dead';
    agent.seen = byOperator ? 'gone' : 'removed';
    agent.offer = null;
    for (const id of [...agent.tasks.keys(), ...agent.vanished])
      this.#status(agent, id, state, { reason, source: 'SOURCE_MASTER' });
    agent.tasks.clear();
    agent.vanished.clear();
    if (!byOperator) this.#emit({ type: 'agent-removed', agentId: agent.id });
    this.#emit({ type: 'agent-failure' });
  }

  /** A new master: it knows the agents from its registry, and waits for them. */
  failover(): void {
    for (const agent of this.agents.values()) {
      if (agent.seen === 'registered') agent.seen = 'recovered';
      agent.offer = null;
      agent.filteredUntil = 0;
    }
  }

  /** Time's own work: pings, registrations, offers, resends, progress of tasks. */
  pass(ms: number): void {
    this.now += ms;
    for (const agent of this.agents.values()) {
      if (agent.seen === 'recovered' && agent.machine === 'up') {
        agent.seen = 'registered';
        this.#emit({ type: 'agent-added', agent: listed(agent) });
      }
      if (agent.machine === 'cut' && this.now - agent.cutAt > PING_TIMEOUT_MS && agent.seen !== 'unreachable') {
        if (agent.seen === 'registered' || agent.seen === 'recovered') this.#unreachable(agent);
      }
      if (agent.machine !== 'up' || agent.seen !== 'registered') continue;
      for (const [id, task] of agent.tasks) this.#progress(agent, id, task);
      if (agent.offer !== null && this.now - agent.offer.at > OFFER_TIMEOUT_MS) agent.offer = null;
      if (agent.offer === null && this.now >= agent.filteredUntil) this.#offer(agent);
    }
  }

  list(): DaemonsetEvent {
    const all = [...this.agents.values()];
    return {
      type: 'agents',
      registered: all.filter((agent) => agent.seen === 'registered').map(listed),
      recovered: all.filter((agent) => agent.seen === 'recovered').map((agent) => agent.id),
      askedAt: this.now,
    };
  }

  liveTasks(agent: Agent): TaskId[] {
    return [...agent.tasks].filter(([, task]) => task.alive).map(([id]) => id);
  }

  // ---- what the scheduler asks for -----------------------------------------------------------------------------------

  call(body: CallBody): void {
    switch (body.type) {
      case 'ACCEPT':
        return this.#accept(body);
      case 'DECLINE':
        for (const { value } of body.decline.offer_ids)
          this.#answerOffer(value, body.decline.filters?.refuse_seconds ?? 5);
        return;
      case 'REVIVE':
        for (const agent of this.agents.values()) agent.filteredUntil = 0;
        return;
      case 'KILL': {
        const agent = this.agents.get(body.kill.agent_id?.value ?? agentId('none'));
        const task = agent?.tasks.get(body.kill.task_id.value);
        if (agent?.machine === 'up' && task?.alive === true)
          this.#advance(agent, body.kill.task_id.value, task, 'TASK_KILLED');
        else this.#reconcile(body.kill.task_id.value, agent);
        return;
      }
      case 'ACKNOWLEDGE': {
        const agent = this.agents.get(body.acknowledge.agent_id.value);
        const task = agent?.tasks.get(body.acknowledge.task_id.value);
        if (agent?.machine !== 'up' || task?.updates[0]?.uuid !== body.acknowledge.uuid) return;
        task.updates.shift();
        task.sentAt = 0;
        if (!task.alive && task.updates.length === 0) agent.tasks.delete(body.acknowledge.task_id.value);
        return;
      }
      case 'RECONCILE':
        return this.#reconcileAll(body);
      default:
        return;
    }
  }

  #accept(body: Extract<CallBody, { type: 'ACCEPT' }>): void {
    const offers = body.accept.offer_ids.map((id) => id.value as string);
    for (const task of launchesOf(body)) {
      const agent = this.agents.get(task.agent_id.value);
      const id = task.task_id.value;
      const valid =
        agent?.offer !== null && agent !== undefined && offers.includes(agent.offer.id) && agent.seen === 'registered';
      if (!valid) {
        this.#status(agent ?? task.agent_id.value, id, 'TASK_DROPPED', {
          reason: 'REASON_INVALID_OFFERS',
          source: 'SOURCE_MASTER',
        });
        continue;
      }
      agent.offer = null;
      agent.filteredUntil = this.now + 3_600_000;
      if (agent.machine === 'up' && !this.#rng.chance(this.faulty ? 0.05 : 0)) {
        agent.tasks.set(id, { state: 'TASK_STAGING', alive: true, updates: [], sentAt: 0 });
      } else agent.vanished.add(id);
    }
    for (const offer of offers) this.#answerOffer(offer, 3600);
  }

  #answerOffer(id: string, refuseSeconds: number): void {
    for (const agent of this.agents.values()) {
      if (agent.offer?.id !== id) continue;
      agent.offer = null;
      agent.filteredUntil = this.now + refuseSeconds * 1000;
    }
  }

  #reconcileAll(body: Extract<CallBody, { type: 'RECONCILE' }>): void {
    const { tasks } = body.reconcile;
    for (const { task_id, agent_id } of tasks)
      this.#reconcile(task_id.value, this.agents.get(agent_id?.value ?? agentId('none')));
    if (tasks.length > 0) return;
    for (const agent of this.agents.values()) {
      if (agent.seen !== 'registered' && agent.seen !== 'unreachable') continue;
      for (const id of agent.tasks.keys()) this.#reconcile(id, agent);
    }
  }

  /** The rules of a real master: src/master/master.cpp, reconcileTasks. */
  #reconcile(id: TaskId, agent: Agent | undefined): void {
    const say = (state: TaskState): void =>
      this.#status(agent ?? agentId('none'), id, state, { reason: 'REASON_RECONCILIATION', source: 'SOURCE_MASTER' });
    if (agent === undefined || agent.seen === 'removed') return say('TASK_UNKNOWN');
    if (agent.seen === 'recovered') return;
    if (agent.seen === 'gone') return say('TASK_GONE_BY_OPERATOR');
    if (agent.seen === 'unreachable') return say('TASK_UNREACHABLE');
    const task = agent.tasks.get(id);
    if (task !== undefined) return say(task.state);
    // The master believes in a launch until the agent registers again without it; then it is gone.
    if (agent.vanished.has(id) && !this.#rng.chance(0.5)) return say('TASK_STAGING');
    agent.vanished.delete(id);
    say('TASK_GONE');
  }

  #unreachable(agent: Agent): void {
    agent.seen = 'unreachable';
    for (const id of [...agent.tasks.keys(), ...agent.vanished]) {
      this.#status(agent, id, 'TASK_UNREACHABLE', { reason: 'REASON_AGENT_REMOVED', source: 'SOURCE_MASTER' });
    }
    this.#emit({ type: 'agent-failure' });
  }

  #progress(agent: Agent, id: TaskId, task: RealTask): void {
    if (task.state === 'TASK_STAGING') this.#advance(agent, id, task, 'TASK_STARTING');
    else if (task.state === 'TASK_STARTING') this.#advance(agent, id, task, 'TASK_RUNNING');
    const oldest = task.updates[0];
    if (oldest === undefined || (task.sentAt > 0 && this.now - task.sentAt < RESEND_MS)) return;
    task.sentAt = this.now;
    this.#status(agent, id, oldest.state, { uuid: oldest.uuid, source: 'SOURCE_EXECUTOR' });
  }

  #advance(_agent: Agent, _id: TaskId, task: RealTask, state: TaskState): void {
    task.state = state;
    if (state === 'TASK_FAILED' || state === 'TASK_KILLED') task.alive = false;
    task.updates.push({ state, uuid: `u${++this.#numbers}` });
  }

  #offer(agent: Agent): void {
    // The ports are offered even while a task holds them: placement must not be what keeps a second task away.
    agent.offer = { id: `o${++this.#numbers}`, at: this.now };
    this.#emit({ type: 'offers', offers: [offerOf(agent, agent.offer.id)] });
  }

  #status(agent: Agent | AgentId, id: TaskId, state: TaskState, more: Partial<TaskStatus>): void {
    const on = typeof agent === 'string' ? agent : agent.id;
    const status: TaskStatus = { task_id: { value: taskId(id) }, agent_id: { value: on }, state, ...more };
    this.#emit({ type: 'update', status });
  }

  /** The network. */
  #emit(event: DaemonsetEvent): void {
    if (this.faulty && this.#rng.chance(0.1)) return;
    const copies = this.faulty && this.#rng.chance(0.1) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const back = this.faulty && this.#rng.chance(0.2) ? this.#rng.below(4) : 0;
      this.inbox.splice(Math.max(0, this.inbox.length - back), 0, event);
    }
  }
}

function listed(agent: Agent): ListedAgent {
  const view = {
    ...{ agentId: agent.id, hostname: agent.id, ip: '10.0.0.1', port: 5051, isPublic: false, attributes: {} },
    ...{ region: null, zone: null },
  };
  return { view, deactivated: false, ports: [], holdsOurs: null };
}

function offerOf(agent: Agent, id: string): Offer {
  return offerSchema.parse({
    id: { value: id },
    framework_id: { value: 'f' },
    agent_id: { value: agent.id },
    hostname: agent.id,
    url: { address: { ip: '10.0.0.1', port: 5051 } },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 4 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 4096 } },
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 4000, end: 5000 }] } },
    ],
    allocation_info: { role: 'nodemesh' },
  });
}
