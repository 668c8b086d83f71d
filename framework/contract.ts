/**
 * The types between the framework and its user (the scheduler): what runs on an agent, how a node is, and what can be
 * asked. Kept apart from `index.ts`, so that the rooms of the framework can name them without a cycle.
 */
import type { AgentView } from './agent.ts';
import type { MasterAccess } from './mesos-http-client/index.ts';
import type {
  AgentId,
  CommandInfo,
  ContainerInfo,
  DiscoveryInfo,
  HealthCheck,
  Labels,
  TaskId,
} from './mesos-http-client/messages.ts';
import type { Constraint } from './offers/constraints.ts';
import type { Goal, RolloutSettings } from './rollout/goal.ts';
import type { JudgedRollout, Judgement } from './rollout/judgement.ts';
import type { PlanCommand, PlanOutcome, PlanView } from './rollout/plan-view.ts';
import type { StateStore } from './state/state-store.ts';

/** What the framework's user wants to run on an agent. */
export interface TaskTemplate {
  readonly name: string;
  readonly cpus: number;
  /** Megabytes. */
  readonly mem: number;
  /** Megabytes; 0 asks for none. */
  readonly disk: number;
  readonly ports: readonly number[];
  /** How far the task may go beyond what it asks for; only masters of Mesos 1.10 and later know it. */
  readonly limits?: { readonly cpus?: number | 'unlimited'; readonly mem?: number | 'unlimited' };
  readonly command: CommandInfo;
  /** An image to run it in, as ContainerInfo; absent for plain processes of the agent. */
  readonly container?: ContainerInfo;
  readonly discovery?: DiscoveryInfo;
  readonly healthCheck?: HealthCheck;
  readonly labels?: Labels;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly killGraceSeconds: number;
  /** By what its user is to know the task: kept with it from the launch on, see {@link Framework.credential}. */
  readonly credential?: string;
}

/** `lost`: the agent is unreachable; its task may be alive. `excluded`: the placement leaves the agent out. */
export type NodeState = 'pending' | 'launching' | 'healthy' | 'unhealthy' | 'draining' | 'lost' | 'excluded';

export interface NodeStatus extends AgentView {
  readonly state: NodeState;
  /** One sentence where not healthy. */
  readonly reason: string | null;
  readonly taskId: TaskId | null;
  /** When `state` became what it is. Milliseconds since the epoch. */
  readonly since: number;
  /** What its task is (or is being made into); null without a task. */
  readonly goal: string | null;
  /** Why an operator wants no task here; null where he has not said so. */
  readonly heldOut: string | null;
}

export interface FrameworkLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** `masters`, `authorization`, `tls`: how the cluster is reached, for the scheduler API as well as for the operator API. */
export interface FrameworkOptions extends MasterAccess {
  readonly store: StateStore;
  readonly name: string;
  readonly user: string;
  /** The role that resources are taken and reserved in. */
  readonly role: string;
  /** The role that an operator reserved public agents to (DC/OS: `slave_public`); null to leave such agents alone. */
  readonly publicRole: string | null;
  readonly principal: string | null;
  /** Which agents get a task: those that match all of them. */
  readonly constraints: readonly Constraint[];
  /** Hold an agent's resources for its task, so that it gets its place back when it dies. */
  readonly reserve: boolean;
  /** What tasks are to be from now on. Another one than last time begins a rollout. */
  readonly goal: Goal;
  /** Whether a task of this goal can be launched now: what it needs may not be at hand any more. */
  available(goal: Goal): boolean;
  readonly rollout: RolloutSettings;
  /** Take everything away: tasks, reservations, the framework itself and its state. */
  readonly uninstall: boolean;
  readonly hostname: string;
  readonly webuiUrl: string;
  readonly logger: FrameworkLogger;
  /**
   * Mesos refuses this for want of a permission, and why; null: it allows it (again). `call` is one of Mesos, or `LAUNCH` for
   * a task that may not run as its user.
   */
  permission?(call: string, refusal: string | null): void;
  /**
   * What to run on an agent; asked when an offer has come, so also before a launch that then does not fit. Must have no
   * side effects; what it throws is shown as the node's reason.
   */
  task(agent: AgentView, taskId: TaskId, goal: Goal): TaskTemplate;
  /**
   * Make the running task into `goal` without a new task; its end is told by `reportGoal` or `reportUpgradeFailed`. May be
   * asked again.
   */
  upgrade(agentId: AgentId, taskId: TaskId, goal: Goal): void;
  /** A node appeared, changed or went: read `nodes()`. May be called often; never re-entrant with a call of yours. */
  changed(agentId: AgentId): void;
  /** Everything is uninstalled: what is left in the store may go too. */
  uninstalled(): void;
  /**
   * The framework cannot go on: "Framework has been removed", "failed over", a version conflict in the store. One
   * sentence that says what to do; the process should end.
   */
  fatal(error: Error): void;
}

