/** A framework without Mesos: tests say what its nodes are, and see what it was told. */
import type {
  AgentId,
  AgentView,
  Framework,
  FrameworkOptions,
  HealthReport,
  JudgedRollout,
  Judgement,
  NodeStatus,
  TaskId,
} from '../../../framework/index.ts';
import {
  type PlanCommand,
  type PlanOutcome,
  type PlanView,
  statusOfParts,
} from '../../../framework/rollout/plan-view.ts';

export type Told = { readonly taskId: string; readonly healthy: boolean; readonly reason: string | null };

export class FakeFramework implements Framework {
  readonly options: FrameworkOptions;
  readonly told: Told[] = [];
  /** What it was asked to do with its plans. */
  readonly commands: PlanCommand[] = [];
  readonly plans = new Map<string, PlanView>();
  /** What it shows to who judges its rollout, and what was said of it. */
  judged: JudgedRollout | null = null;
  readonly judgements: Judgement[] = [];
  onJudged: (rollout: JudgedRollout, judgement: Judgement) => void = () => undefined;
  /** What it says to the next commands. */
  outcome: PlanOutcome = { kind: 'done', message: 'done' };
  frozen = false;
  /** It cannot be frozen then. */
  uninstalling = false;
  /** Null: it has never been subscribed. */
  id: string | null = 'fake-0001';
  /** Tasks that were told to be dead. */
  readonly dead: string[] = [];
  readonly goals: { taskId: string; goal: string }[] = [];
  /** What is kept with tasks. */
  readonly credentials = new Map<string, string>();
  readonly failedUpgrades: { taskId: string; goal: string; reason: string }[] = [];
  readonly #nodes = new Map<string, NodeStatus>();
  #started = false;

  constructor(options: FrameworkOptions) {
    this.options = options;
  }

  /** Adds or changes a node, and says so. */
  set(agentId: string, rest: Partial<NodeStatus> = {}): void {
    const before = this.#nodes.get(agentId);
    this.#nodes.set(agentId, {
      agentId: agentId as AgentId,
      hostname: `${agentId}.example`,
      ip: '127.0.36.1',
      isPublic: false,
      attributes: {},
      port: null,
      region: null,
      zone: null,
      goal: null,
      state: 'unhealthy',
      reason: 'The proxy has not said yet that it is ready.',
      taskId: null,
      since: Date.UTC(2026, 0, 1),
      heldOut: null,
      ...before,
      ...rest,
    });
    if (this.#started) this.options.changed(agentId as AgentId);
  }

  remove(agentId: string): void {
    this.#nodes.delete(agentId);
    this.options.changed(agentId as AgentId);
  }

  async start(): Promise<void> {
    this.#started = true;
  }

  async stop(): Promise<void> {
    this.#started = false;
  }

  nodes(): NodeStatus[] {
    return [...this.#nodes.values()];
  }

  node(agentId: AgentId): NodeStatus | undefined {
    return this.#nodes.get(agentId);
  }

  reportHealth(taskId: TaskId, health: HealthReport): void {
    this.told.push({ taskId, healthy: health.healthy, reason: health.healthy ? null : health.reason });
    if (!health.healthy && health.dead === true) this.dead.push(taskId);
    for (const node of this.#nodes.values()) {
      const state = health.healthy ? 'healthy' : 'unhealthy';
      if (node.taskId === taskId && node.state !== state)
        this.set(node.agentId, { state, reason: health.healthy ? null : health.reason });
    }
  }

  reportGoal(taskId: TaskId, goal: string): void {
    this.goals.push({ taskId, goal });
  }

  reportUpgradeFailed(taskId: TaskId, goal: string, reason: string): void {
    this.failedUpgrades.push({ taskId, goal, reason });
  }

  credential(taskId: TaskId): string | null | undefined {
    for (const node of this.#nodes.values()) if (node.taskId === taskId) return this.credentials.get(taskId) ?? null;
    return undefined;
  }

  async keepCredential(taskId: TaskId, credential: string, replaces: string | null): Promise<PlanOutcome> {
    const before = this.credential(taskId);
    if (before === undefined) return { kind: 'not-found', message: 'no such task' };
    if (before !== replaces) return { kind: before === credential ? 'already' : 'invalid', message: 'another one' };
    this.credentials.set(taskId, credential);
    return { kind: 'done', message: 'kept' };
  }

  judgedRollout(): JudgedRollout | null {
    return this.judged;
  }

  judge(rollout: JudgedRollout, judgement: Judgement): void {
    this.judgements.push(judgement);
    this.onJudged(rollout, judgement);
  }

  planNames(): string[] {
    return [...this.plans.keys()];
  }

  plan(name: string): PlanView | undefined {
    return this.plans.get(name);
  }

  async command(command: PlanCommand): Promise<PlanOutcome> {
    this.commands.push(command);
    return this.outcome;
  }

  async holdOut(node: string, why: string | null): Promise<PlanOutcome> {
    const before = [...this.#nodes.values()].find(({ agentId, hostname }) =>
      [agentId, hostname].includes(node as AgentId),
    );
    if (before === undefined) return { kind: 'not-found', message: `there is no node ${node}` };
    if (this.uninstalling) return { kind: 'invalid', message: 'everything is being uninstalled' };
    if (before.heldOut === why) return { kind: 'already', message: 'so already' };
    this.set(before.agentId, { heldOut: why });
    return { kind: 'done', message: why === null ? 'in' : 'out' };
  }

  async freeze(frozen: boolean): Promise<PlanOutcome> {
    const word = frozen ? 'frozen' : 'thawed';
    if (this.uninstalling) return { kind: 'invalid', message: 'everything is being uninstalled' };
    if (this.frozen === frozen) return { kind: 'already', message: `${word} already` };
    this.frozen = frozen;
    return { kind: 'done', message: word };
  }

  subscribed(): boolean {
    return this.#started;
  }

  frameworkId(): string | null {
    return this.#started ? this.id : null;
  }

  counters() {
    return {
      launches: 3,
      offersReceived: 5,
      offersDeclined: 2,
      statusUpdates: 7,
      subscriptions: 1,
      reconciliations: 1,
      kills: 4,
      revives: 6,
      unreserved: 8,
    };
  }
}

/** An agent as Mesos describes it. */
export function fakeAgent(ip: string): AgentView {
  const agentId = 'S1' as AgentId;
  return { agentId, hostname: 'h', ip, isPublic: false, attributes: {}, port: null, region: null, zone: null };
}

/** A plan of one phase with a step for each status. */
export function fakePlan(name: string, ...statuses: PlanView['status'][]): PlanView {
  const status = statusOfParts(statuses);
  const steps = statuses.map((each, index) => ({
    id: `S${index + 1}`,
    name: `node${index + 1}.example`,
    status: each,
    message: each === 'ERROR' ? 'not healthy within 300 s' : '',
  }));
  const phase = { id: `${name}-1`, name: 'nodes', strategy: 'serial', status, steps };
  return { name, status, strategy: 'serial', errors: [], phases: [phase] };
}

export const taskId = (text: string): TaskId => text as TaskId;
