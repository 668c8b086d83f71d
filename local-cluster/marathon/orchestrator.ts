/**
 * The heart of the miniature Marathon: what Mesos, the health checks and the API say comes in; for every app that it
 * touches, `decide` says what to launch and kill; deployments move on. No I/O of its own: calls to Mesos go through a
 * function, time and chance through `MarathonState`.
 */
import type { CallBody, Event, FrameworkId, TaskStatus } from '../../framework/mesos-http-client/messages.ts';
import { Alarm } from './alarm.ts';
import type { AppRecord } from './app-store.ts';
import { isCurrent } from './deployments.ts';
import { HealthChecks, type Probe } from './health-checks.ts';
import { type Condition, type Instance, isReady, isTerminal } from './instance.ts';
import { publishChange, publishHealth } from './instance-events.ts';
import { OfferDesk } from './offer-desk.ts';
import { Reconciler } from './reconciler.ts';
import { decide, type TaskView, type Wanted } from './scheduler-actions.ts';
import type { MarathonState } from './state.ts';

/** Marathon looks for instances to expunge this often (`task_lost_expunge_interval`); until then one may come back. */
const EXPUNGE_INTERVAL_MS = 30_000;
/** Acting on an app can touch others only through bugs: a bound instead of a loop without end. */
const MAX_ROUNDS = 100;

export interface OrchestratorOptions {
  readonly state: MarathonState;
  readonly call: (body: CallBody) => boolean;
  readonly probe: Probe;
}

export class Orchestrator {
  readonly #state: MarathonState;
  readonly #call: (body: CallBody) => boolean;
  readonly #desk: OfferDesk;
  readonly #reconciler: Reconciler;
  readonly #checks: HealthChecks;
  readonly #recheck: Alarm;
  readonly #touched = new Set<string>();
  #registeredBefore = false;

