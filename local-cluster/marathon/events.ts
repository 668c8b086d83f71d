/** Marathon's events, as they appear on `/v2/events`, and the bus that hands them to whoever listens. */
import type { HealthCheckSpec } from './app-spec.ts';

export interface DeploymentAction {
  readonly action: 'StartApplication' | 'ScaleApplication' | 'RestartApplication' | 'StopApplication';
  readonly app: string;
}

export interface DeploymentStep {
  readonly actions: readonly DeploymentAction[];
}

/** The light form of a plan: the only one since Marathon 1.8. */
export interface LightPlan {
  readonly id: string;
  readonly steps: readonly DeploymentStep[];
  readonly version: string;
}

interface Address {
  readonly ipAddress: string;
  readonly protocol: string;
}

/** Every event but for its `timestamp`, which the bus adds. */
export type MarathonEvent =
  | { eventType: 'event_stream_attached' | 'event_stream_detached'; remoteAddress: string }
  | { eventType: 'api_post_event'; clientIp: string; uri: string; appDefinition: unknown }
  | { eventType: 'group_change_success'; groupId: string; version: string }
  | { eventType: 'deployment_info'; plan: LightPlan; currentStep: DeploymentStep }
  | { eventType: 'deployment_step_success'; plan: LightPlan; currentStep: DeploymentStep }
  | { eventType: 'deployment_success'; id: string; plan: LightPlan }
  | { eventType: 'deployment_failed'; id: string; plan: LightPlan; reason: string }
  | {
      eventType: 'status_update_event';
      slaveId: string;
      taskId: string;
      taskStatus: string;
      message: string;
      appId: string;
      host: string;
      ipAddresses: readonly Address[];
      ports: readonly number[];
      version: string;
    }
  | {
      eventType: 'instance_changed_event';
      instanceId: string;
      condition: string;
      runSpecId: string;
      agentId: string;
      host: string;
      runSpecVersion: string;
    }
  | {
      eventType: 'instance_health_changed_event';
      instanceId: string;
      runSpecVersion: string;
      runSpecId: string;
      healthy: boolean | null;
    }
  | { eventType: 'failed_health_check_event'; appId: string; instanceId: string; healthCheck: HealthCheckSpec }
  | {
      eventType: 'unhealthy_instance_kill_event';
      appId: string;
      taskId: string;
      instanceId: string;
      version: string;
      reason: string;
      host: string;
      slaveId: string;
    }
  | { eventType: 'unknown_instance_terminated_event'; instanceId: string; runSpecId: string; condition: string }
  | { eventType: 'app_terminated_event'; appId: string }
  | {
      eventType: 'add_health_check_event' | 'remove_health_check_event';
      appId: string;
      version: string;
      healthCheck: HealthCheckSpec;
    }
  | { eventType: 'scheduler_registered_event'; frameworkId: string; master: string }
  | { eventType: 'scheduler_reregistered_event'; master: string }
  | { eventType: 'scheduler_disconnected_event' };

export type StampedEvent = MarathonEvent & { readonly timestamp: string };

/** Hands each event to every listener, in order, at once. A listener must not throw, and must not block. */
export class EventBus {
  readonly #listeners = new Set<(event: StampedEvent) => void>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  subscribe(listener: (event: StampedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(event: MarathonEvent): void {
    const stamped: StampedEvent = { ...event, timestamp: new Date(this.#now()).toISOString() };
    for (const listener of [...this.#listeners]) listener(stamped);
  }
}
