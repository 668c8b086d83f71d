/** Puts a proxy together from its specification: names, routers, listeners, telemetry, admin, and under a scheduler the link. */
import type { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type Ending, endListeners } from './accept/ending.ts';
import { ConnectionLimit, Listener } from './accept/listener.ts';
import { makeAccessLogs } from './access-logs.ts';
import { createAdminServer, retire } from './admin/server.ts';
import { adminHost, type NamedRouter } from './admin-host.ts';
import { AppPolicies } from './bind/app-policies.ts';
import { allotmentFigures } from './config/allotment.ts';
import { EDGE, INCOMING, type ListenerSpec, OUTGOING, type ProxySpec } from './config/spec.ts';
import type { Subscribe } from './control/contract.ts';
import { MeshControl } from './control/mesh-control.ts';
import { type OwnCode, unknownCode } from './control/own-code.ts';
import { fixedConfig, type OwnConfig } from './control/own-config.ts';
import { PeerKeys } from './control/peer-keys.ts';
import { LocalInstances } from './health/local-instances.ts';
import { codeOfFault, FAULTS } from './http1/faults.ts';
import { makeNames } from './names.ts';
import { recorderOf } from './recording.ts';
import { type MeshParts, makeRouter } from './routers.ts';
import { makeFollowers, makeFollowing, tableOf } from './teamwork.ts';
import { makeTelemeters } from './telemeters.ts';
import { gaugeScope } from './telemetry/gauge-scope.ts';
import type { Log } from './telemetry/log.ts';
import { MetricsTree } from './telemetry/metrics-tree.ts';
import { ServerScope } from './telemetry/server-scope.ts';
import { TrafficCounter } from './telemetry/traffic.ts';
import { Ticker } from './timing/ticker.ts';
import { ALONE, type Crew } from './workers/crew.ts';

export interface AssembledProxy {
  /** One for each listener of the specification, not listening yet. */
  readonly servers: readonly Server[];
  /** The same with those beside it, for other descriptors of the same socket. */
  readonly acceptors: readonly (readonly Server[])[];
  /** All servers listen. */
  start(): void;
  /** Nobody else has the link to the scheduler (any more). */
  join(): void;
  /** Finishes what is in flight, and cuts what takes longer than `graceMs` (null: as long as it takes). */
  drain(graceMs: number | null, ending?: Ending): Promise<void>;
}

/** Names that nobody asked for are looked for so often. */
const SWEEP_MS = 10_000;
/** Weights in a slow start grow so often. */
const RAMP_MS = 250;

