/**
 * Mesos as far as the core can tell, in virtual time and as cheap as can be: offers once a second of all that has no filter,
 * in portions as the shell makes them; updates of tasks; answers to RECONCILE and GET_AGENTS.
 */
import type { Action, DaemonsetEvent } from '../../../framework/daemonset/events.ts';
import { eventsOf, partsOfList } from '../../../framework/hearing.ts';
import type {
  AgentId,
  CallBody,
  FrameworkId,
  OfferId,
  TaskId,
  TaskState,
  TaskStatus,
} from '../../../framework/mesos-http-client/messages.ts';
import type { Rng } from '../../simulation/rng.ts';
import { Agenda } from './agenda.ts';
import { ModelAgent } from './model-agent.ts';

type CallOf<T extends CallBody['type']> = Extract<CallBody, { type: T }>;

/** Something that happens to the cluster, or an event for the core as it will be then. */
export type Happening = (now: number) => DaemonsetEvent | null;

const ALLOCATION_INTERVAL_MS = 1_000;
const LIST_TAKES_MS = 200;

export class ModelMesos {
  readonly agenda = new Agenda<Happening>();
  readonly agents = new Map<AgentId, ModelAgent>();
  readonly #frameworkId: FrameworkId;
  readonly #dice: Rng;
  readonly #offers = new Map<OfferId, ModelAgent>();
  /** Agents that may be offered now. */
  readonly #open = new Set<ModelAgent>();
  #numbers = 0;
  #offerNumbers = 0;
  #uuids = 0;
  #asking: { again: boolean } | null = null;
  #tick: { cancelled: boolean } = { cancelled: false };

  constructor(frameworkId: FrameworkId, dice: Rng) {
    this.#frameworkId = frameworkId;
    this.#dice = dice;
    this.agenda.plan(0, (now) => this.#allocate(now));
  }

  addAgent(): ModelAgent {
    this.#numbers += 1;
    const agent = new ModelAgent(this.#numbers);
    this.agents.set(agent.id, agent);
    this.#open.add(agent);
    return agent;
  }

  /** The agent and what ran there are gone for good. */
  removeAgent(agent: ModelAgent): void {
    agent.isUp = false;
    agent.task = null;
    this.agents.delete(agent.id);
    this.#open.delete(agent);
  }

  /** It does not answer any more (its task runs on), or is back. */
  setUp(agent: ModelAgent, isUp: boolean): void {
    agent.isUp = isUp;
    if (isUp) this.#open.add(agent);
    else this.#open.delete(agent);
  }

  /** What comes free is more than any filter of the agent refused, so it is offered by itself (RefusedOfferFilter). */
  endTask(agent: ModelAgent): void {
    agent.task = null;
    if (agent.isUp && agent.offered === 0) this.#open.add(agent);
  }

  /** A new leading master: no offers are out, no filters are known. */
  failOver(): void {
    this.#offers.clear();
    this.#asking = null;
    for (const agent of this.agents.values()) {
      agent.offered = 0;
      agent.filteredUntil = 0;
      if (agent.isUp) this.#open.add(agent);
    }
  }

  status(agent: ModelAgent, taskId: TaskId, state: TaskState, more: Partial<TaskStatus> = {}): DaemonsetEvent {
    return {
      type: 'update',
      status: { task_id: { value: taskId }, state, agent_id: { value: agent.id }, ...more },
    };
  }

  /** An update of the executor's, which wants to be acknowledged. */
  executorStatus(agent: ModelAgent, taskId: TaskId, state: TaskState, more: Partial<TaskStatus> = {}): DaemonsetEvent {
    this.#uuids += 1;
    const uuid = Buffer.from(String(this.#uuids).padStart(16, '0')).toString('base64');
    return this.status(agent, taskId, state, { source: 'SOURCE_EXECUTOR', uuid, ...more });
  }

  take(action: Action, now: number): void {
    switch (action.type) {
      case 'call':
        return this.#takeCall(action.body, now);
      case 'list-agents':
        return this.#list(now);
      case 'wake':
        return this.#wake(action.at);
      case 'upgrade':
        this.agenda.plan(now + 2_000, () => ({ type: 'runs', taskId: action.taskId, goal: action.goal.id }));
        return;
      default:
        return;
    }
  }

  #takeCall(body: CallBody, now: number): void {
    switch (body.type) {
      case 'ACCEPT':
        return this.#accept(body, now);
      case 'DECLINE': {
        const seconds = body.decline.filters?.refuse_seconds ?? 5;
        for (const { value } of body.decline.offer_ids) this.#filter(value, now + seconds * 1000);
        return;
      }
      case 'REVIVE':
        for (const agent of this.agents.values()) {
          agent.filteredUntil = 0;
          if (agent.isUp && agent.offered === 0) this.#open.add(agent);
        }
        return;
      case 'KILL':
        return this.#kill(body, now);
      case 'RECONCILE':
        return this.#reconcile(body, now);
      default:
        return;
    }
  }

  #accept({ accept }: CallOf<'ACCEPT'>, now: number): void {
    const [first] = accept.offer_ids;
    const agent = first === undefined ? undefined : this.#offers.get(first.value);
    const seconds = accept.filters?.refuse_seconds ?? 5;
    for (const { value } of accept.offer_ids) this.#filter(value, now + seconds * 1000);
    for (const operation of accept.operations ?? []) {
      if (operation.type === 'RESERVE' && agent !== undefined) {
        agent.reserved = [...agent.reserved, ...operation.reserve.resources];
      }
      if (operation.type !== 'LAUNCH') continue;
      for (const task of operation.launch.task_infos) {
        const taskId = task.task_id.value;
        if (agent === undefined || !agent.isUp) continue;
        agent.task = taskId;
        const runsAt = now + 500 + this.#dice.below(3_000);
        const stillThere = () => agent.isUp && agent.task === taskId;
        this.agenda.plan(runsAt - 300, () =>
          stillThere() ? this.executorStatus(agent, taskId, 'TASK_STARTING') : null,
        );
        this.agenda.plan(runsAt, () => (stillThere() ? this.executorStatus(agent, taskId, 'TASK_RUNNING') : null));
        this.agenda.plan(runsAt + 1_000, () => (stillThere() ? healthOf(taskId, true) : null));
      }
    }
  }

  #filter(id: OfferId, until: number): void {
    const agent = this.#offers.get(id);
    if (agent === undefined) return;
    this.#offers.delete(id);
    agent.offered -= 1;
    agent.filteredUntil = until;
    this.agenda.plan(until, (now) => {
      if (agent.isUp && agent.offered === 0 && agent.filteredUntil <= now && this.agents.has(agent.id)) {
        this.#open.add(agent);
      }
      return null;
    });
  }

  #kill({ kill }: CallOf<'KILL'>, now: number): void {
    const taskId = kill.task_id.value;
    const agent = kill.agent_id === undefined ? undefined : this.agents.get(kill.agent_id.value);
    if (agent === undefined || !agent.isUp || agent.task !== taskId) return;
    this.agenda.plan(now + 500, () => {
      if (agent.task !== taskId) return null;
      this.endTask(agent);
      return this.executorStatus(agent, taskId, 'TASK_KILLED');
    });
  }

