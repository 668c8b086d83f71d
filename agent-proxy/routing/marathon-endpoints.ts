/**
 * The pure part of Marathon discovery: an app's JSON → its instances, where they are, and what is known of their health.
 */
import { type Location, locatorOf, type NamedPort } from './marathon-addresses.ts';
import { type MarathonDocument, type MarathonTask, marathonAppSchema } from './marathon-document.ts';
import { type PortFacts, portFactsOf } from './marathon-ports.ts';

/** `unchecked`: the app has no health checks. `unknown`: it has, and Marathon has no result of each for this task yet. */
export type MarathonHealth = 'unchecked' | 'passing' | 'failing' | 'unknown';

/**
 * - `ready`: gets traffic.
 * - `unhealthy`: runs and fails its checks, or has passed none yet.
 * - `draining`: Marathon kills it, or is about to; it finishes what it has.
 * - `suspect`: Mesos has lost sight of its agent. It may serve well.
 */
export type MarathonInstanceState = 'ready' | 'unhealthy' | 'draining' | 'suspect';

export interface MarathonInstance {
  readonly taskId: string;
  /** Mesos' agent id (`slaveId` in Marathon). */
  readonly agentId: string;
  /** The agent as Marathon names it: an address in DC/OS, a host name elsewhere. */
  readonly host: string;
  /** Equal to `host` in host and bridge mode; the task's own address on a container network. */
  readonly address: string;
  readonly port: number;
  readonly ports: readonly NamedPort[];
  /** The id by which Mesos knows it. An instance of a pod is several tasks: this is the first of them, if it is known. */
  readonly mesosTaskId: string | null;
  /** What Mesos says of the task. */
  readonly task: 'running' | 'killing' | 'unreachable';
  readonly health: MarathonHealth;
  /** When it began to run, milliseconds since the epoch. */
  readonly startedAt: number | null;
  /** It is young, its app has readiness checks, and there is no result of them yet: no traffic until this time. */
  readonly notBefore: number | null;
  /** What all this means when nothing else is known. */
  readonly state: MarathonInstanceState;
}

/** A task that gets no traffic, and why, as the end of a sentence about it. */
export interface LeftOut {
  readonly taskId: string;
  readonly reason: string;
}

export interface MarathonApp extends PortFacts {
  readonly kind: 'app' | 'pod';
  /** With its leading slash. */
  readonly id: string;
  /** The id without the leading slash: `team/api`. */
  readonly name: string;
  /** Of the definition. Another one than before: there was a deployment. */
  readonly version: string | null;
  /** A deployment of it is under way. */
  readonly deploying: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** How many there shall be; null where that is not said. */
  readonly wanted: number | null;
  /** Tasks that can be reached, in the order of their ids. */
  readonly instances: readonly MarathonInstance[];
  /** Tasks that run and cannot be reached. */
  readonly leftOut: readonly LeftOut[];
  /** Tasks of which Marathon says that they have ended. */
  readonly ended: ReadonlySet<string>;
}

const TASKS: Readonly<Record<string, MarathonInstance['task']>> = {
  TASK_RUNNING: 'running',
  TASK_KILLING: 'killing',
  TASK_UNREACHABLE: 'unreachable',
};

const ENDED: ReadonlySet<string> = new Set([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_GONE',
  'TASK_DROPPED',
]);

/** Where an instance is that was seen before: Marathon forgets the ports of one that is unreachable for long. */
export type KnownLocation = (taskId: string) => Pick<MarathonInstance, 'address' | 'ports'> | undefined;

