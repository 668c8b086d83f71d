/** Puts a proxy together from its specification: table, routers, listeners, admin, and under a scheduler the link. */
import type { Server } from 'node:http';
import { Listener } from './accept/listener.ts';
import { type AdminHost, createAdminServer } from './admin/server.ts';
import { renderTable } from './admin/table-view.ts';
import { INCOMING, OUTGOING, type ProxySpec } from './config/spec.ts';
import { MeshControl } from './control/mesh-control.ts';
import { PeerKeys } from './control/peer-keys.ts';
import type { Call } from './endpoint/call.ts';
import { LocalInstance, LocalInstances } from './health/local-instances.ts';
import { meshRouters, type Router, staticRouter } from './routers.ts';
import { ServiceTable } from './routing/service-table.ts';
import { logAccess } from './telemetry/access-log.ts';
import { renderJson } from './telemetry/json.ts';
import type { Log } from './telemetry/log.ts';
import { MetricsTree } from './telemetry/metrics-tree.ts';
import { renderPrometheus } from './telemetry/prometheus.ts';
import { gaugeScope, ServerScope } from './telemetry/scopes.ts';
import { TrafficCounter } from './telemetry/traffic.ts';

export interface AssembledProxy {
  /** One for each listener of the specification, not listening yet. */
  readonly servers: readonly Server[];
  /** All servers listen. */
  start(): void;
  /** Finishes what is in flight, and cuts what takes longer. */
  drain(graceMs: number): Promise<void>;
}

export function createProxy(spec: ProxySpec, workerRestarts: number, log: Log, shutdown: () => void): AssembledProxy {
  const now = (): number => performance.now();
  const random = Math.random;
  const tree = new MetricsTree();
  const table = new ServiceTable();
  const traffic = new TrafficCounter(now());
  const { mode } = spec;
  let listening = false;
  let draining = false;
  const notReady = (): string | null => {
    if (!listening) return 'The listeners are not bound yet.';
    if (draining) return 'The proxy is shutting down.';
    return mode.kind === 'mesh' && !table.ready
      ? 'There is no table of services yet, from the scheduler or from disk.'
      : null;
  };

  let control: MeshControl | null = null;
  let routers: Router[];
  if (mode.kind === 'mesh') {
    const keys = new PeerKeys();
    const locals = new LocalInstances(table, mode.agentId);
    routers = meshRouters({ tree, now, random, table, keys, locals });
    const options = { spec, mode, ports: portsOf(spec), table, keys, traffic, workerRestarts, now, random, log };
    control = new MeshControl({ ...options, notReady, instances: () => locals.report() });
  } else {
    routers = mode.routers.map((router) => staticRouter(router, { tree, now, random }));
  }

  const startedAt = now();
  tree.add(
    gaugeScope('proc', 'proc', {}, () => ({
      uptime_ms: Math.round(now() - startedAt),
      rss_bytes: process.memoryUsage.rss(),
      worker_restarts: workerRestarts,
      log_dropped: log.dropped,
      metrics_overflow: tree.overflow,
    })),
  );
  const link = control;
  if (link !== null) tree.add(gaugeScope('control', 'control', {}, () => link.figures()));

  const ended = (router: Router, call: Call): void =>
    record(call, router.label, traffic, spec.accessLog ? log : null, now());
  const listeners: Listener[] = [];
  const admin: Server[] = [];
  const servers = spec.listeners.map(({ ip, port, serves }) => {
    if (serves.kind === 'admin') {
      const server = createAdminServer({
        guard: { listenIp: ip, clusterKey: mode.clusterKey },
        notReady,
        config: () => effectiveConfig(spec),
        prometheus: () => renderPrometheus(tree, now),
        metricsJson: (query) => renderJson(tree, now, query),
        table: () => renderTable(table, link?.epochs.highest ?? 0),
        announce: link === null ? null : (announce) => link.announced(announce),
        shutdown,
      } satisfies AdminHost);
      admin.push(server);
      return server;
    }
    const router = routers.find(({ label }) => label === serves.label);
    if (router === undefined) throw new Error(`no router '${serves.label}'`);
    const scope = new ServerScope(router.label, `${ip}/${port}`, now());
    tree.add(scope);
    const listener = new Listener({ scope, walk: router.walk, now, calls: { ended: (call) => ended(router, call) } });
    listeners.push(listener);
    return listener.server;
  });

  return {
    servers,
    start() {
      listening = true;
      link?.link.start();
    },
    async drain(graceMs) {
      draining = true;
      // A last word to the scheduler, so that peers go straight to our instances before the listeners are gone.
      link?.link.reportSoon();
      const giveUp = setTimeout(() => {
        for (const listener of listeners) listener.destroy();
      }, graceMs);
      await Promise.all(listeners.map((listener) => listener.drain()));
      clearTimeout(giveUp);
      for (const router of routers) router.close();
      for (const server of admin) {
        server.close();
        server.closeAllConnections();
      }
      await link?.close();
    },
  };
}

/** What is kept of a request that is over. */
function record(call: Call, router: string, traffic: TrafficCounter, accessLog: Log | null, now: number): void {
  const { status, success, latencyMs, binding, reason, server } = call;
  const outcome = { status, success, latencyMs };
  server.recorder.record(outcome, now);
  if (reason !== null) server.failed(reason);
  if (call.instance instanceof LocalInstance && reason !== 'client-gone') call.instance.judged(success);
  if (binding !== null) {
    binding.serviceScope.recorder.record(outcome, now);
    binding.serviceScope.perRequest.record(call.retries, now);
    // A client that went away says nothing about the service.
    if ((router === OUTGOING || router === INCOMING) && reason !== 'client-gone') {
      traffic.record(router, binding.service, success, latencyMs, call.retries);
    }
  }
  if (accessLog !== null) logAccess(accessLog, router, call);
}

function portsOf(spec: ProxySpec): { outgoing: number; incoming: number; admin: number } {
  const port = (wanted: string): number =>
    spec.listeners.find(({ serves }) => (serves.kind === 'admin' ? 'admin' : serves.label) === wanted)?.port ?? 0;
  return { outgoing: port(OUTGOING), incoming: port(INCOMING), admin: port('admin') };
}

/** The configuration as it runs, without the cluster's key. */
function effectiveConfig({ version, listeners, mode, dataDir, accessLog }: ProxySpec): unknown {
  const { clusterKey, ...shown } = mode;
  return { version, listeners, mode: { ...shown, clusterKey: clusterKey === null ? null : '***' }, dataDir, accessLog };
}