  /** Each task is answered by an update of its own; the empty form asks for all of them. */
  #reconcile({ reconcile }: CallOf<'RECONCILE'>, now: number): void {
    const asked = reconcile.tasks.map((task) => ({ taskId: task.task_id.value, agentId: task.agent_id?.value }));
    const all = [...this.agents.values()].flatMap((agent) =>
      agent.task === null ? [] : [{ taskId: agent.task, agentId: agent.id }],
    );
    for (const { taskId, agentId } of asked.length === 0 ? all : asked) {
      const agent = agentId === undefined ? undefined : this.agents.get(agentId);
      if (agent === undefined) continue;
      this.agenda.plan(now + 50, () => this.#answerOf(agent, taskId));
    }
  }

  #answerOf(agent: ModelAgent, taskId: TaskId): DaemonsetEvent {
    const state = agent.task !== taskId ? 'TASK_GONE' : agent.isUp ? 'TASK_RUNNING' : 'TASK_UNREACHABLE';
    return this.status(agent, taskId, state, { reason: 'REASON_RECONCILIATION', source: 'SOURCE_MASTER' });
  }

  /** One question at a time, as the framework's shell asks. */
  #list(now: number): void {
    if (this.#asking !== null) {
      this.#asking.again = true;
      return;
    }
    const asking = { again: false };
    this.#asking = asking;
    this.agenda.plan(now + LIST_TAKES_MS, (then) => {
      if (this.#asking !== asking) return null;
      this.#asking = null;
      if (asking.again) this.#list(then);
      const up = [...this.agents.values()].filter((agent) => agent.isUp);
      const registered = up.map((agent) => agent.listed());
      for (const part of partsOfList({ type: 'agents', registered, recovered: [], askedAt: now })) {
        this.agenda.plan(then, () => part);
      }
      return null;
    });
  }

  #wake(at: number): void {
    this.#tick.cancelled = true;
    const tick = { cancelled: false };
    this.#tick = tick;
    this.agenda.plan(at, () => (tick.cancelled ? null : { type: 'tick' }));
  }

  #allocate(now: number): null {
    this.agenda.plan(now + ALLOCATION_INTERVAL_MS, (then) => this.#allocate(then));
    if (this.#open.size === 0) return null;
    const offers = [...this.#open].map((agent) => {
      this.#offerNumbers += 1;
      const offer = agent.offer(`2f9c5b0e-8a41-4d1c-9a70-1c6f6f0b7e11-O${this.#offerNumbers}`, this.#frameworkId);
      this.#offers.set(offer.id.value, agent);
      agent.offered += 1;
      return offer;
    });
    this.#open.clear();
    for (const event of eventsOf({ type: 'OFFERS', offers: { offers } })) this.agenda.plan(now, () => event);
    return null;
  }
}

export function healthOf(taskId: TaskId, healthy: boolean): DaemonsetEvent {
  const reason = healthy ? null : 'The proxy does not answer.';
  return { type: 'health', taskId, health: { healthy, reason, dead: false } };
}
