/** What a client of the API may do to apps and tasks; each either starts a deployment or is refused with a reason. */
import { type AppSpec, parseApp, updatedApp, type ValidationDetail } from './app-spec.ts';
import type { AppRecord } from './app-store.ts';
import type { Change, Deployment } from './deployments.ts';
import type { Instance } from './instance.ts';
import type { Orchestrator } from './orchestrator.ts';
import type { MarathonState } from './state.ts';

/** Why not. */
export type Refused =
  | { kind: 'invalid'; details: ValidationDetail[] }
  | { kind: 'exists'; appId: string }
  | { kind: 'missing'; appId: string }
  | { kind: 'locked'; appId: string; deployments: string[] }
  | { kind: 'no-deployment'; id: string };

export type Outcome<T> = ({ ok: true } & T) | { ok: false; refused: Refused };

export interface Deployed {
  readonly deployment: Deployment;
  readonly version: string;
  readonly created: boolean;
}

const refuse = (refused: Refused): { ok: false; refused: Refused } => ({ ok: false, refused });

/** Fields that say how many instances there are and how to change them, not what an instance is. */
const NOT_CONFIGURATION = ['instances', 'upgradeStrategy', 'killSelection', 'unreachableStrategy'];

/** Text in which two equal values are equal, whatever the order of their keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Must running instances be replaced? */
export function isConfigChange(before: AppSpec, after: AppSpec): boolean {
  const essence = (spec: AppSpec) =>
    canonical(
      Object.fromEntries(
        // An absent field and one that is null mean the same.
        Object.entries(spec).filter(([key, value]) => !NOT_CONFIGURATION.includes(key) && (value ?? null) !== null),
      ),
    );
  return essence(before) !== essence(after);
}

export class AppService {
  readonly #state: MarathonState;
  readonly #orchestrator: Orchestrator;

  constructor(state: MarathonState, orchestrator: Orchestrator) {
    this.#state = state;
    this.#orchestrator = orchestrator;
  }

