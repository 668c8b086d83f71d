/** The control plane as the API shows it: pure functions to JSON. */
import type { Service } from '../../agent-proxy/control/contract.ts';
import type { ControlPlane } from '../control-plane.ts';
import type { SyncView } from '../distribution/session-view.ts';
import type { NodeView } from '../node-view.ts';
import type { Figures } from '../traffic.ts';

export interface Wanted {
  readonly version: string;
  readonly configRevision: number;
  /** Of the code of the proxy. */
  readonly codeSha256: string;
}

export function nodeJson({ status, session }: NodeView, wanted: Wanted): object {
  return {
    agentId: status.agentId,
    hostname: status.hostname,
    ip: status.ip,
    public: status.isPublic,
    region: status.region,
    zone: status.zone,
    state: status.state,
    reason: status.state === 'healthy' ? null : (status.reason ?? null),
    heldOut: status.heldOut,
    taskId: status.taskId,
    goal: status.goal,
    running: runningJson(session),
    wanted: status.state === 'excluded' ? null : wanted,
    sync: session === undefined ? null : syncJson(session.sync),
    since: new Date(status.since).toISOString(),
  };
}

/** Null while nothing is known: revisions begin with 1, and a proxy that has just started has none. */
function runningJson(session: NodeView['session']): object | null {
  if (session === undefined || session.configRevision < 1) return null;
  const { configRevision, configRefusal, running } = session;
  const { version, codeSha256, upgrade } = running;
  const refused = configRefusal === null ? {} : { configError: configRefusal };
  return { version, configRevision, ...refused, codeSha256, upgrade };
}

/** Null while the proxy has no control session. */
function syncJson({ revision, digestOk, repairs, tableAgeMs, reportedAt }: SyncView): object {
  const ago = reportedAt === null ? null : performance.now() - reportedAt;
  return {
    ...{ revision, digestOk, repairs },
    lastReport: ago === null ? null : new Date(Date.now() - ago).toISOString(),
    ageSeconds: ago === null || tableAgeMs === null ? null : Math.round((ago + tableAgeMs) / 1_000),
  };
}

/** In the order of their names. What is left out as a whole is listed too, for its reason. */
export function servicesJson(
  services: readonly Service[],
  skipped: ReadonlyMap<string, string>,
  labels: ServiceLabels,
): object[] {
  const known = new Set(services.map(({ name }) => name));
  const absent = [...skipped.keys()].filter((name) => !known.has(name)).map((name) => ({ name, endpoints: [] }));
  return [...services, ...absent]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((service) => serviceJson(service, skipped.get(service.name) ?? null, labels));
}

type ServiceLabels = Pick<ControlPlane['labels'], 'settings' | 'notes'>;

function serviceJson(service: Service, reason: string | null, labels: ServiceLabels): object {
  return {
    name: service.name,
    // Why some or all of its instances are not among the endpoints.
    reason,
    endpoints: service.endpoints.map((endpoint) => ({
      instance: endpoint.instance,
      address: endpoint.address,
      port: endpoint.port,
      ports: endpoint.ports,
      agentId: endpoint.agentId,
      healthy: endpoint.state === 'ready',
      state: endpoint.state,
    })),
    settings: labels.settings(service.name),
    labels: labels.notes(service.name),
  };
}

export function trafficJson(plane: ControlPlane, now: number): object {
  const agentIds = plane.nodes().map((node) => node.status.agentId);
  const names = plane.services().map((service) => service.name);
  const nodes = plane.traffic.nodes(agentIds, now);
  const services = plane.traffic.services(names, now);
  return {
    windowMs: Math.round(plane.traffic.windowMs(now)),
    nodes: [...nodes].map(([agentId, figures]) => ({ agentId, ...rates(figures), ...latencies(figures, [50, 99]) })),
    services: [...services]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, figures]) => ({
        name,
        ...rates(figures),
        ...latencies(figures, [50, 95, 99]),
        retries: figures.retries,
      })),
  };
}

function rates(figures: Figures): object {
  return {
    rps: rounded(figures.rps, 2),
    // Rounded down: one failure in a million must not read as none.
    successRate: figures.successRate === null ? null : Math.floor(figures.successRate * 1e5) / 1e5,
  };
}

function latencies(figures: Figures, percentiles: readonly number[]): object {
  return Object.fromEntries(
    percentiles.map((percentile) => {
      const ms = figures.latencyMs(percentile / 100);
      return [`p${percentile}Ms`, ms === null ? null : rounded(ms, 2)];
    }),
  );
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
