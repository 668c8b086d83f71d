/**
 * Counts for the next report to the scheduler: for each service and router what happened since the last one that the
 * scheduler took.
 */
import type { AskedName, Traffic } from '../control/contract.ts';
import { BucketCounts } from './bucket-counts.ts';
import { fastLatencyBucket } from './latency-buckets.ts';

type Router = Traffic['router'];

class ServiceWindow {
  requests = 0;
  failures = 0;
  proxyErrors = 0;
  retries = 0;
  readonly latency = new BucketCounts();
}

/** Counts of one window, given back when the report with them did not arrive. */
export interface TrafficWindow {
  readonly startedAt: number;
  readonly traffic: readonly Traffic[];
  /** Names that had a request. */
  readonly names: readonly AskedName[];
}

/** More services than a table has; beyond it new ones are not counted until the next report. */
const MAX_SERVICES = 20_000;
/** Names come from clients, and several of them go in one message. */
const MAX_NAMES = 5_000;
const MAX_NAME_LENGTH = 400;

export class TrafficCounter {
  private startedAt: number;
  private windows: Record<Router, Map<string, ServiceWindow>> = { outgoing: new Map(), incoming: new Map() };
  private names = new Map<string, AskedName>();
  /** Windows so far. */
  private taken = 0;

  constructor(now: number) {
    this.startedAt = now;
  }

  /** Of the present window: whoever told a name within it need not tell it again. */
  get windowNumber(): number {
    return this.taken + 1;
  }

  /** A request by this name, evaluated in this namespace. */
  asked(namespace: string, name: string): void {
    if (this.names.size >= MAX_NAMES || name.length > MAX_NAME_LENGTH) return;
    this.names.set(`${namespace} ${name}`, { namespace, name });
  }

  /** `isOwnError`: it failed by the proxy's own doing. */
  record(
    router: Router,
    service: string,
    success: boolean,
    latencyMs: number,
    retries: number,
    isOwnError = false,
  ): void {
    const window = this.window(router, service);
    if (window === null) return;
    window.requests += 1;
    if (!success) window.failures += 1;
    if (isOwnError) window.proxyErrors += 1;
    window.retries += retries;
    window.latency.increment(fastLatencyBucket(latencyMs));
  }

  /** The counts so far; a new window begins. */
  take(now: number): TrafficWindow {
    const taken: Traffic[] = [];
    for (const router of ['outgoing', 'incoming'] as const) {
      for (const [service, { requests, failures, proxyErrors, retries, latency }] of this.windows[router]) {
        taken.push({ service, router, requests, failures, proxyErrors, retries, latency: latency.pairs() });
      }
    }
    const window = { startedAt: this.startedAt, traffic: taken, names: [...this.names.values()] };
    this.windows = { outgoing: new Map(), incoming: new Map() };
    this.names = new Map();
    this.taken += 1;
    this.startedAt = now;
    return window;
  }

  /** Adds counts that were taken and did not arrive to those of the present window. */
  giveBack(lost: TrafficWindow): void {
    this.startedAt = lost.startedAt;
    for (const { namespace, name } of lost.names) this.asked(namespace, name);
    for (const counts of lost.traffic) {
      const window = this.window(counts.router, counts.service);
      if (window === null) continue;
      window.requests += counts.requests;
      window.failures += counts.failures;
      window.proxyErrors += counts.proxyErrors;
      window.retries += counts.retries;
      for (const [bucket, count] of counts.latency) window.latency.raise(bucket, count);
    }
  }

  private window(router: Router, service: string): ServiceWindow | null {
    const windows = this.windows[router];
    let window = windows.get(service);
    if (window === undefined) {
      if (windows.size >= MAX_SERVICES) return null;
      window = new ServiceWindow();
      windows.set(service, window);
    }
    return window;
  }
}