export function createProxy(
  spec: ProxySpec,
  workerRestarts: number,
  log: Log,
  shutdown: () => void,
  crew: Crew = ALONE,
  code: OwnCode = unknownCode(),
  config: OwnConfig = fixedConfig(),
): AssembledProxy {
  const now = (): number => performance.now();
  const random = Math.random;
  const startedAt = now();
  const tree = new MetricsTree();
  const table = tableOf(crew);
  const traffic = new TrafficCounter(startedAt);
  const warn = (message: string): void => log.warn(message);
  const ticker = new Ticker(now);
  const { mesh } = spec;
  let listening = false;
  let draining = false;
  const notReady = (): string | null => {
    if (!listening) return 'The listeners are not bound yet.';
    if (draining) return 'The proxy is shutting down.';
    return mesh !== null && !table.ready ? 'There is no table of services yet, from the scheduler or from disk.' : null;
  };

  // Who is there, under a scheduler.
  const keys = new PeerKeys();
  const locals = mesh === null ? null : new LocalInstances(table, mesh.agentId);
  const policies = new AppPolicies(table, warn);
  const meshParts: MeshParts | null = locals === null ? null : { table, keys, locals, policies };
  const followers = makeFollowers(crew, { tree, table, keys, now, epoch: () => control?.epochs.highest ?? 0 });
  // Of several workers one has the link, and the file.
  const control =
    mesh === null || locals === null || crew.index > 0
      ? null
      : new MeshControl({
          ...{ spec, mesh, table, keys, workerRestarts, now, random, log, notReady, code, config },
          ports: portsOf(spec),
          traffic: followers?.countsWith(traffic) ?? traffic,
          instances: () => followers?.instances(locals.report()) ?? locals.report(),
          keyTold: (key) => followers?.keyChanged(key),
        });

  // Who hears of requests.
  const telemeters = makeTelemeters(spec.telemetry, { tree, now, random, log });
  const accessLogs = makeAccessLogs(spec, log, {
    isTakeOver: crew.takesOver || workerRestarts > 0,
    isFirst: crew.index === 0,
  });
  const { tracer, recent } = telemeters;
  const ended = recorderOf({
    ...{ locals, recent, tracer },
    traffic: mesh === null ? null : traffic,
    namespaces: namespacesOf(spec),
    accessLogs: accessLogs.byRouter,
  });

  // Who binds names, and the routers that ask.
  const names = makeNames(spec, mesh === null ? null : table, { random, warn });
  const shared = { ...{ tree, now, random, tracer, ended, warn }, wheel: ticker.wheel, wallClock: Date.now };
  const routers: NamedRouter[] = spec.routers.map((config) => {
    const interpreter = names.interpreterOf(config);
    return { config, interpreter, router: makeRouter(config, interpreter, shared, meshParts) };
  });
  const meshOfFollower = locals === null ? null : { table, keys, traffic, locals };
  const { dataDir } = spec;
  const following = makeFollowing(crew, { tree, routers, recent, log, now, dataDir, mesh: meshOfFollower });
  ticker.every(SWEEP_MS, () => {
    for (const { router } of routers) router.sweep();
  });
  ticker.every(RAMP_MS, () => {
    for (const { router } of routers) router.ramp();
  });
  ticker.onTick((lateMs) => {
    for (const { router } of routers) router.observeLoop(lateMs);
  });

  const allotment = allotmentFigures();
  tree.add(
    gaugeScope('proc', 'proc', {}, () => ({
      uptime_ms: Math.round(now() - startedAt),
      rss_bytes: process.memoryUsage.rss(),
      worker_restarts: workerRestarts,
      loop_delay_ms: Math.round(ticker.worstDelay()),
      log_dropped: log.dropped,
      access_log_dropped: accessLogs.dropped(),
      metrics_overflow: tree.overflow,
      ...allotment(),
    })),
  );
  if (control !== null) tree.add(gaugeScope('control', 'control', {}, () => control.figures()));

  const connections = new ConnectionLimit(spec.maxConnections);
  const listeners: Listener[] = [];
  const admins: HttpServer[] = [];
  const acceptors = spec.listeners.map((listener): readonly Server[] => {
    if (listener.serves.kind === 'admin') {
      const parts = { spec, tree, table, control, routers, telemeters, now, log, notReady, shutdown, followers };
      const host = adminHost({ ...parts, listenIp: listener.ip, namers: names.namers });
      const { path: prometheusPath } = telemeters.prometheus;
      const controlOnly = listener.serves.controlOnly === true;
      const admin = createAdminServer(host, { security: spec.admin.security, prometheusPath, controlOnly });
      admins.push(admin);
      return [admin];
    }
    const made = makeListener(listener, listener.serves, { spec, routers, tree, connections });
    listeners.push(made);
    return made.servers;
  });

  return {
    servers: acceptors.flatMap(([first]) => first ?? []),
    acceptors,
    start() {
      listening = true;
      ticker.start();
      following?.start();
    },
    join() {
      if (!draining) control?.link.start();
    },
    async drain(graceMs, ending = 'over') {
      draining = true;
      const retiring: Promise<void>[] = [];
      if (ending === 'over') {
        // A last word to the scheduler, so that peers go straight to our instances before the listeners are gone.
        control?.link.reportSoon();
      } else {
        // The successor has the link and the file, and shows the figures.
        retiring.push(...admins.map(retire));
        await control?.close();
      }
      await endListeners(listeners, ending, graceMs);
      following?.close();
      for (const { router } of routers) router.close();
      names.close();
      if (ending === 'over') for (const admin of admins) admin.close();
      ticker.stop();
      await Promise.all([control?.close(), accessLogs.close(), telemeters.close(LAST_SPANS_MS), ...retiring]);
    },
  };
}

/** What is left of the spans may take so long to be sent. */
const LAST_SPANS_MS = 500;

interface ListenerParts {
  readonly spec: ProxySpec;
  readonly routers: readonly NamedRouter[];
  readonly tree: MetricsTree;
  readonly connections: ConnectionLimit;
}

function makeListener(
  { ip, port }: ListenerSpec,
  serves: Extract<ListenerSpec['serves'], { kind: 'router' }>,
  { spec, routers, tree, connections }: ListenerParts,
): Listener {
  const named = routers.find(({ config }) => config.label === serves.label);
  const config = named?.config.servers[serves.server];
  if (named === undefined || config === undefined)
    throw new Error(`no server ${serves.server} of router '${serves.label}'`);
  const { router } = named;
  const scope = new ServerScope(router.label, `${ip}/${port}`);
  tree.add(scope);
  return new Listener({
    ...{ config, scope },
    limits: router.limits,
    runtime: router.runtime,
    hooks: router.hooks,
    connections,
    // Applications of this node have their own router in a mesh; alone, whoever calls has nobody else to go to.
    isLocal: spec.mesh === null || router.label === OUTGOING,
    unparsed: (_connection, fault) => {
      scope.recorder.record(FAULTS[fault].status, false, 0, router.runtime.now());
      scope.failed(codeOfFault(fault));
    },
  });
}

function portsOf({ listeners }: ProxySpec): Subscribe['ports'] {
  const port = (wanted: string): number =>
    listeners.find(({ serves }) => (serves.kind === 'admin' ? 'admin' : serves.label) === wanted)?.port ?? 0;
  const edge = port(EDGE);
  return { outgoing: port(OUTGOING), incoming: port(INCOMING), admin: port('admin'), ...(edge === 0 ? {} : { edge }) };
}

/** Of the routers that clients ask, by label. The incoming router's names are those that a peer has bound already. */
function namespacesOf({ routers }: ProxySpec): ReadonlyMap<string, string> {
  return new Map(
    routers.flatMap(({ label, interpreter }): [string, string][] =>
      interpreter.kind === 'io.nodemesh.scheduler' && label !== INCOMING ? [[label, interpreter.namespace]] : [],
    ),
  );
}