  constructor({ state, call, probe }: OrchestratorOptions) {
    this.#state = state;
    this.#call = call;
    this.#recheck = new Alarm(state.timers, () => this.settleAll());
    this.#reconciler = new Reconciler({ state, call, onSweep: () => this.settleAll() });
    this.#checks = new HealthChecks(state.timers, probe, (taskId, index, cause) => this.#checked(taskId, index, cause));
    this.#desk = new OfferDesk({
      state,
      call,
      onLaunched: (instance) => {
        state.tracker.add(instance);
        publishChange(state.bus, instance, instance.condition);
        this.#touched.add(instance.appId);
      },
      onLaunchLost: (instance) => this.expunge(instance),
      onAnswered: () => this.#settle(),
    });
  }

  // ---- from Mesos ----

  onEvent(event: Event): void {
    switch (event.type) {
      case 'SUBSCRIBED': {
        const { framework_id, master_info } = event.subscribed;
        this.#subscribed(framework_id.value, master_info?.hostname ?? master_info?.id ?? 'unknown');
        break;
      }
      case 'OFFERS':
        this.#desk.receive(event.offers.offers);
        break;
      case 'RESCIND':
        this.#desk.rescinded(event.rescind.offer_id.value);
        break;
      case 'UPDATE':
        this.#update(event.update.status);
        break;
      case 'FAILURE':
        if (event.failure.agent_id !== undefined) this.#desk.agentLost(event.failure.agent_id.value);
        break;
      default:
        // Heartbeats, inverse offers (advice only), messages: nothing follows from them here.
        break;
    }
  }

  onDisconnected(): void {
    this.#desk.forget();
    this.#reconciler.stop();
    this.#state.bus.publish({ eventType: 'scheduler_disconnected_event' });
  }

  #subscribed(frameworkId: FrameworkId, master: string): void {
    const { bus } = this.#state;
    if (this.#registeredBefore) bus.publish({ eventType: 'scheduler_reregistered_event', master });
    else bus.publish({ eventType: 'scheduler_registered_event', frameworkId, master });
    this.#registeredBefore = true;
    this.#reconciler.start();
    this.#desk.subscribed();
    this.settleAll();
  }

  #update(status: TaskStatus): void {
    const { tracker, bus, timers } = this.#state;
    const now = timers.now();
    const transition = tracker.update(status, now);
    switch (transition.kind) {
      case 'unknown':
        this.#unknown(status, transition.condition);
        break;
      case 'ended':
        this.#ended(transition.instance, transition.condition, status, now);
        break;
      case 'changed': {
        const { instance, conditionChanged, healthChanged } = transition;
        if (conditionChanged) publishChange(bus, instance, instance.condition, status.message);
        if (healthChanged) publishHealth(bus, instance);
        if (instance.condition === 'Running') this.#checks.watch(instance);
        this.#touched.add(instance.appId);
      }
    }
    // After the effect: until then the agent would tell us again.
    if (status.uuid !== undefined && status.agent_id !== undefined) {
      const { agent_id, task_id, uuid } = status;
      this.#call({ type: 'ACKNOWLEDGE', acknowledge: { agent_id, task_id, uuid } });
    }
    this.#settle();
  }

  /** A task of ours that we gave up on, back from where it could not be reached. */
  #unknown(status: TaskStatus, condition: Condition): void {
    const { task_id, agent_id } = status;
    if (isTerminal(condition)) {
      const [instanceId = task_id.value] = task_id.value.split('._app.');
      const runSpecId = `/${(instanceId.split('.instance-')[0] ?? '').replaceAll('_', '/')}`;
      this.#state.bus.publish({ eventType: 'unknown_instance_terminated_event', instanceId, runSpecId, condition });
    } else if (condition !== 'Unreachable' && condition !== 'Killing') {
      this.#call({ type: 'KILL', kill: { task_id, ...(agent_id === undefined ? {} : { agent_id }) } });
    }
  }

  #ended(instance: Instance, condition: Condition, status: TaskStatus, now: number): void {
    const { bus, store, queue } = this.#state;
    this.#checks.forget(instance.taskId);
    publishChange(bus, instance, condition, status.message);
    this.#touched.add(instance.appId);
    const record = store.get(instance.appId);
    if (record === undefined || instance.killSentAt !== null) return;
    const byItself = ['Failed', 'Finished', 'Killed', 'Error', 'Dropped'].includes(condition);
    if (byItself && isCurrent(instance, record)) {
      queue.failed(record, instance.startedAt === null ? 0 : now - instance.startedAt, now);
    }
    store.recordFailure({
      appId: instance.appId,
      host: instance.host,
      message: status.message ?? '',
      state: status.state,
      taskId: instance.taskId,
      timestamp: new Date(now).toISOString(),
      version: instance.version,
      slaveId: instance.agentId,
    });
  }

  // ---- from Marathon's own health checks ----

  #checked(taskId: string, index: number, cause: string | null): void {
    const { tracker, bus, timers } = this.#state;
    const instance = tracker.get(taskId);
    const check = instance?.spec.healthChecks[index];
    if (instance === undefined || check === undefined || instance.condition !== 'Running') return;
    const now = timers.now();
    const { appId, instanceId } = instance;
    const inGrace = now - (instance.startedAt ?? now) < check.gracePeriodSeconds * 1000;
    // While it starts, and until it was alive once, a failure says nothing yet.
    if (cause !== null && inGrace && (instance.health[index]?.firstSuccess ?? null) === null) return;
    if (tracker.checked(instance, index, cause === null, cause, now)) publishHealth(bus, instance);
    if (cause !== null) {
      bus.publish({ eventType: 'failed_health_check_event', appId, instanceId, healthCheck: check });
      const failures = instance.health[index]?.consecutiveFailures ?? 0;
      if (
        check.maxConsecutiveFailures > 0 &&
        failures >= check.maxConsecutiveFailures &&
        instance.killSentAt === null
      ) {
        const { version, host, agentId: slaveId } = instance;
        bus.publish({
          eventType: 'unhealthy_instance_kill_event',
          ...{ appId, taskId, instanceId, version, reason: cause, host, slaveId },
        });
        this.kill(instance);
      }
    }
    this.#touched.add(appId);
    this.#settle();
  }

  // ---- for the API ----

  /** Send KILL; it is sent again until the instance has ended. */
  kill(instance: Instance): void {
    this.#reconciler.kill(instance);
    this.#touched.add(instance.appId);
  }

  /** Forget an instance that cannot be reached; should it come back, it is killed as unknown. */
  expunge(instance: Instance): void {
    this.#checks.forget(instance.taskId);
    this.#state.tracker.remove(instance);
    publishChange(this.#state.bus, instance, 'Gone');
    this.#touched.add(instance.appId);
  }

  /** The app was changed: see what follows. */
  changed(appId: string): void {
    this.#touched.add(appId);
    this.#settle();
  }

  stop(): void {
    this.#checks.stop();
    this.#desk.forget();
    this.#reconciler.stop();
    this.#recheck.clear();
  }

  // ---- what follows ----

  /** Look at every app. */
  settleAll(): void {
    for (const { spec } of this.#state.store.list()) this.#touched.add(spec.id);
    for (const appId of this.#state.tracker.appIds()) this.#touched.add(appId);
    this.#settle();
  }

  /** Act for every app that was touched, until nothing follows any more. */
  #settle(): void {
    const { deployments, store, tracker } = this.#state;
    for (let round = 0; round < MAX_ROUNDS && this.#touched.size > 0; round += 1) {
      const apps = [...this.#touched];
      this.#touched.clear();
      for (const appId of apps) this.#act(appId);
    }
    deployments.advance(
      (app) => store.get(app),
      (app) => tracker.ofApp(app),
    );
    this.#desk.seek();
  }

  #act(appId: string): void {
    const { store, tracker, queue, timers } = this.#state;
    const now = timers.now();
    const record = store.get(appId);
    const instances = tracker.ofApp(appId);
    const decision = decide(
      record === undefined ? null : wantedOf(record),
      instances.map((instance) => viewOf(instance, record)),
      now,
    );
    for (const { taskId } of decision.kill) {
      const instance = tracker.get(taskId);
      if (instance !== undefined) this.#reconciler.kill(instance);
    }
    for (const taskId of decision.expunge) {
      const instance = tracker.get(taskId);
      if (instance !== undefined) this.expunge(instance);
    }
    if (record === undefined) queue.forget(appId);
    else queue.want(record, decision.launch, now);
    if (decision.recheckAt !== null) this.#recheck.set(decision.recheckAt);
  }
}

function wantedOf({ spec }: AppRecord): Wanted {
  const { unreachableStrategy: strategy } = spec;
  const disabled = strategy === 'disabled';
  return {
    instances: spec.instances,
    minimumHealthCapacity: spec.upgradeStrategy.minimumHealthCapacity,
    maximumOverCapacity: spec.upgradeStrategy.maximumOverCapacity,
    killSelection: spec.killSelection,
    inactiveAfterMs: disabled ? null : strategy.inactiveAfterSeconds * 1000,
    expungeAfterMs: disabled ? null : strategy.expungeAfterSeconds * 1000 + EXPUNGE_INTERVAL_MS,
  };
}

function viewOf(instance: Instance, record: AppRecord | undefined): TaskView {
  return {
    taskId: instance.taskId,
    phase: phaseOf(instance),
    current: record !== undefined && isCurrent(instance, record),
    ready: isReady(instance),
    bornAt: instance.stagedAt,
    unreachableSince: instance.unreachableSince,
  };
}

function phaseOf(instance: Instance): TaskView['phase'] {
  if (instance.condition === 'Unreachable') return 'unreachable';
  if (instance.killSentAt !== null || instance.condition === 'Killing') return 'killing';
  return instance.condition === 'Running' ? 'running' : 'starting';
}