/** One app as `GET /v2/apps/<id>` (`.app`) or an element of `GET /v2/apps` shows it; null when it is not an app. */
export function readMarathonApp(document: unknown, known?: KnownLocation): MarathonApp | null {
  const parsed = marathonAppSchema.safeParse(document);
  if (!parsed.success) return null;
  const app = parsed.data;
  const locate = locatorOf(app);
  const instances: MarathonInstance[] = [];
  const leftOut: LeftOut[] = [];
  const ended = new Set<string>();
  const seen = new Set<string>();
  for (const task of app.tasks ?? []) {
    if (seen.has(task.id)) continue;
    seen.add(task.id);
    const state = TASKS[task.state ?? ''];
    if (state === undefined) {
      if (ENDED.has(task.state ?? '')) ended.add(task.id);
      continue;
    }
    const read = instanceOf(app, task, state, (host) => {
      const location = locate(task, host);
      const before = location.kind === 'nowhere' && state === 'unreachable' ? known?.(task.id) : undefined;
      return before === undefined ? location : { kind: 'at', ...before };
    });
    if (typeof read === 'string') leftOut.push({ taskId: task.id, reason: read });
    else instances.push(read);
  }
  instances.sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
  const name = app.id.replace(/^\//, '');
  return {
    kind: 'app',
    id: `/${name}`,
    name,
    version: app.version ?? null,
    deploying: isDeploying(app),
    labels: app.labels,
    wanted: app.instances ?? null,
    instances: withOutdatedDrained(app, instances),
    leftOut,
    ended,
    ...portFactsOf(document),
  };
}

/** Or why it gets no traffic. */
function instanceOf(
  app: MarathonDocument,
  task: MarathonTask,
  state: MarathonInstance['task'],
  locate: (host: string) => Location,
): MarathonInstance | string {
  const { id: taskId, slaveId: agentId, host } = task;
  if (!agentId || !host) return 'names no agent';
  const location = locate(host);
  if (location.kind === 'nowhere') return location.reason;
  const { address, ports } = location;
  const [first] = ports;
  if (first === undefined) return 'has no port';
  const health = healthOf(app, task);
  const startedAt = timeOf(task.startedAt);
  return {
    ...{ taskId, mesosTaskId: taskId, agentId, host, address, port: first.port, ports },
    ...{ task: state, health, startedAt, notBefore: notBefore(app, task, startedAt), state: stateOf(state, health) },
  };
}

function stateOf(task: MarathonInstance['task'], health: MarathonHealth): MarathonInstanceState {
  if (task === 'killing') return 'draining';
  if (health === 'failing') return 'unhealthy';
  // Nobody asks a task that cannot be reached for its health.
  if (task === 'unreachable') return 'suspect';
  return health === 'unknown' ? 'unhealthy' : 'ready';
}

const isDeploying = (app: MarathonDocument): boolean => (app.deployments?.length ?? 0) > 0;

/** Marathon calls a task healthy when every one of its checks has a result and all are alive. */
function healthOf(app: MarathonDocument, task: MarathonTask): MarathonHealth {
  // Results of readiness checks exist only while a deployment runs; then they decide with the health checks.
  if (isDeploying(app) && readinessOf(app, task) === false) return 'failing';
  const checks = app.healthChecks?.length ?? 0;
  if (checks === 0) return 'unchecked';
  const results = task.healthCheckResults ?? [];
  if (results.some((result) => result.alive === false)) return 'failing';
  return results.filter((result) => result.alive === true).length >= checks ? 'passing' : 'unknown';
}

function readinessOf(app: MarathonDocument, task: MarathonTask): boolean | undefined {
  return app.readinessCheckResults?.find((result) => result.taskId === task.id)?.ready;
}

/** Marathon's default for a readiness check. */
const READINESS_TIMEOUT_S = 10;
const READINESS_MARGIN_MS = 5_000;

/**
 * Marathon tells a task to be running a moment before it tells that it is not ready. So one without a result is believed
 * only when it is older than a check takes: then it is one of before the deployment, which has no results.
 */
function notBefore(app: MarathonDocument, task: MarathonTask, startedAt: number | null): number | null {
  const check = app.readinessChecks?.[0];
  if (!isDeploying(app) || check === undefined || startedAt === null || readinessOf(app, task) !== undefined) {
    return null;
  }
  return startedAt + (check.timeoutSeconds ?? READINESS_TIMEOUT_S) * 1_000 + READINESS_MARGIN_MS;
}

/**
 * While a deployment replaces an app's tasks Marathon kills the old ones as the new ones become ready, down to the
 * capacity that the app's upgrade strategy asks for. Once that many new ones are ready, none of the old ones is needed:
 * they are drained before the kill. Scaling alone changes an app's version and kills nothing for it, so what counts is
 * the last change of the configuration.
 */
function withOutdatedDrained(
  app: MarathonDocument,
  instances: readonly MarathonInstance[],
): readonly MarathonInstance[] {
  const changedAt = timeOf(app.versionInfo?.lastConfigChangeAt);
  if (!isDeploying(app) || changedAt === null) return instances;
  const versions = new Map((app.tasks ?? []).map((task) => [task.id, timeOf(task.version)]));
  const isOld = ({ taskId }: MarathonInstance): boolean => (versions.get(taskId) ?? changedAt) < changedAt;
  const capacity = Math.min(1, Math.max(0, app.upgradeStrategy?.minimumHealthCapacity ?? 1));
  const enough = Math.max(1, Math.ceil((app.instances ?? instances.length) * capacity));
  const ready = instances.filter((each) => each.state === 'ready' && each.notBefore === null && !isOld(each)).length;
  if (ready < enough) return instances;
  return instances.map((each) => (isOld(each) ? { ...each, state: 'draining' as const } : each));
}

/** Milliseconds since the epoch; null for what is no time. */
export function timeOf(text: string | undefined): number | null {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? null : time;
}
