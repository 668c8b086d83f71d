/** Puts a router together from its configuration: once, before a request comes. */

import { annotator, diagnosticOf } from './annotations.ts';
import { type AppPolicies, type AppPort, appOf } from './bind/app-policies.ts';
import { BoundClient } from './bind/bound-client.ts';
import { poolLimits } from './bind/client-options.ts';
import { Clients } from './bind/clients.ts';
import type { RouteOptions, RouteParams } from './bind/route.ts';
import { RouteCache } from './bind/route-cache.ts';
import { Routes } from './bind/routes.ts';
import { ClientLayers, type ClientParams } from './config/client-params.ts';
import { onceFor } from './config/once-for.ts';
import type { RouterConfig } from './config/schema/linkerd.ts';
import { ServiceLayers, type ServiceParams } from './config/service-params.ts';
import { EDGE, INCOMING } from './config/spec.ts';
import type { Endpoint } from './control/contract.ts';
import type { PeerKeys } from './control/peer-keys.ts';
import { edgeStack } from './edge/edge-stack.ts';
import { connector } from './endpoint/connect.ts';
import { PeerPaths } from './endpoint/peers.ts';
import { Pool, type PoolContext, type PoolLimits } from './endpoint/pool.ts';
import { Target } from './endpoint/target.ts';
import { ClientTls } from './endpoint/tls-options.ts';
import type { ExchangeHooks } from './exchange/exchange.ts';
import type { RouterFigures, RouterRuntime, RouterSettings } from './exchange/router-runtime.ts';
import type { LocalInstances } from './health/local-instances.ts';
import type { HeadLimits } from './http1/head-scanner.ts';
import { Identifiers } from './identify/identifiers.ts';
import { LoadShedder } from './resilience/admission.ts';
import type { Interpreter } from './routing/binding.ts';
import { readDtab } from './routing/dtab.ts';
import { ExposedApps } from './routing/exposed-apps.ts';
import { normalizeHost } from './routing/host-names.ts';
import type { BoundName } from './routing/names.ts';
import { type Path, readPath } from './routing/path.ts';
import type { ServiceTable } from './routing/service-table.ts';
import { incomingStack, outgoingStack, type Walk } from './STACK.ts';
import { gaugeScope } from './telemetry/gauge-scope.ts';
import type { MetricsTree } from './telemetry/metrics-tree.ts';
import { BindCacheScope } from './telemetry/router-scopes.ts';
import type { TimerWheel } from './timing/timer-wheel.ts';
import { Propagator } from './tracing/propagator.ts';
import type { Tracer } from './tracing/tracer.ts';

/** What all routers of a process share. */
export interface SharedParts {
  readonly tree: MetricsTree;
  readonly wheel: TimerWheel;
  readonly now: () => number;
  readonly wallClock: () => number;
  readonly random: () => number;
  readonly tracer: Tracer | null;
  /** Who hears of each request that is over. */
  readonly ended: ExchangeHooks['ended'];
  readonly warn: (message: string) => void;
}

/** What a router has under a scheduler. */
export interface MeshParts {
  readonly table: ServiceTable;
  readonly keys: PeerKeys;
  readonly locals: LocalInstances;
  /** What the labels of apps say. */
  readonly policies: AppPolicies;
}

export interface Router {
  readonly label: string;
  readonly runtime: RouterRuntime;
  readonly hooks: ExchangeHooks;
  readonly limits: HeadLimits;
  /** The clients of all names that are bound now. */
  clients(): Iterable<BoundClient>;
  /** To be called now and then: forgets names that nobody asks for. */
  sweep(): void;
  /** To be called a few times a second: instances in their slow start get the weight of now. */
  ramp(): void;
  /** How late the event loop is, several times a second. */
  observeLoop(delayMs: number): void;
  close(): void;
}

const NEVER = Number.POSITIVE_INFINITY;
/** Requests of one node on their way to one instance of the mesh. */
const MAX_INFLIGHT = 1_024;
/** To one peer proxy: all services of its node share them. Peers keep connections longer than we do. */
const PEER_POOL: PoolLimits = { minSize: 0, maxSize: 8_192, maxWaiters: 1_024, idleMs: 30_000, lifeMs: NEVER };
/** How late the loop may be before requests are refused; the rest is the shedder's own. */
const SHEDDER = { intervalMs: 100, minLimit: 16 };

