/**
 * All instances that exist, and what Mesos and the health checks last said of each. It answers what changed; what
 * follows from a change is decided elsewhere.
 */
import type { AgentId, TaskId, TaskStatus } from '../../framework/mesos-http-client/messages.ts';
import {
  type Condition,
  conditionOf,
  healthOf,
  type Instance,
  isTerminal,
  mesosCheckIndex,
  nextHealth,
} from './instance.ts';

/** What an update meant. */
export type Transition =
  | { kind: 'unknown'; condition: Condition }
  | { kind: 'changed'; instance: Instance; conditionChanged: boolean; healthChanged: boolean }
  | { kind: 'ended'; instance: Instance; condition: Condition };

export class InstanceTracker {
  readonly #instances = new Map<TaskId, Instance>();
  readonly #byApp = new Map<string, Set<Instance>>();

  get size(): number {
    return this.#instances.size;
  }

  add(instance: Instance): void {
    this.#instances.set(instance.taskId, instance);
    const siblings = this.#byApp.get(instance.appId) ?? new Set();
    siblings.add(instance);
    this.#byApp.set(instance.appId, siblings);
  }

  get(taskId: string): Instance | undefined {
    return this.#instances.get(taskId as TaskId);
  }

  remove(instance: Instance): void {
    this.#instances.delete(instance.taskId);
    const siblings = this.#byApp.get(instance.appId);
    siblings?.delete(instance);
    if (siblings?.size === 0) this.#byApp.delete(instance.appId);
  }

  all(): Instance[] {
    return [...this.#instances.values()];
  }

  /** In the order of their launch. */
  ofApp(appId: string): Instance[] {
    return [...(this.#byApp.get(appId) ?? [])];
  }

  /** Apps that have instances, also such as no longer exist. */
  appIds(): string[] {
    return [...this.#byApp.keys()];
  }

  /** How many tasks hold resources of each agent. */
  tasksPerAgent(): Map<AgentId, number> {
    const counts = new Map<AgentId, number>();
    for (const { agentId } of this.#instances.values()) counts.set(agentId, (counts.get(agentId) ?? 0) + 1);
    return counts;
  }

  /** Take in a status of Mesos. An instance that ended is out of the tracker afterwards. */
  update(status: TaskStatus, now: number): Transition {
    const told = conditionOf(status.state);
    const instance = this.#instances.get(status.task_id.value);
    if (instance === undefined) return { kind: 'unknown', condition: told };
    instance.heardAt = now;
    if (isTerminal(told)) {
      this.remove(instance);
      return { kind: 'ended', instance, condition: told };
    }
    const before = instance.condition;
    // An agent that woke up re-sends old updates: a task that ran does not start again.
    const backwards =
      (told === 'Staging' || told === 'Starting') && instance.startedAt !== null && before !== 'Unreachable';
    if (!backwards) instance.condition = told;
    if (instance.condition === 'Running') instance.startedAt ??= timeOf(status) ?? now;
    instance.unreachableSince = instance.condition === 'Unreachable' ? (instance.unreachableSince ?? now) : null;
    const addresses = addressesOf(status);
    if (addresses.length > 0) instance.ipAddresses = addresses;
    const healthChanged =
      status.healthy !== undefined &&
      this.#applyHealth(instance, mesosCheckIndex(instance.spec), status.healthy, status.message ?? null, now);
    return { kind: 'changed', instance, conditionChanged: instance.condition !== before, healthChanged };
  }

  /** Take in the result of a check that Marathon ran. True when the instance's health changed. */
  checked(instance: Instance, index: number, alive: boolean, cause: string | null, now: number): boolean {
    return this.#applyHealth(instance, index, alive, cause, now);
  }

  #applyHealth(instance: Instance, index: number, alive: boolean, cause: string | null, now: number): boolean {
    if (index < 0 || index >= instance.health.length) return false;
    const before = healthOf(instance);
    instance.health[index] = nextHealth(instance.health[index] ?? null, alive, cause, now);
    return healthOf(instance) !== before;
  }
}

function timeOf(status: TaskStatus): number | null {
  return status.timestamp === undefined ? null : Math.round(status.timestamp * 1000);
}

function addressesOf(status: TaskStatus): { ipAddress: string; protocol: string }[] {
  return (status.container_status?.network_infos ?? []).flatMap((info) =>
    (info.ip_addresses ?? []).flatMap(({ ip_address: ipAddress, protocol }) =>
      ipAddress === undefined ? [] : [{ ipAddress, protocol: protocol ?? 'IPv4' }],
    ),
  );
}
