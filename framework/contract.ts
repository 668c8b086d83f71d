/**
 * The types between the framework and its user (the scheduler): what runs on an agent, how a node is, and what can be
 * asked. Kept apart from `index.ts`, so that the rooms of the framework can name them without a cycle.
 */
import type { MasterAccess } from './mesos-http-client/index.ts';
import type { AgentId, CommandInfo, DiscoveryInfo, HealthCheck, Labels, TaskId } from './mesos-http-client/messages.ts';
import type { StateStore } from './state/state-store.ts';

/** An agent as Mesos describes it. */
export interface AgentView {
  readonly agentId: AgentId;
  readonly hostname: string;
  /** From the offer's URL or the agent's pid; never from DNS. */
  readonly ip: string;
  /** True when the agent has resources reserved to `slave_public` (DC/OS' mark of a public agent). */
  readonly isPublic: boolean;
  /** Text attributes. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What the framework's user wants to run on an agent. */
export interface TaskTemplate {
  readonly name: string;
  readonly cpus: number;
  /** Megabytes. */
  readonly mem: number;
  readonly ports: readonly number[];
  readonly command: CommandInfo;
  readonly discovery?: DiscoveryInfo;
  readonly healthCheck?: HealthCheck;
  readonly labels?: Labels;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly killGraceSeconds: number;
}

/** `lost`: the agent is unreachable; its task may be alive. */
export type NodeState = 'pending' | 'launching' | 'healthy' | 'unhealthy' | 'draining' | 'lost';

export interface NodeStatus extends AgentView {
  readonly state: NodeState;
  /** One sentence where not healthy. */
  readonly reason: string | null;
  readonly taskId: TaskId | null;
  /** When `state` became what it is. Milliseconds since the epoch. */
  readonly since: number;
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
  /** E.g. `['nodemesh', 'slave_public']`. */
  readonly roles: readonly string[];
  readonly hostname: string;
  readonly webuiUrl: string;
  readonly logger: FrameworkLogger;
  /**
   * What to run on an agent; asked when an offer has come, so also before a launch that then does not fit. Must have no
   * side effects; what it throws is shown as the node's reason.
   */
  task(agent: AgentView, taskId: TaskId): TaskTemplate;
  /** A node appeared, changed or went: read `nodes()`. May be called often; never re-entrant with a call of yours. */
  changed(agentId: AgentId): void;
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
}

export interface Framework {
  /** Loads the state and begins to subscribe; resolves when the state is loaded, not when subscribed. @throws {StateStoreError} */
  start(): Promise<void>;
  /** Closes the stream; tasks live on (failover). */
  stop(): Promise<void>;
  nodes(): NodeStatus[];
  node(agentId: AgentId): NodeStatus | undefined;
  /** What the user knows of a task's health. Until told otherwise a running task is not healthy. */
  reportHealth(taskId: TaskId, health: { healthy: true } | { healthy: false; reason: string }): void;
  subscribed(): boolean;
  frameworkId(): string | null;
  counters(): FrameworkCounters;
}
