/** Apps, tasks, deployments, groups and the queue as Marathon's API prints them. */
import type { AppRecord } from './app-store.ts';
import type { Deployment } from './deployments.ts';
import { type HealthResult, healthOf, type Instance, taskStateOf } from './instance.ts';
import type { QueueEntry } from './launch-queue.ts';
import type { MarathonState } from './state.ts';

export type Json = Record<string, unknown>;

/** What a client asked to have included. */
export interface Embed {
  readonly tasks: boolean;
  readonly counts: boolean;
  readonly deployments: boolean;
  readonly readiness: boolean;
  readonly lastTaskFailure: boolean;
}

const iso = (ms: number): string => new Date(ms).toISOString();

function healthView(instance: Instance, result: HealthResult): Json {
  const time = (ms: number | null) => (ms === null ? null : iso(ms));
  return {
    alive: result.alive,
    consecutiveFailures: result.consecutiveFailures,
    firstSuccess: time(result.firstSuccess),
    lastFailure: time(result.lastFailure),
    lastSuccess: time(result.lastSuccess),
    lastFailureCause: result.lastFailureCause,
    instanceId: instance.instanceId,
  };
}

export function taskView(instance: Instance): Json {
  const results = instance.health.filter((result) => result !== null);
  return {
    ipAddresses: instance.ipAddresses,
    stagedAt: iso(instance.stagedAt),
    state: taskStateOf(instance.condition),
    ports: instance.ports,
    ...(instance.startedAt === null ? {} : { startedAt: iso(instance.startedAt) }),
    version: instance.version,
    id: instance.taskId,
    appId: instance.appId,
    slaveId: instance.agentId,
    host: instance.host,
    servicePorts: instance.servicePorts,
    ...(results.length === 0 ? {} : { healthCheckResults: results.map((result) => healthView(instance, result)) }),
    localVolumes: [],
    ...(instance.region === null ? {} : { region: instance.region }),
    ...(instance.zone === null ? {} : { zone: instance.zone }),
    role: instance.role,
  };
}

function counts(instances: readonly Instance[]): Json {
  const staged = instances.filter(({ condition }) => ['Provisioned', 'Staging', 'Starting'].includes(condition));
  const running = instances.filter(({ condition }) => condition === 'Running');
  return {
    tasksStaged: staged.length,
    tasksRunning: running.length,
    tasksHealthy: running.filter((instance) => healthOf(instance) === true).length,
    tasksUnhealthy: running.filter((instance) => healthOf(instance) === false).length,
  };
}

/** The definition and its version, without anything that runs. */
export function specView(record: AppRecord): Json {
  const { spec, version, lastScalingAt, lastConfigChangeAt } = record;
  const present = Object.fromEntries(Object.entries(spec).filter(([, value]) => (value ?? null) !== null));
  return { ...present, version, versionInfo: { lastScalingAt, lastConfigChangeAt } };
}

export function appView(state: MarathonState, record: AppRecord, embed: Embed): Json {
  const { id } = record.spec;
  const instances = state.tracker.ofApp(id);
  const failure = state.store.lastFailure(id);
  return {
    ...specView(record),
    ...(embed.counts ? counts(instances) : {}),
    ...(embed.deployments ? { deployments: state.deployments.ofApp(id).map(({ plan }) => ({ id: plan.id })) } : {}),
    ...(embed.readiness ? { readinessCheckResults: [] } : {}),
    ...(embed.tasks ? { tasks: instances.map(taskView) } : {}),
    ...(embed.lastTaskFailure && failure !== undefined ? { lastTaskFailure: failure } : {}),
  };
}

export function deploymentView({ plan, app, step }: Deployment): Json {
  const actions = plan.steps[step]?.actions ?? [];
  return {
    id: plan.id,
    version: plan.version,
    affectedApps: [app],
    affectedPods: [],
    steps: plan.steps,
    currentActions: actions.map((action) => ({ ...action, readinessCheckResults: [] })),
    currentStep: step + 1,
    totalSteps: plan.steps.length,
  };
}

export function queueView(entry: QueueEntry, delayUntil: number, now: number): Json {
  const left = Math.max(0, delayUntil - now);
  return {
    app: specView(entry.record),
    count: entry.count,
    role: entry.record.spec.role,
    since: iso(entry.since),
    delay: { timeLeftSeconds: Math.ceil(left / 1000), overdue: left === 0 },
    processedOffersSummary: {
      processedOffersCount: entry.processedOffers,
      unusedOffersCount: entry.unusedOffers,
      ...(entry.lastUnused === null ? {} : { lastUnusedOfferAt: iso(entry.lastUnused) }),
      rejectSummaryLastOffers: Object.entries(entry.refusals).map(([reason, declined]) => ({
        reason,
        declined,
        processed: declined,
      })),
    },
  };
}

/** The group `id` with everything below it, or null when nothing is there. */
export function groupView(id: string, apps: readonly { path: string; view: Json }[], version: string): Json | null {
  const base = id === '/' ? '/' : `${id}/`;
  const below = apps.filter(({ path }) => path.startsWith(base));
  if (below.length === 0 && id !== '/') return null;
  const direct = below.filter(({ path }) => !path.slice(base.length).includes('/'));
  const names = new Set(
    below.flatMap(({ path }) => {
      const [first, ...rest] = path.slice(base.length).split('/');
      return rest.length === 0 || first === undefined ? [] : [first];
    }),
  );
  const groups = [...names].sort().map((name) => groupView(`${base}${name}`, apps, version));
  return { id, apps: direct.map(({ view }) => view), groups, pods: [], dependencies: [], version, enforceRole: false };
}
