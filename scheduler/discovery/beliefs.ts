/**
 * What is believed of instances beyond what Marathon's answer says: one that was healthy stays so for a while without a
 * result, and a young one waits for its first readiness check. Pure: time is passed in.
 */
import type { MarathonInstance } from '../../agent-proxy/routing/marathon-endpoints.ts';

/**
 * Marathon forgets the results of its own health checks when it restarts. An instance that was healthy keeps its traffic
 * this long while there is no new result.
 */
const RESULT_GRACE_MS = 60_000;

export interface Beliefs {
  /** Instances that were healthy and have no result now: until when they are believed. By task id. */
  readonly healthyUntil: ReadonlyMap<string, number>;
  /** Instances that are too young to be believed ready: until when. */
  readonly youngUntil: ReadonlyMap<string, number>;
  /** When the first of all these times is over; null: there are none. */
  readonly nextEnd: number | null;
}

export const NO_BELIEFS: Beliefs = { healthyUntil: new Map(), youngUntil: new Map(), nextEnd: null };

/** Instances as Marathon shows them → as they are taken for. */
export function withBeliefs(
  seen: readonly MarathonInstance[],
  known: readonly MarathonInstance[],
  before: Beliefs,
  now: number,
): { instances: readonly MarathonInstance[]; beliefs: Beliefs } {
  const isDoubtful = seen.some(({ health, notBefore }) => health === 'unknown' || notBefore !== null);
  if (!isDoubtful) return { instances: seen, beliefs: NO_BELIEFS };
  const knownById = new Map(known.map((instance) => [instance.taskId, instance]));
  const healthyUntil = new Map<string, number>();
  const youngUntil = new Map<string, number>();
  const instances = seen.map((instance): MarathonInstance => {
    const { taskId, state, health, notBefore, startedAt } = instance;
    const last = knownById.get(taskId);
    if (state === 'unhealthy' && health === 'unknown') {
      const until = before.healthyUntil.get(taskId) ?? (last?.health === 'passing' ? now + RESULT_GRACE_MS : 0);
      if (until <= now) return instance;
      healthyUntil.set(taskId, until);
      return { ...instance, state: 'ready' };
    }
    // One that has served before this deployment serves on.
    if (state !== 'ready' || notBefore === null || (last?.state === 'ready' && !before.youngUntil.has(taskId))) {
      return instance;
    }
    // Clocks differ: by ours it waits no longer than a check takes.
    const until = before.youngUntil.get(taskId) ?? Math.min(notBefore, now + notBefore - (startedAt ?? now));
    if (until <= now) return instance;
    youngUntil.set(taskId, until);
    return { ...instance, state: 'unhealthy' };
  });
  const ends = [...healthyUntil.values(), ...youngUntil.values()];
  return { instances, beliefs: { healthyUntil, youngUntil, nextEnd: ends.length === 0 ? null : Math.min(...ends) } };
}
