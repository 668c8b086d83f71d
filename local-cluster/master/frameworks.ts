/** The frameworks that this master knows: their subscription, roles and tasks. */
import type {
  AgentId,
  EventWire,
  FrameworkId,
  FrameworkInfo,
  TaskId,
} from '../../framework/mesos-http-client/messages.ts';
import { add, type Resources } from './resources.ts';
import type { Subscription } from './subscription.ts';
import { isTerminal, type TaskRecord } from './tasks.ts';

/** An operation that was carried out, its feedback not acknowledged yet. */
export interface FinishedOperation {
  readonly id: string;
  readonly agentId: AgentId;
  /** Base64 of 16 bytes. */
  readonly uuid: string;
  stopResend: () => void;
}

/** How a framework is linked to this master. */
export type FrameworkLink =
  /** Its stream is open. */
  | { readonly kind: 'connected'; readonly stream: Subscription<EventWire> }
  /** Its stream ended; removed when `failover_timeout` has passed. */
  | { readonly kind: 'disconnected'; readonly stopTimer: () => void }
  /** Known only from tasks of agents that registered again after a master failover. */
  | { readonly kind: 'recovered' };

export interface FrameworkRecord {
  readonly id: FrameworkId;
  info: FrameworkInfo;
  link: FrameworkLink;
  suppressed: Set<string>;
  readonly tasks: Map<TaskId, TaskRecord>;
  readonly unreachable: Map<TaskId, TaskRecord>;
  /** Carried out and not acknowledged, by operation id. */
  readonly operations: Map<string, FinishedOperation>;
  /** Oldest first, bounded. */
  readonly completed: TaskRecord[];
  registeredAt: number;
  reregisteredAt: number;
}

/** Mesos' defaults (`--max_completed_tasks_per_framework`, `--max_completed_frameworks`). */
const MAX_COMPLETED_TASKS = 1000;
const MAX_COMPLETED_FRAMEWORKS = 50;

export function rolesOf(info: FrameworkInfo): readonly string[] {
  return hasCapability(info, 'MULTI_ROLE') ? (info.roles ?? []) : [info.role ?? '*'];
}

export function hasCapability(info: FrameworkInfo, type: string): boolean {
  return (info.capabilities ?? []).some((capability) => capability.type === type);
}

export function isPartitionAware(framework: FrameworkRecord): boolean {
  return hasCapability(framework.info, 'PARTITION_AWARE');
}

/** Hands an event to a framework if it is connected; else it is lost, as in Mesos. */
export function sendTo(framework: FrameworkRecord, event: EventWire): void {
  if (framework.link.kind === 'connected') framework.link.stream.send(event);
}

/** What its tasks hold; a terminal task holds nothing, acknowledged or not. */
export function activeResources(framework: FrameworkRecord): Resources {
  const active = [...framework.tasks.values()].filter((task) => !isTerminal(task.state));
  return add(
    [],
    active.flatMap((task) => task.resources),
  );
}

export function completeTask(framework: FrameworkRecord, task: TaskRecord): void {
  framework.tasks.delete(task.id);
  framework.unreachable.delete(task.id);
  framework.completed.push(task);
  if (framework.completed.length > MAX_COMPLETED_TASKS) framework.completed.shift();
}

export class FrameworkTable {
  readonly #byId = new Map<FrameworkId, FrameworkRecord>();
  readonly #completed: FrameworkRecord[] = [];

  get(id: FrameworkId): FrameworkRecord | undefined {
    return this.#byId.get(id);
  }

  all(): FrameworkRecord[] {
    return [...this.#byId.values()];
  }

  /** Torn down or timed out: bounded, the oldest are forgotten. */
  completed(): readonly FrameworkRecord[] {
    return this.#completed;
  }

  isCompleted(id: FrameworkId): boolean {
    return this.#completed.some((framework) => framework.id === id);
  }

  add(id: FrameworkId, info: FrameworkInfo, link: FrameworkLink, now: number): FrameworkRecord {
    const framework: FrameworkRecord = {
      id,
      info: { ...info, id: { value: id } },
      link,
      suppressed: new Set(),
      tasks: new Map(),
      unreachable: new Map(),
      operations: new Map(),
      completed: [],
      registeredAt: now,
      reregisteredAt: now,
    };
    this.#byId.set(id, framework);
    return framework;
  }

  remove(framework: FrameworkRecord): void {
    this.#byId.delete(framework.id);
    this.#completed.push(framework);
    if (this.#completed.length > MAX_COMPLETED_FRAMEWORKS) this.#completed.shift();
  }
}
