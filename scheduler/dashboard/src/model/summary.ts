/** The mesh in a few figures: the tiles at the head of the page, and one point of its charts. */
import type { TrafficAnswer } from './answers.ts';
import type { NodeRow, ServiceRow } from './rows.ts';
import { stateRank } from './rows.ts';

export interface Summary {
  /** Those that are to have a proxy. */
  readonly nodes: number;
  readonly nodesHealthy: number;
  /** Those that the placement leaves out. */
  readonly nodesExcluded: number;
  /** States other than healthy and excluded with how many nodes are in them, the worst first. */
  readonly troubled: readonly { readonly state: string; readonly count: number }[];
  readonly services: number;
  /** Services with an instance that takes no traffic. */
  readonly servicesDegraded: number;
  readonly instances: number;
  readonly instancesHealthy: number;
}

export function summarise(nodes: readonly NodeRow[], services: readonly ServiceRow[]): Summary {
  const counts = new Map<string, number>();
  for (const { state } of nodes) counts.set(state, (counts.get(state) ?? 0) + 1);
  const sum = (of: (row: ServiceRow) => number) => services.reduce((total, row) => total + of(row), 0);
  return {
    nodes: nodes.length - (counts.get('excluded') ?? 0),
    nodesHealthy: counts.get('healthy') ?? 0,
    nodesExcluded: counts.get('excluded') ?? 0,
    troubled: [...counts]
      .filter(([state]) => state !== 'healthy' && state !== 'excluded')
      .map(([state, count]) => ({ state, count }))
      .sort((a, b) => stateRank(a.state) - stateRank(b.state)),
    services: services.length,
    servicesDegraded: services.filter((row) => row.healthy < row.total).length,
    instances: sum((row) => row.total),
    instancesHealthy: sum((row) => row.healthy),
  };
}

/** The whole mesh's traffic at one moment. */
export interface MeshTraffic {
  readonly rps: number;
  readonly successRate: number | null;
  /** The median node's p50, each node weighing as much as its traffic. */
  readonly p50Ms: number | null;
  /** The slowest node's p99: percentiles cannot be added up, so the worst one is named. */
  readonly p99Ms: number | null;
}

/**
 * Sums up the nodes' figures. They count a request where it enters the mesh, once for each call: a request to `web`
 * that makes two calls of its own is three.
 */
export function meshTraffic(traffic: TrafficAnswer): MeshTraffic {
  const busy = traffic.nodes.filter((node) => node.rps > 0);
  const rps = busy.reduce((total, node) => total + node.rps, 0);
  const judged = busy.filter((node) => typeof node.successRate === 'number');
  const judgedRps = judged.reduce((total, node) => total + node.rps, 0);
  const succeeded = judged.reduce((total, node) => total + node.rps * (node.successRate ?? 0), 0);
  const slowest = busy.reduce<number | null>(
    (worst, { p99Ms }) => (typeof p99Ms === 'number' && (worst === null || p99Ms > worst) ? p99Ms : worst),
    null,
  );
  return {
    rps,
    // Divided and multiplied by the same sums, 1 may come out as 0.9999999: nothing failed then.
    successRate: judgedRps === 0 ? null : judged.every((n) => n.successRate === 1) ? 1 : succeeded / judgedRps,
    p50Ms: weightedMedian(busy),
    p99Ms: slowest,
  };
}

function weightedMedian(nodes: TrafficAnswer['nodes']): number | null {
  const known = nodes
    .flatMap(({ p50Ms, rps }) => (typeof p50Ms === 'number' ? [{ p50Ms, rps }] : []))
    .sort((a, b) => a.p50Ms - b.p50Ms);
  const half = known.reduce((total, node) => total + node.rps, 0) / 2;
  let passed = 0;
  for (const { p50Ms, rps } of known) {
    passed += rps;
    if (passed >= half) return p50Ms;
  }
  return null;
}