/** `interpreter` binds the router's names; `mesh` is null for a router of a configuration file. */
export function makeRouter(
  config: RouterConfig,
  interpreter: Interpreter,
  shared: SharedParts,
  mesh: MeshParts | null,
): Router {
  const { now, random, wheel, tree } = shared;
  const { label, nodemesh } = config;
  const isIncoming = mesh !== null && label === INCOMING;
  const exposed = mesh !== null && label === EDGE ? new ExposedApps(mesh.table) : null;
  const limits = headLimits(config);
  const pools: PoolContext = { wheel, now, headLimits: limits };
  const peers = mesh !== null && !isIncoming ? peerPaths(mesh.table, pools) : null;
  const figures: RouterFigures = { direct: 0, peerUnreachable: 0, skewedDeadlines: 0 };
  const runtime: RouterRuntime = {
    label,
    wheel,
    now,
    wallClock: shared.wallClock,
    random,
    settings: settingsOf(config, mesh !== null, isIncoming),
    peers,
    peerKey: () => mesh?.keys.current ?? null,
    propagator: new Propagator(config.tracePropagator.kind, () => (random() * 2 ** 32) | 0, shared.tracer),
    figures,
    warnOfSkew: skewWarning(label, shared),
  };
  const nodes = (): number => (mesh === null ? 1 : Math.max(1, mesh.table.agentCount));
  const maker = clientMaker(config, shared, pools, { mesh, isIncoming, nodes });
  const clients = new Clients(maker.make, tree);
  if (isIncoming && mesh !== null) mesh.locals.inflightOf = (instance) => inflightAt(instance, clients);
  const figuresOfPaths = new BindCacheScope(label, 'path');
  tree.add(figuresOfPaths);
  tree.add(gaugeScope(`rt/${label}`, 'rt', { rt: label }, () => routerGauges(figures, clients, config)));
  const cache = new RouteCache({
    capacity: config.bindingCache.paths,
    idleMs: config.bindingCache.idleTtlSecs * 1_000,
    now,
    figures: figuresOfPaths,
  });
  const services = new ServiceLayers(config);
  const labelled = mesh === null ? {} : { labelled: labelledParams(services, mesh.policies) };
  const optionsOf = onceFor((params: ServiceParams): RouteOptions => {
    return {
      ...{ router: label, clients, scopes: tree, isFirstHop: !isIncoming, nodes, now },
      ...routeParams(params),
      ...labelled,
    };
  });
  const stopPolicies = mesh?.policies.onChange((apps) => {
    clients.renew((client) => client.app !== null && apps.has(client.app.app) && maker.isOutdated(client));
    for (const route of cache.all()) {
      if (route.branches.some(({ client: { app } }) => app !== null && apps.has(app.app))) route.refresh();
    }
  });
  const routes = new Routes({
    interpreter,
    base: readDtab(config.dtab),
    prefix: readPath(config.dstPrefix),
    cache,
    optionsFor: (name) => optionsOf(services.paramsFor(name)),
    canonical: mesh !== null && exposed === null && isNamedByHost(config) ? normalizeHost : null,
  });
  let inflight = 0;
  const { maxLoopDelayMs } = nodemesh.shedding;
  const shedder = maxLoopDelayMs === null ? null : new LoadShedder({ ...SHEDDER, targetDelayMs: maxLoopDelayMs });
  const parts = {
    identifiers: new Identifiers(config.identifier),
    routes,
    localDtabs: nodemesh.localDtab,
    shedder,
    inflight: () => inflight,
    isReady: () => mesh === null || mesh.table.ready,
  };
  const walkOf = (): Walk => {
    if (exposed !== null) return edgeStack({ ...parts, exposed });
    return isIncoming && mesh !== null ? incomingStack({ ...parts, keys: mesh.keys }) : outgoingStack(parts);
  };
  const walk = walkOf();
  const hooks: ExchangeHooks = {
    walk(exchange) {
      inflight += 1;
      walk(exchange);
    },
    annotate: annotator(isIncoming ? (mesh?.locals ?? null) : null, now),
    diagnostic: (exchange) => diagnosticOf(exchange, now()),
    ended(exchange) {
      inflight -= 1;
      shared.ended(exchange);
    },
  };
  return {
    label,
    runtime,
    hooks,
    limits,
    clients: () => clients.all(),
    sweep: () => cache.sweep(),
    ramp: () => clients.ramp(),
    observeLoop: (delayMs) => shedder?.observe(now(), delayMs, inflight),
    close() {
      stopPolicies?.();
      cache.close();
      peers?.close();
      exposed?.close();
    },
  };
}

/** A host is one name in any spelling; a path, or what another header says, is not. */
function isNamedByHost({ identifier }: RouterConfig): boolean {
  return identifier.every((one) => one.kind === 'io.l5d.header.token' && one.header.toLowerCase() === 'host');
}

function routeParams({ classifier, retries, totalTimeoutMs }: ServiceParams): RouteParams {
  return { classifier, retries, totalTimeoutMs: totalTimeoutMs ?? NEVER };
}

/** Null where the labels say nothing of the service. */
function labelledParams(services: ServiceLayers, policies: AppPolicies): NonNullable<RouteOptions['labelled']> {
  return (logical, { app }) => {
    const over = app === null ? [] : policies.of(app).service;
    return over.length === 0 ? null : routeParams(services.paramsFor(readPath(logical), over));
  };
}

/** An instance may be in several clients, of several names. */
function inflightAt(instance: string, clients: Clients): number {
  let sum = 0;
  for (const { balancer } of clients.all()) sum += balancer.find(instance)?.inflight ?? 0;
  return sum;
}

/** At most once in so many milliseconds. */
const WARN_AGAIN_MS = 60_000;

function skewWarning(label: string, { now, warn }: SharedParts): () => void {
  let warnedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - warnedAt < WARN_AGAIN_MS) return;
    warnedAt = now();
    warn(
      `router ${label}: the clock of a caller is off by more than 250 ms: deadlines of such requests are not enforced`,
    );
  };
}

