/**
 * The rows of both tables: what the scheduler says of nodes and services, joined with the figures of their traffic.
 */
import type { InstanceAnswer, NodeAnswer, NodeState, ServiceAnswer, TrafficAnswer } from './answers.ts';
import { NODE_STATES } from './answers.ts';
import { roundUp } from './format.ts';

/** What runs and what should run; the same when `wanted` is null. */
export interface Revision {
  readonly running: string | null;
  /** Null when it is what runs already. */
  readonly wanted: string | null;
}

/** Figures of the traffic of late; all null when the scheduler has none for the row. */
export interface Figures {
  readonly rps: number | null;
  readonly successRate: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface NodeRow extends Figures {
  readonly key: string;
  readonly hostname: string;
  /** Null where the hostname is the address. */
  readonly ip: string | null;
  readonly kind: 'public' | 'private';
  readonly state: string;
  readonly reason: string | null;
  /** ISO 8601, as the scheduler said it. */
  readonly since: string | null;
  readonly version: Revision;
  readonly config: Revision;
}

export interface InstanceRow {
  readonly key: string;
  readonly instance: string;
  readonly endpoint: string;
  /** Ports besides the first, `name :port`. */
  readonly morePorts: readonly string[];
  /** The hostname of the agent, or its id while the node is not known. */
  readonly agent: string;
  readonly agentId: string;
  readonly healthy: boolean;
}

export interface ServiceRow extends Figures {
  readonly key: string;
  readonly name: string;
  readonly healthy: number;
  readonly total: number;
  readonly p95Ms: number | null;
  readonly retries: number | null;
  readonly instances: readonly InstanceRow[];
}

const NO_FIGURES: Figures = { rps: null, successRate: null, p50Ms: null, p99Ms: null };

function revision(running: string | undefined, wanted: string | undefined): Revision {
  return { running: running ?? null, wanted: wanted === undefined || wanted === running ? null : wanted };
}

/** A proxy hears every second that its table is right, and reports at least every few. Seconds. */
const OLD_TABLE = 15;

/** What is to be said of the table that the proxy has; null where it is the scheduler's. */
function tableNote(sync: NodeAnswer['sync']): string | null {
  if (sync?.digestOk === false) return 'Its table is not the one of the scheduler; it is sent again.';
  const age = sync?.ageSeconds ?? 0;
  return age < OLD_TABLE ? null : `Its table is ${age} s old: it has not heard the newest since.`;
}

/** One row a node. */
export function nodeRows(nodes: readonly NodeAnswer[], traffic: TrafficAnswer | null): NodeRow[] {
  const figures = new Map(traffic?.nodes.map((row) => [row.agentId, row]));
  return nodes.map((node) => {
    const own = figures.get(node.agentId);
    return {
      key: node.agentId,
      hostname: node.hostname,
      ip: node.ip === node.hostname ? null : node.ip,
      kind: node.public ? 'public' : 'private',
      state: node.state,
      reason: node.reason ?? tableNote(node.sync),
      since: node.since ?? null,
      version: revision(node.running?.version, node.wanted?.version),
      config: revision(node.running?.configRevision.toString(), node.wanted?.configRevision.toString()),
      ...(own === undefined ? NO_FIGURES : figuresOf(own)),
    };
  });
}

function figuresOf(row: TrafficAnswer['nodes'][number]): Figures {
  return {
    rps: row.rps,
    successRate: row.successRate ?? null,
    p50Ms: row.p50Ms ?? null,
    p99Ms: row.p99Ms ?? null,
  };
}

/** One row a service, with its instances; `nodes` turns agent ids into hostnames. */
export function serviceRows(
  services: readonly ServiceAnswer[],
  traffic: TrafficAnswer | null,
  nodes: readonly NodeAnswer[],
): ServiceRow[] {
  const figures = new Map(traffic?.services.map((row) => [row.name, row]));
  const hostnames = new Map(nodes.map((node) => [node.agentId, node.hostname]));
  return services.map((service) => {
    const own = figures.get(service.name);
    return {
      key: service.name,
      name: service.name,
      healthy: service.endpoints.filter((endpoint) => endpoint.healthy).length,
      total: service.endpoints.length,
      ...(own === undefined ? NO_FIGURES : figuresOf({ ...own, agentId: '' })),
      p95Ms: own?.p95Ms ?? null,
      retries: own?.retries ?? null,
      instances: service.endpoints.map((endpoint) => instanceRow(endpoint, hostnames)),
    };
  });
}

function instanceRow(endpoint: InstanceAnswer, hostnames: ReadonlyMap<string, string>): InstanceRow {
  return {
    key: endpoint.instance,
    instance: endpoint.instance,
    endpoint: endpoint.address.includes(':')
      ? `[${endpoint.address}]:${endpoint.port}`
      : `${endpoint.address}:${endpoint.port}`,
    morePorts: endpoint.ports
      .filter((port) => port.port !== endpoint.port)
      .map((port) => (port.name === '' ? `:${port.port}` : `${port.name} :${port.port}`)),
    agent: hostnames.get(endpoint.agentId) ?? endpoint.agentId,
    agentId: endpoint.agentId,
    healthy: endpoint.healthy,
  };
}

/** How badly a state needs a person: 0 is worst. A word that this page does not know comes before `healthy`. */
export function stateRank(state: string): number {
  const rank = NODE_STATES.indexOf(state as NodeState);
  return rank === -1 ? NODE_STATES.indexOf('healthy') - 0.5 : rank;
}

/** The share of a service's instances that takes traffic; a service without instances has none of it. */
export function healthyShare(row: ServiceRow): number {
  return row.total === 0 ? 0 : row.healthy / row.total;
}

/**
 * The instances to show where there is room for `limit` of them: those that take no traffic before the others, but in
 * the order in which they came.
 */
export function firstInstances(instances: readonly InstanceRow[], limit: number): readonly InstanceRow[] {
  if (instances.length <= limit) return instances;
  const chosen = new Set([...instances].sort((a, b) => Number(a.healthy) - Number(b.healthy)).slice(0, limit));
  return instances.filter((instance) => chosen.has(instance));
}

/** The end of the scale of requests a second: a round number, so that not every bar is drawn anew every second. */
export function rpsScale(rows: readonly Figures[] | null): number {
  return roundUp((rows ?? []).reduce((peak, { rps }) => Math.max(peak, rps ?? 0), 0));
}

/**
 * The new rows, but each row that says the same as before is the very object of before: what is drawn from it needs
 * no second look. Rows are compared by what they hold, at any depth.
 */
export function keepUnchanged<Row extends { readonly key: string }>(
  before: readonly Row[],
  after: readonly Row[],
): readonly Row[] {
  const known = new Map(before.map((row) => [row.key, row]));
  let same = before.length === after.length;
  const rows = after.map((row, index) => {
    const old = known.get(row.key);
    const kept = old !== undefined && equal(old, row) ? old : row;
    if (kept !== before[index]) same = false;
    return kept;
  });
  return same ? before : rows;
}

function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => equal(value, b[index]));
  }
  const left = Object.entries(a);
  const right = new Map<string, unknown>(Object.entries(b));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && equal(value, right.get(key)));
}
