/**
 * How many instances of each app wait for an offer, and since when; and Marathon's backoff, which keeps an app that
 * crashes at once from being launched in a tight loop.
 */
import type { AppRecord } from './app-store.ts';
import type { RefusalCount } from './offer-matcher.ts';

/** A task that ran this long was no crash at launch: its successor starts at once, and the backoff begins anew. */
export const STABLE_RUN_MS = 5_000;

interface Backoff {
  /** Of which configuration: a new one deserves a fresh start. */
  readonly configVersion: string;
  readonly delayMs: number;
  readonly until: number;
}

/** What one app waits for. */
export interface QueueEntry {
  readonly record: AppRecord;
  readonly count: number;
  readonly since: number;
  /** Offers that were looked at since, and why they were not used. */
  processedOffers: number;
  unusedOffers: number;
  refusals: RefusalCount;
  lastUnused: number | null;
}

export class LaunchQueue {
  readonly #entries = new Map<string, QueueEntry>();
  readonly #backoffs = new Map<string, Backoff>();

  /** Set how many instances an app wants now. */
  want(record: AppRecord, count: number, now: number): void {
    const id = record.spec.id;
    const old = this.#entries.get(id);
    if (count === 0) {
      this.#entries.delete(id);
      return;
    }
    this.#entries.set(id, {
      record,
      count,
      since: old?.since ?? now,
      processedOffers: old?.processedOffers ?? 0,
      unusedOffers: old?.unusedOffers ?? 0,
      refusals: old?.refusals ?? {},
      lastUnused: old?.lastUnused ?? null,
    });
  }

  forget(appId: string): void {
    this.#entries.delete(appId);
    this.#backoffs.delete(appId);
  }

  entries(): QueueEntry[] {
    return [...this.#entries.values()];
  }

  /** The entries whose backoff is over. */
  ready(now: number): QueueEntry[] {
    return this.entries().filter((entry) => this.delayUntil(entry.record) <= now);
  }

  /** When the next backoff of a waiting app ends, or null. */
  nextReadyAt(now: number): number | null {
    const later = this.entries()
      .map((entry) => this.delayUntil(entry.record))
      .filter((until) => until > now);
    return later.length === 0 ? null : Math.min(...later);
  }

  /** When the app may be launched again; 0 without backoff. */
  delayUntil(record: AppRecord): number {
    return this.#backoffOf(record)?.until ?? 0;
  }

  /** An instance ended by itself after `ranMs` of running (0: it never ran). */
  failed(record: AppRecord, ranMs: number, now: number): void {
    const id = record.spec.id;
    if (ranMs >= STABLE_RUN_MS) {
      this.#backoffs.delete(id);
      return;
    }
    const { backoffSeconds, backoffFactor, maxLaunchDelaySeconds } = record.spec;
    const before = this.#backoffOf(record);
    const grown = before === undefined ? backoffSeconds * 1000 : before.delayMs * backoffFactor;
    const delayMs = Math.min(grown, maxLaunchDelaySeconds * 1000);
    this.#backoffs.set(id, { configVersion: record.lastConfigChangeAt, delayMs, until: now + delayMs });
  }

  /** `DELETE /v2/queue/<id>/delay`. */
  resetDelay(appId: string): void {
    this.#backoffs.delete(appId);
  }

  #backoffOf(record: AppRecord): Backoff | undefined {
    const backoff = this.#backoffs.get(record.spec.id);
    return backoff?.configVersion === record.lastConfigChangeAt ? backoff : undefined;
  }
}
