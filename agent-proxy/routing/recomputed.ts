/**
 * A value that is computed from other activities: it is computed again when one of those changes that the last
 * computation looked at, and only those are observed.
 */
import type { Activity, ActivityState, Unsubscribe } from './activity.ts';
import { Listeners } from './listeners.ts';

/** An activity that changes whenever somebody looks at it would keep a computation going for ever. */
const MAX_ROUNDS = 100;

/** Looks at an activity: it is observed from now on, so that what is read is never old. */
export type Watch = <T>(activity: Activity<T>) => ActivityState<T>;

export class Recomputed<T> implements Activity<T> {
  private readonly compute: (watch: Watch) => ActivityState<T>;
  private readonly equal: (a: T, b: T) => boolean;
  private current: ActivityState<T> = { kind: 'pending' };
  private readonly listeners = new Listeners<void>();
  /** What the last computation looked at, and what this one does. */
  private watched = new Map<Activity<unknown>, Unsubscribe>();
  private watching = new Map<Activity<unknown>, Unsubscribe>();
  private isComputing = false;
  private isStale = false;

  /** Listeners do not hear of a value that is `equal` to the one before. */
  constructor(compute: (watch: Watch) => ActivityState<T>, equal: (a: T, b: T) => boolean) {
    this.compute = compute;
    this.equal = equal;
  }

  get state(): ActivityState<T> {
    return this.current;
  }

  observe(listener: () => void): Unsubscribe {
    // It does not hear of the computation that it starts.
    if (this.listeners.isEmpty) this.recompute();
    const remove = this.listeners.add(listener);
    return () => {
      if (remove() && this.listeners.isEmpty) this.stop();
    };
  }

  private readonly watch: Watch = (activity) => {
    if (!this.watching.has(activity)) {
      this.watching.set(activity, this.watched.get(activity) ?? activity.observe(this.changed));
    }
    return activity.state;
  };

  private readonly changed = (): void => {
    this.isStale = true;
    // An activity may change while it is looked at: the computation then goes once more.
    if (this.isComputing || !this.recompute()) return;
    this.listeners.tell();
  };

  /** Whether the state changed. */
  private recompute(): boolean {
    this.isComputing = true;
    try {
      let next = this.computeOnce();
      for (let round = 1; this.isStale && round < MAX_ROUNDS; round += 1) next = this.computeOnce();
      if (!this.supersedes(next)) return false;
      this.current = next;
      return true;
    } finally {
      this.isComputing = false;
    }
  }

  private computeOnce(): ActivityState<T> {
    this.isStale = false;
    this.watching = new Map();
    try {
      return this.compute(this.watch);
    } finally {
      // The new ones are observed before the old ones are let go, so that nothing stops in between that both need.
      const before = this.watched;
      this.watched = this.watching;
      for (const [activity, stop] of before) if (!this.watched.has(activity)) stop();
    }
  }

  /** linkerd's rule: once there was a value, a failure or a wait changes nothing, and the last good value is kept. */
  private supersedes(next: ActivityState<T>): boolean {
    const { current } = this;
    if (next.kind === 'ok') return current.kind !== 'ok' || !this.equal(next.value, current.value);
    if (current.kind === 'ok') return false;
    if (next.kind === 'failed' && current.kind === 'failed') return next.reason !== current.reason;
    return next.kind !== current.kind;
  }

  private stop(): void {
    const { watched } = this;
    this.watched = new Map();
    for (const stop of watched.values()) stop();
  }
}
