/** One state of what Mesos runs: frameworks, where agents are, and tasks that have not ended, found in several ways. */
import type { AgentId, FrameworkId, TaskId } from '../../framework/mesos-http-client/messages.ts';
import type { FrameworkRole } from './mesos-frameworks.ts';
import { type Discoverable, serviceName, type TaskCondition } from './mesos-task.ts';

export interface KnownFramework {
  readonly name: string;
  readonly role: FrameworkRole;
}

export interface KnownTask {
  readonly id: TaskId;
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
  /** Null where it is not to be found by a name. */
  readonly discoverable: Discoverable | null;
  readonly condition: TaskCondition;
  /** Since when nothing confirms it: a master that took over has not heard of its agent. Milliseconds; null: confirmed. */
  readonly staleSince: number | null;
}

export class MesosContents {
  readonly #frameworks = new Map<FrameworkId, KnownFramework>();
  readonly #addresses = new Map<AgentId, string>();
  readonly #tasks = new Map<FrameworkId, Map<TaskId, KnownTask>>();
  readonly #byAgent = new Map<AgentId, Set<KnownTask>>();
  readonly #byService = new Map<string, Set<KnownTask>>();
  readonly #serviceOf = new Map<KnownTask, string>();

  framework(id: FrameworkId): KnownFramework | undefined {
    return this.#frameworks.get(id);
  }

  /** Returns the names of services that are different now. */
  setFramework(id: FrameworkId, framework: KnownFramework): string[] {
    const before = this.#frameworks.get(id);
    if (before?.name === framework.name && before.role === framework.role) return [];
    const tasks = this.tasksOfFramework(id);
    const changed = tasks.flatMap((task) => this.drop(task) ?? []);
    this.#frameworks.set(id, framework);
    return [...changed, ...tasks.flatMap((task) => this.put(task) ?? [])];
  }

  dropFramework(id: FrameworkId): void {
    this.#frameworks.delete(id);
  }

  /** Never a host name. */
  address(agentId: AgentId): string | undefined {
    return this.#addresses.get(agentId);
  }

  setAddress(agentId: AgentId, address: string): void {
    this.#addresses.set(agentId, address);
  }

  dropAddress(agentId: AgentId): void {
    this.#addresses.delete(agentId);
  }

  task(frameworkId: FrameworkId, id: TaskId): KnownTask | undefined {
    return this.#tasks.get(frameworkId)?.get(id);
  }

  *tasks(): IterableIterator<KnownTask> {
    for (const tasks of this.#tasks.values()) yield* tasks.values();
  }

  tasksOfFramework(id: FrameworkId): KnownTask[] {
    return [...(this.#tasks.get(id)?.values() ?? [])];
  }

  tasksOnAgent(id: AgentId): KnownTask[] {
    return [...(this.#byAgent.get(id) ?? [])];
  }

  /** The task of Marathon's with this id: such ids are unique among all Marathons. */
  marathonTask(id: TaskId): KnownTask | undefined {
    for (const [frameworkId, { role }] of this.#frameworks) {
      const task = role === 'marathon' ? this.#tasks.get(frameworkId)?.get(id) : undefined;
      if (task !== undefined) return task;
    }
    return undefined;
  }

  serviceNames(): IterableIterator<string> {
    return this.#byService.keys();
  }

  tasksOfService(name: string): ReadonlySet<KnownTask> {
    return this.#byService.get(name) ?? NONE;
  }

  /** Instead of what was known of it. Returns the name of its service, if it has one. */
  put(task: KnownTask): string | null {
    const before = this.task(task.frameworkId, task.id);
    if (before !== undefined) this.drop(before);
    into(this.#tasks, task.frameworkId, () => new Map<TaskId, KnownTask>()).set(task.id, task);
    into(this.#byAgent, task.agentId, () => new Set<KnownTask>()).add(task);
    const service = this.#nameFor(task);
    if (service === null) return null;
    this.#serviceOf.set(task, service);
    into(this.#byService, service, () => new Set<KnownTask>()).add(task);
    return service;
  }

  /** Returns the name of its service, if it had one. */
  drop(task: KnownTask): string | null {
    outOf(this.#tasks, task.frameworkId, (tasks) => tasks.delete(task.id));
    outOf(this.#byAgent, task.agentId, (tasks) => tasks.delete(task));
    const service = this.serviceOf(task);
    if (service === null) return null;
    this.#serviceOf.delete(task);
    outOf(this.#byService, service, (tasks) => tasks.delete(task));
    return service;
  }

  /** The name of the service that a task in these contents is part of. */
  serviceOf(task: KnownTask): string | null {
    return this.#serviceOf.get(task) ?? null;
  }

  #nameFor({ frameworkId, discoverable }: KnownTask): string | null {
    const framework = this.#frameworks.get(frameworkId);
    if (framework?.role !== 'named' || discoverable === null) return null;
    return serviceName(framework.name, discoverable.name);
  }
}

const NONE: ReadonlySet<KnownTask> = new Set();

function into<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function outOf<K, V extends { readonly size: number }>(map: Map<K, V>, key: K, take: (value: V) => void): void {
  const known = map.get(key);
  if (known === undefined) return;
  take(known);
  if (known.size === 0) map.delete(key);
}
