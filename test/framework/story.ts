/**
 * Stories for the daemonset's core: `send` says what happens, `expects` what the core must want done about it. Time is
 * virtual; `after` lets it pass, with the ticks that the core asked for. What is persisted is kept, so that a story can go
 * on with a new scheduler.
 */
import { expect } from 'vitest';
import type { NodeStatus, TaskTemplate } from '../../framework/contract.ts';
import type { Action, DaemonsetEvent, ListedAgent, Order } from '../../framework/daemonset/events.ts';
import { statusOf } from '../../framework/daemonset/node-status.ts';
import { initialState } from '../../framework/daemonset/restore.ts';
import type { DaemonsetState, Settings } from '../../framework/daemonset/state.ts';
import { step } from '../../framework/daemonset.ts';
import {
  agentId,
  type CallBody,
  frameworkId,
  type Offer,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
  taskId,
} from '../../framework/mesos-http-client/messages.ts';
import type { Goal, Strategy } from '../../framework/rollout/goal.ts';
import { judgedRollout } from '../../framework/rollout/judged.ts';
import type { Judgement } from '../../framework/rollout/judgement.ts';
import type { PlanOutcome, PlanStatus, PlanVerb, PlanView } from '../../framework/rollout/plan-view.ts';
import { planOf } from '../../framework/rollout/plans.ts';
import type { AgentRecord, FrameworkRecord, RolloutRecord } from '../../framework/state/records.ts';
import { listed, type OfferSketch, offerOf } from './sketches.ts';

export const template: TaskTemplate = {
  name: 'proxy',
  cpus: 0.1,
  mem: 64,
  disk: 0,
  ports: [4140, 4141],
  command: { value: 'exec proxy' },
  killGraceSeconds: 5,
};

export const GOAL: Goal = { id: 'v1', relaunchKey: 'k1' };

export const SETTINGS: Settings = {
  roles: ['nodemesh', 'slave_public/nodemesh'],
  principal: 'nodemesh',
  constraints: [],
  reserve: true,
  rollout: { strategy: { kind: 'serial' }, maxUnavailable: 1, gateMs: 10_000, stepTimeoutMs: 300_000 },
};

type CallOf<T extends CallBody['type']> = Extract<CallBody, { type: T }>;

/** The core sleeps between events. */
const MOST_TICKS = 1_000_000;

export class Story {
  now: number;
  state: DaemonsetState;
  readonly disk = new Map<string, AgentRecord>();
  diskFramework: FrameworkRecord | null = null;
  diskRollout: RolloutRecord | null = null;
  settings: Settings;
  goal: Goal;
  /** Actions of all steps since they were last looked at. */
  #seen: Action[] = [];
  #wakeAt = Number.POSITIVE_INFINITY;
  /** How often the core woke up. */
  ticks = 0;
  #offers = 0;
  #tasks = 0;
  /** Goals whose archive is not at hand. */
  readonly missing = new Set<string>();
  template: (agent: string, goal: Goal) => TaskTemplate = () => template;
  /** Told of every action, in order, after its step. */
  onAction: (action: Action) => void = () => {};

  constructor(records: AgentRecord[] = [], settings: Partial<Settings> = {}, now = 1_000_000) {
    this.now = now;
    this.settings = { ...SETTINGS, ...settings };
    this.goal = GOAL;
    for (const record of records) this.disk.set(record.agentId, record);
    this.state = this.#begun();
  }

  /** The scheduler is killed; another one starts with the same store. */
  restart(change: { goal?: Goal; settings?: Partial<Settings>; uninstall?: boolean } = {}): void {
    this.#seen = [];
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.goal = change.goal ?? this.goal;
    this.settings = { ...this.settings, ...change.settings };
    this.state = this.#begun(change.uninstall);
  }

