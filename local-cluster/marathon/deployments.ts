/** Deployments: a change of an app on its way, step by step, until what runs is what was asked for. */
import type { AppRecord } from './app-store.ts';
import type { DeploymentAction, DeploymentStep, EventBus, LightPlan } from './events.ts';
import { type Instance, isReady } from './instance.ts';

/** How an app changes. */
export type Change =
  | { kind: 'create'; app: string }
  | { kind: 'scale'; app: string }
  | { kind: 'restart'; app: string }
  | { kind: 'stop'; app: string };

export interface Deployment {
  readonly plan: LightPlan;
  readonly app: string;
  /** The app before the change, for a rollback; null: it did not exist. */
  readonly original: AppRecord | null;
  /** Index of the step that is under way. */
  step: number;
}

/** The steps of a change, as Marathon plans them for a single app. */
export function stepsOf(change: Change): DeploymentStep[] {
  const step = (action: DeploymentAction['action']): DeploymentStep => ({ actions: [{ action, app: change.app }] });
  switch (change.kind) {
    case 'create':
      return [step('StartApplication'), step('ScaleApplication')];
    case 'scale':
      return [step('ScaleApplication')];
    case 'restart':
      return [step('RestartApplication')];
    case 'stop':
      return [step('StopApplication')];
  }
}

/** Is the instance of the app's present configuration? ISO timestamps compare as text. */
export function isCurrent(instance: Pick<Instance, 'version'>, record: AppRecord): boolean {
  return instance.version >= record.lastConfigChangeAt;
}

/** Is what the action asks for the case? */
export function isDone(
  action: DeploymentAction,
  record: AppRecord | undefined,
  instances: readonly Instance[],
): boolean {
  if (action.action === 'StartApplication') return true;
  if (record === undefined || action.action === 'StopApplication') return instances.length === 0;
  // Those that cannot be reached hold nothing up, and those that were told to die are on their way.
  const alive = instances.filter((instance) => instance.condition !== 'Unreachable' && instance.killSentAt === null);
  const outdated = alive.filter((instance) => !isCurrent(instance, record));
  const dying = instances.filter((instance) => instance.condition !== 'Unreachable' && instance.killSentAt !== null);
  return alive.length === record.spec.instances && alive.every(isReady) && outdated.length === 0 && dying.length === 0;
}

export class Deployments {
  readonly #bus: EventBus;
  readonly #running = new Map<string, Deployment>();

  constructor(bus: EventBus) {
    this.#bus = bus;
  }

  list(): Deployment[] {
    return [...this.#running.values()];
  }

  get(id: string): Deployment | undefined {
    return this.#running.get(id);
  }

  ofApp(app: string): Deployment[] {
    return this.list().filter((deployment) => deployment.app === app);
  }

  start(id: string, version: string, change: Change, original: AppRecord | null): Deployment {
    const plan: LightPlan = { id, version, steps: stepsOf(change) };
    const deployment: Deployment = { plan, app: change.app, original, step: 0 };
    this.#running.set(id, deployment);
    this.#announce(deployment);
    return deployment;
  }

  /** End it unfinished: another one takes over, or somebody gave up on it. */
  cancel(deployment: Deployment, reason: string): void {
    const { plan } = deployment;
    if (this.#running.delete(plan.id)) {
      this.#bus.publish({ eventType: 'deployment_failed', id: plan.id, plan, reason });
    }
  }

  /** Move every deployment as far as it has come. */
  advance(record: (app: string) => AppRecord | undefined, instances: (app: string) => readonly Instance[]): void {
    for (const deployment of this.list()) {
      const { plan, app } = deployment;
      let step = plan.steps[deployment.step];
      while (step?.actions.every((action) => isDone(action, record(app), instances(app)))) {
        this.#bus.publish({ eventType: 'deployment_step_success', plan, currentStep: step });
        deployment.step += 1;
        step = plan.steps[deployment.step];
        if (step !== undefined) this.#announce(deployment);
      }
      if (step === undefined) {
        this.#running.delete(plan.id);
        if (plan.steps.some(({ actions }) => actions.some(({ action }) => action === 'StopApplication'))) {
          this.#bus.publish({ eventType: 'app_terminated_event', appId: app });
        }
        this.#bus.publish({ eventType: 'deployment_success', id: plan.id, plan });
      }
    }
  }

  #announce(deployment: Deployment): void {
    const currentStep = deployment.plan.steps[deployment.step];
    if (currentStep === undefined) return;
    this.#bus.publish({ eventType: 'deployment_info', plan: deployment.plan, currentStep });
  }
}
