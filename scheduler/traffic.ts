/**
 * What the proxies report of their traffic, put together over the last seconds: for each service and for each node, as
 * the outgoing routers saw it (each request once, with its retries). Time is passed in.
 */
import { LATENCY_BUCKETS, latencyOfBucket, type Report } from '../agent-proxy/control/contract.ts';

export const TRAFFIC_WINDOW_MS = 10_000;
const SLICE_MS = 500;
/** Proxies report names as clients asked for them; beyond this many a slice counts no more of them. */
const MAX_NAMES = 20_000;

export interface Figures {
  readonly rps: number;
  /** Null without traffic, like the latencies. */
  readonly successRate: number | null;
  readonly retries: number;
  latencyMs(quantile: number): number | null;
}

class Sum {
  requests = 0;
  failures = 0;
  retries = 0;
  readonly buckets = new Map<number, number>();

  add(other: {
    requests: number;
    failures: number;
    retries: number;
    latency: Iterable<readonly [number, number]>;
  }): void {
    this.requests += other.requests;
    this.failures += other.failures;
    this.retries += other.retries;
    for (const [index, count] of other.latency) {
      if (index < 0 || index >= LATENCY_BUCKETS || count <= 0) continue;
      this.buckets.set(index, (this.buckets.get(index) ?? 0) + count);
    }
  }
}

interface Slice {
  readonly number: number;
  readonly services: Map<string, Sum>;
  readonly nodes: Map<string, Sum>;
}

export class TrafficWindow {
  readonly #startedAt: number;
  #slices: Slice[] = [];

  constructor(now: number) {
    this.#startedAt = now;
  }

  add(report: Report, now: number): void {
    const slice = this.#slice(now);
    for (const traffic of report.traffic) {
      if (traffic.router !== 'outgoing') continue;
      addTo(slice.services, traffic.service, traffic);
      addTo(slice.nodes, report.agentId, traffic);
    }
  }

  services(names: Iterable<string>, now: number): Map<string, Figures> {
    return this.#figures('services', names, now);
  }

  nodes(agentIds: Iterable<string>, now: number): Map<string, Figures> {
    return this.#figures('nodes', agentIds, now);
  }

  /** How much time the figures cover: less than the whole window right after the start. */
  windowMs(now: number): number {
    return Math.min(TRAFFIC_WINDOW_MS, Math.max(1_000, now - this.#startedAt));
  }

  #figures(kind: 'services' | 'nodes', keys: Iterable<string>, now: number): Map<string, Figures> {
    this.#forget(now);
    const seconds = this.windowMs(now) / 1000;
    const out = new Map<string, Figures>();
    for (const key of keys) {
      const total = new Sum();
      for (const slice of this.#slices) {
        const sum = slice[kind].get(key);
        if (sum !== undefined) total.add({ ...sum, latency: sum.buckets });
      }
      out.set(key, {
        rps: total.requests / seconds,
        successRate: total.requests === 0 ? null : Math.max(0, 1 - total.failures / total.requests),
        retries: total.retries,
        latencyMs: (quantile) => quantileOf(total.buckets, quantile),
      });
    }
    return out;
  }

  #slice(now: number): Slice {
    const number = Math.floor(now / SLICE_MS);
    const last = this.#slices.at(-1);
    if (last !== undefined && last.number >= number) return last;
    const slice: Slice = { number, services: new Map(), nodes: new Map() };
    this.#slices.push(slice);
    this.#forget(now);
    return slice;
  }

  #forget(now: number): void {
    const oldest = Math.floor((now - TRAFFIC_WINDOW_MS) / SLICE_MS);
    this.#slices = this.#slices.filter((slice) => slice.number > oldest);
  }
}

function addTo(sums: Map<string, Sum>, key: string, traffic: Report['traffic'][number]): void {
  let sum = sums.get(key);
  if (sum === undefined) {
    if (sums.size >= MAX_NAMES) return;
    sum = new Sum();
    sums.set(key, sum);
  }
  sum.add(traffic);
}

function quantileOf(buckets: ReadonlyMap<number, number>, quantile: number): number | null {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return null;
  let seen = 0;
  for (const [index, count] of sorted) {
    seen += count;
    if (seen >= quantile * total) return latencyOfBucket(index);
  }
  return null;
}