  #begun(uninstall = false): DaemonsetState {
    const agents = [...this.disk.values()];
    this.state = initialState({ framework: this.diskFramework, rollout: this.diskRollout, agents }, this.now);
    this.event({ type: 'begin', goal: this.goal, uninstall });
    return this.state;
  }

  /** Lets time pass, tick by tick as the core asked for. */
  after(ms: number): void {
    const end = this.now + ms;
    while (this.#wakeAt <= end) {
      this.now = Math.max(this.now, this.#wakeAt);
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.ticks += 1;
      if (this.ticks > MOST_TICKS) throw new Error('the core is awake all the time');
      this.event({ type: 'tick' });
    }
    this.now = end;
  }

  event(event: DaemonsetEvent): Action[] {
    const actions = step(this.state, event, this.now, {
      settings: this.settings,
      newTaskId: (agent) => taskId(`${agent.agentId}-task-${++this.#tasks}`),
      template: (agent, _id, goal) => this.template(agent.agentId, goal),
      available: (goal) => !this.missing.has(goal.id),
    });
    for (const action of actions) {
      if (action.type === 'persist') this.disk.set(action.record.agentId, structuredClone(action.record));
      else if (action.type === 'forget') this.disk.delete(action.agentId);
      else if (action.type === 'persist-framework') this.diskFramework = action.record;
      else if (action.type === 'persist-rollout') this.diskRollout = action.record;
      else if (action.type === 'wake') this.#wakeAt = action.at;
    }
    this.#seen.push(...actions);
    for (const action of actions) this.onAction(action);
    return actions;
  }

  readonly send = {
    subscribed: () => this.event({ type: 'subscribed', frameworkId: frameworkId('f-1') }),
    disconnected: () => this.event({ type: 'disconnected' }),
    /** One OFFERS event with one offer for each sketch. */
    offer: (agent: string, ...sketches: OfferSketch[]): Offer[] => {
      const offers = (sketches.length === 0 ? [{}] : sketches).map((sketch) => this.offer(agent, sketch));
      this.event({ type: 'offers', offers });
      return offers;
    },
    update: (task: string, state: TaskState, more: Partial<TaskStatus> & { agent?: string } = {}) => {
      const { agent, ...rest } = more;
      const on = agent ?? task.replace(/-task-\d+$/, '');
      const status: TaskStatus = { task_id: { value: taskId(task) }, state, agent_id: { value: agentId(on) }, ...rest };
      return this.event({ type: 'update', status });
    },
    /** The master's answer to RECONCILE. */
    reconciled: (task: string, state: TaskState, agent?: string) =>
      this.send.update(task, state, {
        reason: 'REASON_RECONCILIATION',
        source: 'SOURCE_MASTER',
        ...(agent === undefined ? {} : { agent }),
      }),
    healthy: (task: string) =>
      this.event({ type: 'health', taskId: taskId(task), health: { healthy: true, reason: null, dead: false } }),
    unhealthy: (task: string, reason: string) =>
      this.event({ type: 'health', taskId: taskId(task), health: { healthy: false, reason, dead: false } }),
    /** Nothing of the task answers. */
    dead: (task: string) =>
      this.event({ type: 'health', taskId: taskId(task), health: { healthy: false, reason: 'silent', dead: true } }),
    /** The task says that it runs this goal. */
    runs: (task: string, goal: string) => this.event({ type: 'runs', taskId: taskId(task), goal }),
    agents: (...names: string[]) => this.send.agentList(names.map((name) => listed(name))),
    agentList: (registered: ListedAgent[], recovered: string[] = []) =>
      this.event({ type: 'agents', registered, recovered: recovered.map(agentId), askedAt: this.now + 1 }),
    agentAdded: (name: string, deactivated = false) =>
      this.event({ type: 'agent-added', agent: listed(name, { deactivated }) }),
    order: (order: Order): PlanOutcome => {
      const answer = this.event({ type: 'order', id: 1, order }).find((action) => action.type === 'answer');
      if (answer === undefined) throw new Error('no answer');
      return answer.outcome;
    },
    command: (plan: string, verb: PlanVerb, where: { phase?: string; step?: string } = {}) =>
      this.send.order({ kind: 'plan', command: { plan, verb, ...where } }).kind,
    /** The scheduler is started with another goal; what it knew of Mesos it knows still. */
    rollOut: (goal: Goal, strategy: Strategy): void => {
      this.goal = goal;
      this.settings = { ...this.settings, rollout: { ...this.settings.rollout, strategy } };
      this.event({ type: 'begin', goal, uninstall: false });
    },
    /** Who judges says this of the phase that is under way. */
    judged: (judgement: Judgement): void => {
      const rollout = judgedRollout(this.state);
      if (rollout === null) throw new Error('there is nothing to judge');
      this.event({ type: 'judged', rollout: rollout.id, phase: rollout.phase, judgement });
    },
    holdOut: (node: string, why: string | null) => this.send.order({ kind: 'hold-out', node, why }).kind,
    freeze: (frozen: boolean) => this.send.order({ kind: 'freeze', frozen }).kind,
    agentRemoved: (name: string) => this.event({ type: 'agent-removed', agentId: agentId(name) }),
  };

  readonly expects = {
    /** Exactly these launches since the last look at launches; returns their task ids. */
    launched: (...agents: string[]): string[] => {
      const tasks = this.takeCalls('ACCEPT').flatMap((call) => launchesOf(call));
      expect(tasks.map((task) => task.agent_id.value)).toEqual(agents);
      return tasks.map((task) => task.task_id.value);
    },
    nothingLaunched: () => {
      this.expects.launched();
    },
    /** Refuse seconds of each declined offer, in order. */
    declined: (...refuseSeconds: number[]) => {
      const calls = this.takeCalls('DECLINE');
      expect(calls.flatMap((call) => call.decline.offer_ids.map(() => call.decline.filters?.refuse_seconds))).toEqual(
        refuseSeconds,
      );
    },
    revived: (times = 1) => expect(this.takeCalls('REVIVE')).toHaveLength(times),
    killed: (...tasks: string[]) =>
      expect(this.takeCalls('KILL').map((call) => call.kill.task_id.value)).toEqual(tasks),
    acknowledged: (...uuids: string[]) =>
      expect(this.takeCalls('ACKNOWLEDGE').map((call) => call.acknowledge.uuid)).toEqual(uuids),
    /** The tasks of each RECONCILE call; an empty list is the implicit one. */
    reconciled: (...calls: string[][]) =>
      expect(this.takeCalls('RECONCILE').map((call) => call.reconcile.tasks.map((task) => task.task_id.value))).toEqual(
        calls,
      ),
    node: (agent: string, state: NodeStatus['state'], reason?: RegExp) => {
      const node = this.node(agent);
      expect(node?.state).toBe(state);
      if (reason !== undefined) expect(node?.reason).toMatch(reason);
    },
    noNode: (agent: string) => {
      expect(this.node(agent)).toBeUndefined();
      expect(this.disk.has(agent)).toBe(false);
    },
  };

  /** A running, healthy task on an agent that was not known before. */
  served(agent: string): string {
    this.send.offer(agent);
    const [task] = this.expects.launched(agent);
    if (task === undefined) throw new Error('not launched');
    this.send.update(task, 'TASK_RUNNING');
    this.send.healthy(task);
    this.expects.node(agent, 'healthy');
    return task;
  }

  node(agent: string): NodeStatus | undefined {
    const node = this.state.nodes.get(agentId(agent));
    return node === undefined ? undefined : statusOf(node, this.now);
  }

  plan(name: string): PlanView {
    const plan = planOf(this.state, name, this.now);
    if (plan === undefined) throw new Error(`no plan ${name}`);
    return plan;
  }

  /** Status of each step, by the name of its agent. */
  steps(plan: string): Record<string, PlanStatus> {
    const steps = this.plan(plan).phases.flatMap((phase) => phase.steps);
    return Object.fromEntries(steps.map((step) => [step.id, step.status]));
  }

  /** Upgrades asked for since they were last taken: the agents. */
  takeUpgrades(): string[] {
    const asked = this.#seen.filter((action) => action.type === 'upgrade');
    this.#seen = this.#seen.filter((action) => action.type !== 'upgrade');
    return asked.map((action) => action.agentId);
  }

  /** Calls of one type since they were last taken. */
  takeCalls<T extends CallBody['type']>(type: T): CallOf<T>[] {
    const taken: CallOf<T>[] = [];
    this.#seen = this.#seen.filter((action) => {
      if (action.type !== 'call' || action.body.type !== type) return true;
      taken.push(action.body as CallOf<T>);
      return false;
    });
    return taken;
  }

  forgetCalls(): void {
    this.#seen = [];
  }

  offer(agent: string, sketch: OfferSketch): Offer {
    this.#offers += 1;
    return offerOf(`o-${this.#offers}`, agent, sketch);
  }
}

export function launchesOf(call: CallOf<'ACCEPT'>): TaskInfo[] {
  return (call.accept.operations ?? []).flatMap((operation) =>
    operation.type === 'LAUNCH' ? operation.launch.task_infos : [],
  );
}
