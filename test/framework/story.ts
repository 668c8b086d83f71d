/**
 * Stories for the daemonset's core: `send` says what happens, `expects` what the core must want done about it. Time is
 * virtual; `after` lets it pass, with the ticks that the core asked for. What is persisted is kept, so that a story can go
 * on with a new scheduler.
 */
import { expect } from 'vitest';
import type { NodeStatus, TaskTemplate } from '../../framework/contract.ts';
import type { Action, DaemonsetEvent } from '../../framework/daemonset/events.ts';
import { statusOf } from '../../framework/daemonset/node-status.ts';
import { type DaemonsetState, initialState, type Settings } from '../../framework/daemonset/state.ts';
import { step } from '../../framework/daemonset.ts';
import {
  agentId,
  type CallBody,
  frameworkId,
  type Offer,
  offerSchema,
  type Resource,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
  taskId,
} from '../../framework/mesos-http-client/messages.ts';
import type { Goal } from '../../framework/rollout/goal.ts';
import type { AgentRecord, FrameworkRecord, RolloutRecord } from '../../framework/state/records.ts';

export const template: TaskTemplate = {
  name: 'proxy',
  cpus: 0.1,
  mem: 64,
  disk: 0,
  ports: [4140, 4141],
  command: { value: 'exec proxy' },
  killGraceSeconds: 5,
};

export interface OfferSketch {
  cpus?: number;
  mem?: number;
  ports?: [number, number][];
  role?: string;
  /** STATIC, to this role. */
  reservedTo?: string;
  unavailableFrom?: number;
  attributes?: Record<string, string>;
}

export const GOAL: Goal = { id: 'v1', relaunchKey: 'k1' };

export const SETTINGS: Settings = {
  principal: 'nodemesh',
  constraints: [],
  reserve: true,
  rollout: { strategy: { kind: 'serial' }, maxUnavailable: 1, gateMs: 10_000, stepTimeoutMs: 300_000 },
};

type CallOf<T extends CallBody['type']> = Extract<CallBody, { type: T }>;

export class Story {
  now = 1_000_000;
  state: DaemonsetState;
  readonly disk = new Map<string, AgentRecord>();
  diskFramework: FrameworkRecord | null = null;
  diskRollout: RolloutRecord | null = null;
  settings: Settings;
  goal: Goal;
  /** Actions of all steps since they were last looked at. */
  #seen: Action[] = [];
  #wakeAt = Number.POSITIVE_INFINITY;
  #offers = 0;
  #tasks = 0;
  template: (agent: string) => TaskTemplate = () => template;

  constructor(records: AgentRecord[] = [], settings: Partial<Settings> = {}) {
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
      this.event({ type: 'tick' });
    }
    this.now = end;
  }

  event(event: DaemonsetEvent): Action[] {
    const actions = step(this.state, event, this.now, {
      settings: this.settings,
      newTaskId: (agent) => taskId(`${agent.agentId}-task-${++this.#tasks}`),
      template: (agent) => this.template(agent.agentId),
    });
    for (const action of actions) {
      if (action.type === 'persist') this.disk.set(action.record.agentId, structuredClone(action.record));
      else if (action.type === 'forget') this.disk.delete(action.agentId);
      else if (action.type === 'persist-framework') this.diskFramework = action.record;
      else if (action.type === 'persist-rollout') this.diskRollout = action.record;
      else if (action.type === 'wake') this.#wakeAt = action.at;
    }
    this.#seen.push(...actions);
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
    agents: (...names: string[]) =>
      this.event({
        type: 'agents',
        registered: names.map((name) => listed(name)),
        recovered: [],
        askedAt: this.now + 1,
      }),
    agentAdded: (name: string, deactivated = false) =>
      this.event({ type: 'agent-added', agent: listed(name, deactivated) }),
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
    const role = sketch.role ?? 'nodemesh';
    const shape = {
      reservations: sketch.reservedTo === undefined ? [] : [{ type: 'STATIC' as const, role: sketch.reservedTo }],
      allocation_info: { role },
    };
    const ports = sketch.ports ?? [[4000, 5000]];
    const resources: Resource[] = [
      { name: 'cpus', type: 'SCALAR', scalar: { value: sketch.cpus ?? 4 }, ...shape },
      { name: 'mem', type: 'SCALAR', scalar: { value: sketch.mem ?? 4096 }, ...shape },
      { name: 'ports', type: 'RANGES', ranges: { range: ports.map(([begin, end]) => ({ begin, end })) }, ...shape },
    ];
    return offerSchema.parse({
      id: { value: `o-${++this.#offers}` },
      framework_id: { value: 'f-1' },
      agent_id: { value: agent },
      hostname: `${agent}.example`,
      url: { scheme: 'http', address: { hostname: agent, ip: '10.0.0.1', port: 5051 } },
      resources,
      attributes: Object.entries(sketch.attributes ?? {}).map(([name, value]) => ({
        name,
        type: 'TEXT',
        text: { value },
      })),
      allocation_info: { role },
      ...(sketch.unavailableFrom === undefined
        ? {}
        : { unavailability: { start: { nanoseconds: sketch.unavailableFrom * 1e6 } } }),
    });
  }
}

export function launchesOf(call: CallOf<'ACCEPT'>): TaskInfo[] {
  return (call.accept.operations ?? []).flatMap((operation) =>
    operation.type === 'LAUNCH' ? operation.launch.task_infos : [],
  );
}

function listed(name: string, deactivated = false) {
  const view = {
    agentId: agentId(name),
    hostname: `${name}.example`,
    ip: '10.0.0.1',
    port: 5051,
    isPublic: false,
    attributes: {},
    region: null,
    zone: null,
  };
  return { view, deactivated, ports: [{ begin: 1, end: 65_535 }], holdsOurs: null };
}
