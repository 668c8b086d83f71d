/** An activity that is worked out from what its owner knows, again each time that the owner says so. */
import type { Activity, ActivityState, Unsubscribe } from '../activity.ts';

export class Computed<T> implements Activity<T> {
  private readonly compute: () => ActivityState<T>;
  private readonly whenObserved: () => Unsubscribe;
  private readonly listeners = new Set<() => void>();
  private current: ActivityState<T> | null = null;
  private stop: Unsubscribe | null = null;

  /**
   * `compute` returns the very state of the last time where nothing is different. `whenObserved` is called for the first
   * observer, before the state is computed; what it returns is called when the last one is gone.
   */
  constructor(compute: () => ActivityState<T>, whenObserved: () => Unsubscribe) {
    this.compute = compute;
    this.whenObserved = whenObserved;
  }

  get state(): ActivityState<T> {
    return this.current ?? this.compute();
  }

  get isObserved(): boolean {
    return this.listeners.size > 0;
  }

  /** Something that the state depends on may be different. */
  refresh(): void {
    if (this.current === null) return;
    const before = this.current;
    this.current = this.compute();
    if (this.current === before) return;
    for (const listener of [...this.listeners]) listener();
  }

  observe(listener: () => void): Unsubscribe {
    // A listener that is given twice is two observers.
    const own = (): void => listener();
    this.listeners.add(own);
    if (this.listeners.size === 1) {
      this.stop = this.whenObserved();
      this.current = this.compute();
    }
    return () => {
      if (!this.listeners.delete(own) || this.listeners.size > 0) return;
      this.current = null;
      const { stop } = this;
      this.stop = null;
      stop?.();
    };
  }
}
