/** One instance of an app: Marathon's record of a Mesos task. */
import type { AgentId, TaskId, TaskState } from '../../framework/mesos-http-client/messages.ts';
import { type AppSpec, isMesosCheck } from './app-spec.ts';

/** Marathon's word for what a task is doing. Terminal conditions exist only in events: such instances are removed. */
export type Condition =
  | 'Provisioned'
  | 'Staging'
  | 'Starting'
  | 'Running'
  | 'Killing'
  | 'Unreachable'
  | 'Finished'
  | 'Failed'
  | 'Killed'
  | 'Error'
  | 'Dropped'
  | 'Gone'
  | 'Unknown';

/** The results of one health check of one instance. Times in milliseconds since the epoch. */
export interface HealthResult {
  alive: boolean;
  consecutiveFailures: number;
  firstSuccess: number | null;
  lastSuccess: number | null;
  lastFailure: number | null;
  lastFailureCause: string | null;
}

export interface Instance {
  readonly taskId: TaskId;
  readonly instanceId: string;
  readonly appId: string;
  /** The definition that it was launched from. */
  readonly spec: AppSpec;
  /** The app's version at its launch. */
  readonly version: string;
  readonly agentId: AgentId;
  readonly host: string;
  readonly ports: readonly number[];
  readonly servicePorts: readonly number[];
  readonly role: string;
  readonly region: string | null;
  readonly zone: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly stagedAt: number;
  ipAddresses: { ipAddress: string; protocol: string }[];
  startedAt: number | null;
  condition: Condition;
  unreachableSince: number | null;
  /** When the last KILL was sent, or null: nobody wants it dead. */
  killSentAt: number | null;
  /** One for each check of the spec; null until its first result. */
  health: (HealthResult | null)[];
  /** When Mesos last said anything of it. */
  heardAt: number;
}

const CONDITIONS: Readonly<Record<TaskState, Condition>> = {
  TASK_STAGING: 'Staging',
  TASK_STARTING: 'Starting',
  TASK_RUNNING: 'Running',
  TASK_KILLING: 'Killing',
  TASK_FINISHED: 'Finished',
  TASK_FAILED: 'Failed',
  TASK_KILLED: 'Killed',
  TASK_ERROR: 'Error',
  // A partition-aware framework hears LOST only when the agent was removed for good.
  TASK_LOST: 'Gone',
  TASK_DROPPED: 'Dropped',
  TASK_UNREACHABLE: 'Unreachable',
  TASK_GONE: 'Gone',
  TASK_GONE_BY_OPERATOR: 'Gone',
  TASK_UNKNOWN: 'Unknown',
};

const LIVE: readonly Condition[] = ['Provisioned', 'Staging', 'Starting', 'Running', 'Killing', 'Unreachable'];

export function conditionOf(state: TaskState): Condition {
  return CONDITIONS[state];
}

export function isTerminal(condition: Condition): boolean {
  return !LIVE.includes(condition);
}

/** The state that the API prints: `Provisioned`, which Mesos does not know, is STAGING. */
export function taskStateOf(condition: Condition): string {
  return condition === 'Provisioned' ? 'TASK_STAGING' : `TASK_${condition.toUpperCase()}`;
}

/** Null while a check has no result yet; without checks there is nothing to know. */
export function healthOf(instance: Pick<Instance, 'health'>): boolean | null {
  if (instance.health.length === 0) return null;
  if (instance.health.some((result) => result?.alive === false)) return false;
  return instance.health.every((result) => result?.alive === true) ? true : null;
}

/** Running, and healthy if anybody asks: it counts towards the health capacity of a deployment. */
export function isReady(instance: Instance): boolean {
  if (instance.condition !== 'Running' || instance.killSentAt !== null) return false;
  return instance.health.length === 0 || healthOf(instance) === true;
}

/** The place in `health` of the one check that the agent runs, or -1. */
export function mesosCheckIndex(spec: AppSpec): number {
  return spec.healthChecks.findIndex(isMesosCheck);
}

/** The next result of a check, from the one before and what was seen now. */
export function nextHealth(
  before: HealthResult | null,
  alive: boolean,
  cause: string | null,
  now: number,
): HealthResult {
  return alive
    ? {
        alive: true,
        consecutiveFailures: 0,
        firstSuccess: before?.firstSuccess ?? now,
        lastSuccess: now,
        lastFailure: before?.lastFailure ?? null,
        lastFailureCause: before?.lastFailureCause ?? null,
      }
    : {
        alive: false,
        consecutiveFailures: (before?.consecutiveFailures ?? 0) + 1,
        firstSuccess: before?.firstSuccess ?? null,
        lastSuccess: before?.lastSuccess ?? null,
        lastFailure: now,
        lastFailureCause: cause,
      };
}
