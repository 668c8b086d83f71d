/** Whether the requests of a node that was taken over fare worse than those of the nodes that were taken over before it. */

export interface NodeTraffic {
  readonly agentId: string;
  /** Requests a second. */
  readonly rps: number;
  /** Null without requests. */
  readonly successRate: number | null;
}

export type TrafficVerdict = {
  readonly kind: 'well' | 'too-little' | 'ill';
  readonly requests: number;
  readonly failed: number;
  readonly elsewhere: number | null;
};

/** With fewer requests in the window nothing is said. */
const LEAST_REQUESTS = 20;
const LEAST_FAILURES = 3;

/** `margin`: so much more of the requests may fail than elsewhere, as a share. */
export function judgeTraffic(
  agentId: string,
  traffic: readonly NodeTraffic[],
  windowMs: number,
  margin: number,
): TrafficVerdict {
  const sum = (nodes: readonly NodeTraffic[]): { requests: number; failures: number } => {
    const requests = nodes.reduce((all, { rps }) => all + (rps * windowMs) / 1_000, 0);
    const failures = nodes.reduce(
      (all, { rps, successRate }) => all + ((rps * windowMs) / 1_000) * (1 - (successRate ?? 1)),
      0,
    );
    return { requests, failures };
  };
  const own = sum(traffic.filter((one) => one.agentId === agentId));
  const others = sum(traffic.filter((one) => one.agentId !== agentId));
  const failed = own.requests === 0 ? 0 : own.failures / own.requests;
  const elsewhere = others.requests < LEAST_REQUESTS ? null : others.failures / others.requests;
  const about = { requests: Math.round(own.requests), failed, elsewhere };
  if (own.requests < LEAST_REQUESTS) return { kind: 'too-little', ...about };
  const isIll = own.failures >= LEAST_FAILURES && failed - (elsewhere ?? 0) > margin;
  return { kind: isIll ? 'ill' : 'well', ...about };
}
