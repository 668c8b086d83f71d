/**
 * A value that changes: what it is now, and a way to hear of the next change. The counterpart of Finagle's `Activity`,
 * without its combinators: whoever combines several reads them all again when one of them changes.
 */

import { Listeners } from './listeners.ts';

export type ActivityState<T> =
  | { readonly kind: 'pending' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'ok'; readonly value: T };

/** Ends an observation. Calling it twice does nothing. */
export type Unsubscribe = () => void;

export interface Activity<T> {
  /** The state now. Where nobody observes, it may be old or `pending`. */
  readonly state: ActivityState<T>;
  /**
   * The listener is called after each change of `state`, never from within `observe`. The first observer may start work
   * (a poll loop, a watch), the end of the last one stops it.
   */
  observe(listener: () => void): Unsubscribe;
}

export const PENDING: ActivityState<never> = { kind: 'pending' };

/** An activity that never changes. */
export function constant<T>(value: T): Activity<T> {
  const state: ActivityState<T> = { kind: 'ok', value };
  return { state, observe: () => () => undefined };
}

/**
 * An activity that is set by its owner. Once it was `ok`, a failure is ignored: the last good value is kept (linkerd's
 * rule for names and addresses).
 */
export class Var<T> implements Activity<T> {
  private current: ActivityState<T>;
  private readonly listeners = new Listeners<void>();
  private readonly whenObserved: (() => Unsubscribe) | null;
  private stop: Unsubscribe | null = null;

  /** `whenObserved` is called for the first observer; what it returns is called when the last one is gone. */
  constructor(initial: ActivityState<T> = PENDING, whenObserved: (() => Unsubscribe) | null = null) {
    this.current = initial;
    this.whenObserved = whenObserved;
  }

  get state(): ActivityState<T> {
    return this.current;
  }

  get isObserved(): boolean {
    return !this.listeners.isEmpty;
  }

  ok(value: T): void {
    this.change({ kind: 'ok', value });
  }

  failed(reason: string): void {
    if (this.current.kind !== 'ok') this.change({ kind: 'failed', reason });
  }

  observe(listener: () => void): Unsubscribe {
    const isFirst = this.listeners.isEmpty;
    const remove = this.listeners.add(listener);
    if (isFirst && this.whenObserved !== null) this.stop = this.whenObserved();
    return () => {
      if (!remove() || !this.listeners.isEmpty) return;
      const { stop } = this;
      this.stop = null;
      stop?.();
    };
  }

  private change(state: ActivityState<T>): void {
    this.current = state;
    this.listeners.tell();
  }
}
