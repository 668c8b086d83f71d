/**
 * When to ask Marathon for what: doubts are collected for a moment, few of them are asked one app at a time, many with
 * the list, and an event storm cannot make us ask faster than Marathon can bear. Pure: time is passed in.
 */
import type { Dirty } from './events.ts';

export interface FetchLimits {
  /** From the first doubt to the question. */
  readonly coalesceMs: number;
  /** Up to this many doubtful apps are asked for one by one. */
  readonly singleApps: number;
  /** Questions about one app that may be asked at once, and how many a second come back. */
  readonly burst: number;
  readonly refillPerSecond: number;
  /** From one list to the next, when doubts (and not a new stream) ask for it. */
  readonly listIntervalMs: number;
}

export const FETCH_LIMITS: FetchLimits = {
  coalesceMs: 50,
  singleApps: 8,
  burst: 60,
  refillPerSecond: 5,
  listIntervalMs: 250,
};

export type FetchStep =
  | { readonly kind: 'idle' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'apps'; readonly names: readonly string[] }
  | { readonly kind: 'list' };

/** `GET /v2/apps/a/restart` is not the app `/a/restart`: Marathon has sub-resources of these names. */
const SHADOWED = /(^|\/)(restart|tasks|versions)$/;

export class FetchPlan {
  readonly #limits: FetchLimits;
  #apps = new Set<string>();
  /** When the oldest doubt about single apps, and about everything, arose; null: none. */
  #appsSince: number | null = null;
  #allSince: number | null = null;
  #urgent = false;
  #tokens: number;
  #refilledAt = 0;
  #listNotBefore = Number.NEGATIVE_INFINITY;

  constructor(limits: FetchLimits = FETCH_LIMITS) {
    this.#limits = limits;
    this.#tokens = limits.burst;
  }

  /** Notes a doubt. What is kept is bounded: many doubtful apps become a doubt about all. */
  doubt(dirty: Dirty, now: number): void {
    if (dirty.kind === 'all' || SHADOWED.test(dirty.name)) {
      this.#allSince ??= now;
      return;
    }
    this.#apps.add(dirty.name);
    this.#appsSince ??= now;
    if (this.#apps.size <= this.#limits.singleApps) return;
    this.#allSince ??= this.#appsSince;
    this.#forgetApps();
  }

  /** A new stream, a second opinion or a failure: the list, without waiting. */
  demandList(now: number): void {
    this.doubt({ kind: 'all' }, now);
    this.#urgent = true;
  }

  /** What to do now. A returned question is taken as asked: the doubts behind it are forgotten. */
  next(now: number): FetchStep {
    const listDue = this.#listDue(now);
    if (listDue <= now) {
      this.#forgetApps();
      this.#allSince = null;
      this.#urgent = false;
      this.#listNotBefore = now + this.#limits.listIntervalMs;
      return { kind: 'list' };
    }
    // A list that has to wait does not hold up the news of single apps.
    const appsDue = this.#appsDue(now);
    if (appsDue <= now) {
      const names = [...this.#apps];
      this.#tokens -= names.length;
      this.#forgetApps();
      return { kind: 'apps', names };
    }
    const due = Math.min(listDue, appsDue);
    return due === Number.POSITIVE_INFINITY ? { kind: 'idle' } : { kind: 'wait', ms: Math.ceil(due - now) };
  }

  /** How long the list took to come: the next one leaves Marathon alone for ten times as long. */
  listTook(ms: number, now: number): void {
    this.#listNotBefore = Math.max(this.#listNotBefore, now + ms * 10);
  }

  #listDue(now: number): number {
    if (this.#allSince === null) return Number.POSITIVE_INFINITY;
    return this.#urgent ? now : Math.max(this.#allSince + this.#limits.coalesceMs, this.#listNotBefore);
  }

  #appsDue(now: number): number {
    if (this.#appsSince === null) return Number.POSITIVE_INFINITY;
    const { burst, refillPerSecond, coalesceMs } = this.#limits;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#refilledAt) * refillPerSecond) / 1000);
    this.#refilledAt = now;
    const missing = Math.max(0, this.#apps.size - this.#tokens);
    return Math.max(this.#appsSince + coalesceMs, now + (missing * 1000) / refillPerSecond);
  }

  #forgetApps(): void {
    this.#apps = new Set();
    this.#appsSince = null;
  }
}
