/**
 * Instances that Marathon no longer lists and that are kept all the same until a second look agrees: Mesos' where there
 * is one, else Marathon's own next answer after a pause. Pure: time is passed in.
 */
import type { MarathonInstance } from '../../agent-proxy/routing/marathon-endpoints.ts';
import type { SecondLook } from './second-look.ts';

/** While Mesos says that a task lives of which Marathon knows nothing, both are looked at this often at least. */
const MAX_PAUSE_MS = 60_000;

interface Held {
  readonly service: string;
  readonly since: number;
  readonly lookAt: number;
  readonly pauseMs: number;
}

export class HeldLosses {
  readonly #confirmMs: number;
  readonly #secondLook: SecondLook;
  /** By task id. */
  readonly #held = new Map<string, Held>();

  constructor(confirmMs: number, secondLook: SecondLook) {
    this.#confirmMs = confirmMs;
    this.#secondLook = secondLook;
  }

  get size(): number {
    return this.#held.size;
  }

  has(taskId: string): boolean {
    return this.#held.has(taskId);
  }

  isGone({ taskId, mesosTaskId, agentId }: MarathonInstance): ReturnType<SecondLook['isGone']> {
    return this.#secondLook.isGone(mesosTaskId ?? taskId, agentId);
  }

  /** An instance that Marathon does not list (still). Whether it is kept. */
  keep(service: string, instance: MarathonInstance, now: number): boolean {
    const { taskId } = instance;
    const before = this.#held.get(taskId);
    const verdict = this.isGone(instance);
    const since = before?.since ?? now;
    const isOver = verdict === 'gone' || (verdict === 'unknown' && now - since >= this.#confirmMs);
    if (isOver) {
      this.#held.delete(taskId);
      return false;
    }
    const wasDue = before !== undefined && before.lookAt <= now;
    const pauseMs = wasDue ? Math.min(MAX_PAUSE_MS, before.pauseMs * 2) : (before?.pauseMs ?? this.#confirmMs);
    const lookAt = before === undefined || wasDue ? now + pauseMs : before.lookAt;
    this.#held.set(taskId, { service, since, lookAt, pauseMs });
    return true;
  }

  /** Marathon lists it again, or nobody asks any more. */
  release(taskId: string): void {
    this.#held.delete(taskId);
  }

  /** When somebody has to look again, and at which services; null when nothing is held. */
  nextLook(): { readonly at: number; readonly services: readonly string[] } | null {
    let at = Number.POSITIVE_INFINITY;
    const services = new Set<string>();
    for (const held of this.#held.values()) {
      at = Math.min(at, held.lookAt);
      services.add(held.service);
    }
    return services.size === 0 ? null : { at, services: [...services] };
  }
}
