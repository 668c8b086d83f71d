/**
 * What the miniature master and the miniature agents say to each other. In Mesos these are libprocess messages; here
 * they are method calls within one process, asynchronous in spirit: neither side may rely on an answer, and a cut link
 * loses them.
 */
import type {
  AgentId,
  AgentInfo,
  Attribute,
  FrameworkId,
  FrameworkInfo,
  Resource,
  TaskId,
  TaskInfo,
  TaskStatus,
} from '../framework/mesos-http-client/messages.ts';

/** An agent as it introduces itself. */
export interface AgentDescription {
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
  /** All that it has, in post-refinement shape: `reservations: []` is unreserved, a STATIC `slave_public` marks a public agent. */
  readonly resources: readonly Resource[];
  readonly attributes: readonly Attribute[];
  /** Region and zone, where the machines know theirs (`--domain`). */
  readonly domain?: AgentInfo['domain'];
}

/** A task that an agent holds, as it tells a master at re-registration. */
export interface HeldTask {
  readonly frameworkId: FrameworkId;
  readonly frameworkInfo: FrameworkInfo;
  readonly task: TaskInfo;
  /** The latest status, acknowledged or not. */
  readonly status: TaskStatus;
}

/** How an agent is to get rid of its tasks. */
export interface DrainOrder {
  /** A task's own grace period can only be shorter; null leaves it as it is. */
  readonly maxGraceSeconds: number | null;
  /** The agent will be marked gone when it is drained. */
  readonly markGone: boolean;
}

/** What a master may ask of an agent. Called only while the link is up. */
export interface AgentEndpoint {
  readonly description: AgentDescription;
  /** Reserved dynamically, and volumes: as a master last said (`checkpoint`). Kept over restarts of either side. */
  readonly checkpointed: readonly Resource[];
  /** Begin a task: fetch, start, report. */
  runTask(frameworkId: FrameworkId, frameworkInfo: FrameworkInfo, task: TaskInfo): void;
  killTask(frameworkId: FrameworkId, taskId: TaskId, graceSeconds?: number): void;
  /** The framework has acknowledged this update: send the next one of that task, if any. */
  acknowledge(frameworkId: FrameworkId, taskId: TaskId, uuid: string): void;
  /** Its scheduler has subscribed again, perhaps another one: what it has not acknowledged goes out at once. */
  updateFramework(frameworkId: FrameworkId): void;
  /** Kill all tasks of a framework (TEARDOWN, failover timeout). */
  shutdownFramework(frameworkId: FrameworkId): void;
  /** All that is reserved dynamically on the agent now, and its volumes. */
  checkpoint(resources: readonly Resource[]): void;
  /** DRAIN_AGENT: kill all tasks, as REASON_AGENT_DRAINING. */
  drain(order: DrainOrder): void;
  /** Exit with all tasks, not a word about them: its machine is under maintenance. It may register again later. */
  shutDown(): void;
  /** Answer of the master to `register`: the agent's id, new or confirmed. */
  registered(agentId: AgentId): void;
  /** The operator marked the agent gone: kill everything, at once, and never register again. */
  gone(): void;
}

/** What an agent tells the leading master. */
export interface MasterEndpoint {
  /**
   * Register, or register again after a cut, a reboot or a master's failover (`agentId` as it was; tasks that it still
   * holds). Answered by `agent.registered`, also at once.
   */
  register(agent: AgentEndpoint, agentId: AgentId | null, tasks: readonly HeldTask[]): void;
  /** Sent again by the agent after 10 s, 20 s, … until it is acknowledged; only the oldest of each task. */
  statusUpdate(agentId: AgentId, frameworkId: FrameworkId, status: TaskStatus): void;
  /** The link broke (cut, reboot): the master waits for the ping timeout before it calls the agent unreachable. */
  disconnected(agentId: AgentId): void;
}
