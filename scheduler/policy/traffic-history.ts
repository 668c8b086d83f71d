/**
 * What each node's proxy has counted, by service and side, so that what comes after a change can be compared with what was
 * before. Counters only grow; marks are set at them every few seconds, and kept for a minute. Time is passed in.
 */
import type { Report } from '../../agent-proxy/control/contract.ts';

export interface Counts {
  readonly requests: number;
  readonly failures: number;
  /** Of the failures. */
  readonly proxyErrors: number;
}

export interface Figures {
  /** Milliseconds that the counts cover. */
  readonly coveredMs: number;
  /** By `outgoing web`, `incoming web`. */
  readonly services: ReadonlyMap<string, Counts>;
}

export const NO_COUNTS: Counts = { requests: 0, failures: 0, proxyErrors: 0 };

/** Where a node's counters stood. */
export interface Mark {
  readonly at: number;
  readonly coveredMs: number;
  readonly requests: number;
  /** Three figures for each service, in the order in which the services came. */
  readonly values: Float64Array;
}

const NOTHING: Mark = { at: 0, coveredMs: 0, requests: 0, values: new Float64Array() };

const MARK_MS = 5_000;
/** The past that a node is compared with is so long at most. */
const MARKS = 12;
/** Services and sides of one node; more of them are not judged. */
const MAX_SERVICES = 1_000;
const MAX_NODES = 20_000;

class NodeCounters {
  readonly services = new Map<string, { requests: number; failures: number; proxyErrors: number }>();
  coveredMs = 0;
  /** Of all services. */
  requests = 0;
  marks: Mark[] = [];

  mark(at: number): Mark {
    const values = new Float64Array(this.services.size * 3);
    let index = 0;
    for (const { requests, failures, proxyErrors } of this.services.values()) {
      values[index] = requests;
      values[index + 1] = failures;
      values[index + 2] = proxyErrors;
      index += 3;
    }
    return { at, coveredMs: this.coveredMs, requests: this.requests, values };
  }

  since({ coveredMs, values }: Mark): Figures {
    const services = new Map<string, Counts>();
    let index = 0;
    for (const [key, now] of this.services) {
      const requests = now.requests - (values[index] ?? 0);
      const failures = now.failures - (values[index + 1] ?? 0);
      const proxyErrors = now.proxyErrors - (values[index + 2] ?? 0);
      if (requests > 0) services.set(key, { requests, failures, proxyErrors });
      index += 3;
    }
    return { coveredMs: this.coveredMs - coveredMs, services };
  }
}

export class TrafficHistory {
  readonly #nodes = new Map<string, NodeCounters>();

  add(report: Pick<Report, 'agentId' | 'windowMs' | 'traffic'>, now: number): void {
    const node = this.#node(report.agentId);
    if (node === null) return;
    const last = node.marks.at(-1);
    if (last === undefined || now - last.at >= MARK_MS) {
      node.marks.push(node.mark(now));
      if (node.marks.length > MARKS) node.marks.shift();
    }
    node.coveredMs += report.windowMs;
    for (const { requests } of report.traffic) node.requests += requests;
    for (const { service, router, requests, failures, proxyErrors } of report.traffic) {
      const key = `${router} ${service}`;
      let counts = node.services.get(key);
      if (counts === undefined) {
        if (node.services.size >= MAX_SERVICES) continue;
        counts = { requests: 0, failures: 0, proxyErrors: 0 };
        node.services.set(key, counts);
      }
      counts.requests += requests;
      counts.failures += failures;
      counts.proxyErrors += proxyErrors;
    }
  }

  /** Of the last minute, or of as much as is known; null where nothing is. */
  past(agentId: string): Figures | null {
    const node = this.#nodes.get(agentId);
    const [oldest] = node?.marks ?? [];
    if (node === undefined || oldest === undefined) return null;
    return node.since(oldest);
  }

  /** Requests of the same time, outgoing and incoming. */
  requests(agentId: string): number {
    const node = this.#nodes.get(agentId);
    return node === undefined ? 0 : node.requests - (node.marks[0]?.requests ?? 0);
  }

  /** Null of a node that has not reported yet: all that it will report counts. */
  mark(agentId: string, now: number): Mark | null {
    return this.#nodes.get(agentId)?.mark(now) ?? null;
  }

  since(agentId: string, mark: Mark | null): Figures {
    const node = this.#nodes.get(agentId);
    if (node === undefined) return sumOf([]);
    return node.since(mark ?? NOTHING);
  }

  keepOnly(agentIds: ReadonlySet<string>): void {
    for (const agentId of this.#nodes.keys()) if (!agentIds.has(agentId)) this.#nodes.delete(agentId);
  }

  #node(agentId: string): NodeCounters | null {
    const known = this.#nodes.get(agentId);
    if (known !== undefined) return known;
    if (this.#nodes.size >= MAX_NODES) return null;
    const node = new NodeCounters();
    this.#nodes.set(agentId, node);
    return node;
  }
}

/** Of several nodes together; times too, so that rates are those of one node. */
export function sumOf(all: readonly Figures[]): Figures {
  const services = new Map<string, Counts>();
  let coveredMs = 0;
  for (const figures of all) {
    coveredMs += figures.coveredMs;
    for (const [key, { requests, failures, proxyErrors }] of figures.services) {
      const sum = services.get(key) ?? NO_COUNTS;
      services.set(key, {
        requests: sum.requests + requests,
        failures: sum.failures + failures,
        proxyErrors: sum.proxyErrors + proxyErrors,
      });
    }
  }
  return { coveredMs, services };
}