export interface FrameworkCounters {
  readonly launches: number;
  readonly offersReceived: number;
  readonly offersDeclined: number;
  readonly statusUpdates: number;
  readonly subscriptions: number;
  readonly reconciliations: number;
  readonly kills: number;
  readonly revives: number;
  readonly unreserved: number;
}

export interface Framework {
  /** Loads the state and begins to subscribe; resolves when the state is loaded, not when subscribed. @throws {StateStoreError} */
  start(): Promise<void>;
  /** Closes the stream; tasks live on (failover). */
  stop(): Promise<void>;
  nodes(): NodeStatus[];
  node(agentId: AgentId): NodeStatus | undefined;
  /** What the user knows of a task's health. Until told otherwise a running task is not healthy. */
  reportHealth(taskId: TaskId, health: HealthReport): void;
  /** The task says that it runs `goal` (its id). */
  reportGoal(taskId: TaskId, goal: string): void;
  reportUpgradeFailed(taskId: TaskId, goal: string, reason: string): void;
  /**
   * What is kept with an agent's task for the user, who alone knows what it means. Whoever leads next has it too. Undefined
   * where no agent has this task; null for a task that was launched without, or found.
   */
  credential(taskId: TaskId): string | null | undefined;
  /**
   * Puts another one in the place of `replaces`, once: durable when this says `done`. `already` where it is there,
   * `not-found` where no agent has the task, `invalid` where yet another one is there, or nothing can be kept now.
   */
  keepCredential(taskId: TaskId, credential: string, replaces: string | null): Promise<PlanOutcome>;
  /** `deploy`, `recovery`, and `update` once there was a rollout. */
  planNames(): string[];
  plan(name: string): PlanView | undefined;
  command(command: PlanCommand): Promise<PlanOutcome>;
  /** The rollout of the strategy `gate` that is under way. */
  judgedRollout(): JudgedRollout | null;
  /** What its user says of a phase of it, who alone knows what tasks are for. Without it nothing of it goes on. */
  judge(rollout: JudgedRollout, judgement: Judgement): void;
  /**
   * No task on this node (its agent id, hostname or address) until it is taken in again, which is `why: null`. Kept for
   * whoever leads next; an agent that comes back under another id is another node.
   */
  holdOut(node: string, why: string | null): Promise<PlanOutcome>;
  /** While frozen nothing changes by itself but repair: no rollout goes on, nothing is evicted. */
  freeze(frozen: boolean): Promise<PlanOutcome>;
  readonly frozen: boolean;
  subscribed(): boolean;
  frameworkId(): string | null;
  counters(): FrameworkCounters;
}

/** `dead`: nothing of the task answers any more, by any way that its user knows; only then is it killed for its health. */
export type HealthReport =
  | { readonly healthy: true }
  | { readonly healthy: false; readonly reason: string; readonly dead?: boolean };
