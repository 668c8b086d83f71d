/**
 * What the proxies report of their traffic, put together over the last seconds: for each service and for each node, as
 * the outgoing routers saw it (each request once, with its retries). Time is passed in.
 */

import type { Report } from '../agent-proxy/control/contract.ts';
import { LATENCY_BUCKETS, latencyOfBucket } from '../agent-proxy/control/latency-scale.ts';

export const TRAFFIC_WINDOW_MS = 10_000;
const SLICE_MS = 500;
/** Reports come about each second; after twice that nobody reports any more. */
const USUAL_SILENCE_MS = 2_000;
/** A first report may cover a few milliseconds, of which no rate should be made. */
const MIN_COVERED_MS = 1_000;
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
  /** Milliseconds that each agent's reports in this slice cover. */
  readonly covered: Map<string, number>;
  readonly services: Map<string, Sum>;
  readonly nodes: Map<string, Sum>;
}

export class TrafficWindow {
  #slices: Slice[] = [];
  #newestAt = 0;

  add(report: Report, now: number): void {
    const slice = this.#slice(now);
    this.#newestAt = now;
    slice.covered.set(report.agentId, (slice.covered.get(report.agentId) ?? 0) + report.windowMs);
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

  /** How much time the figures cover, milliseconds: on average over the proxies that reported. */
  windowMs(now: number): number {
    this.#forget(now);
    const covered = this.#covered();
    let sum = 0;
    for (const ms of covered.values()) sum += ms;
    return this.#span(covered.size === 0 ? 0 : sum / covered.size, now);
  }

  /** Milliseconds that the reports in the window say that they cover, by agent: a report less or more than the window. */
  #covered(): Map<string, number> {
    const covered = new Map<string, number>();
    for (const slice of this.#slices) {
      for (const [agentId, ms] of slice.covered) covered.set(agentId, (covered.get(agentId) ?? 0) + ms);
    }
    return covered;
  }

  /** With the silence since, should all proxies have fallen silent. */
  #span(coveredMs: number, now: number): number {
    return Math.max(MIN_COVERED_MS, coveredMs + Math.max(0, now - this.#newestAt - USUAL_SILENCE_MS));
  }

  #figures(kind: 'services' | 'nodes', keys: Iterable<string>, now: number): Map<string, Figures> {
    const mean = this.windowMs(now);
    // A node's rate is over what its own reports cover; a service's is made of many nodes' reports.
    const own = kind === 'nodes' ? this.#covered() : null;
    const out = new Map<string, Figures>();
    for (const key of keys) {
      const total = new Sum();
      for (const slice of this.#slices) {
        const sum = slice[kind].get(key);
        if (sum !== undefined) total.add({ ...sum, latency: sum.buckets });
      }
      out.set(key, {
        rps: total.requests / ((own === null ? mean : this.#span(own.get(key) ?? 0, now)) / 1000),
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
    const slice: Slice = { number, covered: new Map(), services: new Map(), nodes: new Map() };
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