function headLimits({ maxHeadersKB, maxInitialLineKB, nodemesh }: RouterConfig): HeadLimits {
  return {
    maxLine: maxInitialLineKB * 1_024,
    maxHeaders: maxHeadersKB * 1_024,
    maxFields: nodemesh.maxHeaderCount,
  };
}

function settingsOf(config: RouterConfig, isMesh: boolean, isIncoming: boolean): RouterSettings {
  const { nodemesh } = config;
  return {
    // Requests to many instances share the connections to a peer proxy.
    maxInflight: isMesh && !isIncoming ? MAX_INFLIGHT : NEVER,
    // In a mesh that follows from what a router is for.
    looksForEarlierProxy: !isMesh && !nodemesh.retryAtEachHop,
    retryBufferBytes: nodemesh.retryBufferKB * 1_024,
    bindingTimeoutMs: config.bindingTimeoutMs,
    upgrades: new Set(nodemesh.upgrades),
    allowsConnect: nodemesh.connect,
    enforcesDeadlines: nodemesh.enforceDeadlines,
    tellsDeadline: config.service.configs.some(({ totalTimeoutMs }) => totalTimeoutMs != null),
    compressionLevel: config.compressionLevel,
    maxPendingRequests: nodemesh.shedding.maxPendingRequests ?? NEVER,
  };
}

function routerGauges(figures: RouterFigures, clients: Clients, { originator }: RouterConfig): Record<string, number> {
  return {
    direct: figures.direct,
    peer_unreachable: figures.peerUnreachable,
    skewed_deadlines: figures.skewedDeadlines,
    clients: clients.size,
    originator: originator ? 1 : 0,
  };
}

function peerPaths(table: ServiceTable, pools: PoolContext): PeerPaths {
  const connect = connector(PLAIN_SOCKET, null, pools.now);
  const open = (address: string, port: number): Pool => new Pool(address, port, PEER_POOL, pools, connect);
  const paths = new PeerPaths((agentId) => table.agent(agentId), open);
  table.onChange(({ agents, agentsRemoved }) => {
    for (const { agentId } of agents) paths.forget(agentId);
    for (const agentId of agentsRemoved) paths.forget(agentId);
  });
  return paths;
}

const PLAIN_SOCKET = { noDelay: true, keepAlive: false, readTimeoutMs: null, writeTimeoutMs: null };

interface ClientSurroundings {
  readonly mesh: MeshParts | null;
  readonly isIncoming: boolean;
  readonly nodes: () => number;
}

interface ClientMaker {
  make(id: string, bound: BoundName): BoundClient;
  /** The labels of its app say something else than when it was made. */
  isOutdated(client: BoundClient): boolean;
}

/** Makes the client of a bound name, with the parameters that the configuration and the labels of its app give it. */
function clientMaker(
  config: RouterConfig,
  { now, random, warn, wallClock }: SharedParts,
  pools: PoolContext,
  { mesh, isIncoming, nodes }: ClientSurroundings,
): ClientMaker {
  const layers = new ClientLayers(config);
  const accepts = isIncoming && mesh !== null ? (endpoint: Endpoint) => mesh.locals.isLocal(endpoint) : null;
  const openerOf = onceFor((params: ClientParams) => {
    const { tls } = params;
    const connect = connector(
      params.socketOptions,
      tls === null ? null : { files: new ClientTls(tls, now(), warn), commonName: tls.commonName },
      now,
    );
    const limits = poolLimits(params);
    return ({ address, port }: Endpoint): Pool => new Pool(address, port, limits, pools, connect);
  });
  const madeWith = new WeakMap<BoundClient, Wanted>();
  const wanted = (path: Path): Wanted => {
    const app = mesh === null ? null : appOf(path);
    const policy = app === null ? undefined : mesh?.policies.of(app);
    return { app, params: layers.paramsFor(path, policy?.client), slowStartMs: policy?.slowStartMs ?? 0 };
  };
  return {
    make(id, { id: path, addresses }) {
      const made = wanted(path);
      const { app, params, slowStartMs } = made;
      const open = openerOf(params);
      const client = new BoundClient({
        ...{ router: config.label, id, app, addresses, accepts, nodes, now, random },
        balance: params.balance,
        requeueBudget: params.requeueBudget,
        attemptTimeoutMs: params.requestAttemptTimeoutMs ?? NEVER,
        connectTimeoutMs: params.connectTimeoutMs,
        instance: (endpoint, siblings) => new Target(endpoint, siblings, open),
        ...(slowStartMs === 0 ? {} : { slowStart: { overMs: slowStartMs, wallClock } }),
      });
      madeWith.set(client, made);
      return client;
    },
    isOutdated(client) {
      const made = madeWith.get(client);
      return JSON.stringify(made) !== JSON.stringify(wanted(readPath(client.id)));
    },
  };
}

/** What a client is made with. */
interface Wanted {
  readonly app: AppPort | null;
  readonly params: ClientParams;
  readonly slowStartMs: number;
}
