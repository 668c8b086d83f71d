/**
 * The public face of the framework: one task on every agent of a Mesos cluster, kept there. It knows Mesos, ZooKeeper and
 * the state store; what the task is, and whether it is healthy, it is told by its user (the scheduler).
 */
export type { AgentView } from './agent.ts';
export type {
  Framework,
  FrameworkCounters,
  FrameworkLogger,
  FrameworkOptions,
  HealthReport,
  NodeState,
  NodeStatus,
  TaskTemplate,
} from './contract.ts';
export type { MasterSource } from './mesos-http-client/index.ts';
export { fixedMaster } from './mesos-http-client/index.ts';
export type {
  AgentId,
  CommandInfo,
  DiscoveryInfo,
  HealthCheck,
  Labels,
  Resource,
  TaskId,
} from './mesos-http-client/messages.ts';
export { taskId } from './mesos-http-client/messages.ts';
export { type Constraint, parseConstraint } from './offers/constraints.ts';
export { type Goal, type RolloutSettings, type Strategy, strategySchema } from './rollout/goal.ts';
export type { JudgedRollout, Judgement } from './rollout/judgement.ts';
export {
  type PhaseView,
  PLAN_VERBS,
  type PlanCommand,
  type PlanOutcome,
  type PlanStatus,
  type PlanVerb,
  type PlanView,
  type StepView,
} from './rollout/plan-view.ts';
export { createFramework } from './shell.ts';
export { openFileStore } from './state/file-store.ts';
export type { StateStore, Versioned } from './state/state-store.ts';
export { StateStoreError, VersionConflict } from './state/state-store.ts';
export { openZooKeeperStore } from './state/zookeeper-store.ts';
export type { ConnectString } from './zookeeper/connect-string.ts';
export { parseConnectString, shownConnectString } from './zookeeper/connect-string.ts';
export type { Election, ElectionOptions } from './zookeeper/election.ts';
export { elect } from './zookeeper/election.ts';
export { ZooKeeperError } from './zookeeper/errors.ts';
export type { Lease } from './zookeeper/lease.ts';
export type { MastersOptions } from './zookeeper/master-registry.ts';
export { zooKeeperMasters } from './zookeeper/master-registry.ts';
export type { ZooKeeperOptions } from './zookeeper/open-zookeeper.ts';
export { openZooKeeper } from './zookeeper/open-zookeeper.ts';
export { removePath, serviceRoot } from './zookeeper/paths.ts';
export type { Session } from './zookeeper/session.ts';