  create(input: unknown, force: boolean): Outcome<Deployed> {
    const validation = parseApp(input);
    if (!validation.ok) return refuse({ kind: 'invalid', details: validation.details });
    const { spec } = validation;
    if (this.#state.store.get(spec.id) !== undefined) return refuse({ kind: 'exists', appId: spec.id });
    return this.#unlocked(spec.id, force) ?? this.#put(spec, null);
  }

  /** Change some fields, or all when `partial` is false; an app that does not exist is created. */
  update(
    appId: string,
    input: Record<string, unknown>,
    options: { force: boolean; partial: boolean },
  ): Outcome<Deployed> {
    const old = this.#state.store.get(appId);
    const validation =
      old === undefined || !options.partial
        ? parseApp(input, appId)
        : updatedApp(old.spec, this.#rolledBack(appId, input));
    if (!validation.ok) return refuse({ kind: 'invalid', details: validation.details });
    return this.#unlocked(appId, options.force) ?? this.#put(validation.spec, old ?? null);
  }

  /** Replace all instances by new ones of the same configuration. */
  restart(appId: string, force: boolean): Outcome<Deployed> {
    const old = this.#state.store.get(appId);
    if (old === undefined) return refuse({ kind: 'missing', appId });
    const locked = this.#unlocked(appId, force);
    if (locked !== null) return locked;
    const version = this.#nextVersion();
    this.#state.store.put(old.spec, version, 'config');
    this.#state.queue.resetDelay(appId);
    return this.#deploy({ kind: 'restart', app: appId }, version, old, false);
  }

  delete(appId: string, force: boolean): Outcome<Deployed> {
    const old = this.#state.store.get(appId);
    if (old === undefined) return refuse({ kind: 'missing', appId });
    const locked = this.#unlocked(appId, force);
    if (locked !== null) return locked;
    this.#state.store.delete(appId);
    const version = this.#nextVersion();
    this.#tellOfChecks('remove_health_check_event', old.spec, version);
    return this.#deploy({ kind: 'stop', app: appId }, version, old, false);
  }

  /** Kill instances; they are replaced, unless the app is scaled down by as many (`scale`). */
  killTasks(
    instances: readonly Instance[],
    options: { scale: boolean; wipe: boolean; force: boolean },
  ): Outcome<{ deployed: Deployed | null }> {
    const perApp = new Map<string, number>();
    for (const { appId } of instances) perApp.set(appId, (perApp.get(appId) ?? 0) + 1);
    if (options.scale) {
      for (const appId of perApp.keys()) {
        const locked = this.#unlocked(appId, options.force);
        if (locked !== null) return locked;
      }
    }
    for (const instance of instances) {
      this.#orchestrator.kill(instance);
      if (options.wipe && instance.condition === 'Unreachable') this.#orchestrator.expunge(instance);
    }
    let deployed: Deployed | null = null;
    for (const [appId, killed] of perApp) {
      const record = this.#state.store.get(appId);
      if (options.scale && record !== undefined) {
        const spec = { ...record.spec, instances: Math.max(0, record.spec.instances - killed) };
        deployed = this.#put(spec, record);
      }
      this.#orchestrator.changed(appId);
    }
    return { ok: true, deployed };
  }

  /** Give up on a deployment: without `force` the app goes back to what it was, by a new deployment. */
  cancel(id: string, force: boolean): Outcome<{ rollback: Deployed | null }> {
    const { deployments, store } = this.#state;
    const deployment = deployments.get(id);
    if (deployment === undefined) return refuse({ kind: 'no-deployment', id });
    deployments.cancel(deployment, `The deployment ${id} was cancelled.`);
    if (force) return { ok: true, rollback: null };
    const { app, original } = deployment;
    if (original === null) {
      if (store.get(app) === undefined) return { ok: true, rollback: null };
      const outcome = this.delete(app, true);
      return outcome.ok ? { ok: true, rollback: outcome } : outcome;
    }
    return { ok: true, rollback: this.#put(original.spec, store.get(app) ?? null) };
  }

  /** `{"version": V}` alone stands for the definition as it was then. */
  #rolledBack(appId: string, input: Record<string, unknown>): Record<string, unknown> {
    const { version, ...fields } = input;
    const wanted = this.#state.store.versions(appId).find((record) => record.version === version);
    return wanted === undefined || Object.keys(fields).length > 0 ? fields : { ...wanted.spec };
  }

  #put(spec: AppSpec, old: AppRecord | null): { ok: true } & Deployed {
    const version = this.#nextVersion();
    const config = old === null || isConfigChange(old.spec, spec);
    this.#state.store.put(spec, version, config ? 'config' : 'scale');
    if (config) {
      if (old !== null) this.#tellOfChecks('remove_health_check_event', old.spec, version);
      this.#tellOfChecks('add_health_check_event', spec, version);
    }
    const change: Change = { kind: old === null ? 'create' : config ? 'restart' : 'scale', app: spec.id };
    return this.#deploy(change, version, old, old === null);
  }

  #tellOfChecks(
    eventType: 'add_health_check_event' | 'remove_health_check_event',
    spec: AppSpec,
    version: string,
  ): void {
    for (const healthCheck of spec.healthChecks) {
      this.#state.bus.publish({ eventType, appId: spec.id, version, healthCheck });
    }
  }

  #deploy(change: Change, version: string, original: AppRecord | null, created: boolean): { ok: true } & Deployed {
    const { deployments, bus, newId } = this.#state;
    const groupId = change.app.slice(0, change.app.lastIndexOf('/')) || '/';
    bus.publish({ eventType: 'group_change_success', groupId, version });
    const deployment = deployments.start(newId(), version, change, original);
    this.#orchestrator.changed(change.app);
    return { ok: true, deployment, version, created };
  }

  /** Null when the app may be changed: nothing else changes it now, or what does was pushed aside. */
  #unlocked(appId: string, force: boolean): { ok: false; refused: Refused } | null {
    const { deployments } = this.#state;
    const running = deployments.ofApp(appId);
    if (running.length === 0) return null;
    if (!force) return refuse({ kind: 'locked', appId, deployments: running.map(({ plan }) => plan.id) });
    for (const deployment of running) deployments.cancel(deployment, 'The deployment was cancelled by a forced one.');
    return null;
  }

  #nextVersion(): string {
    return this.#state.store.nextVersion(this.#state.timers.now());
  }
}
