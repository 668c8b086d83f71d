/** The routers of a proxy: under a scheduler an outgoing and an incoming one, without it those of the configuration. */
import { randomBytes } from 'node:crypto';
import { Bindings } from './balance/bindings.ts';
import { PeerPaths } from './balance/peer-paths.ts';
import { StaticBindings } from './balance/static-bindings.ts';
import { INCOMING, OUTGOING, type StaticRouterSpec } from './config/spec.ts';
import type { PeerKeys } from './control/peer-keys.ts';
import type { ExchangeContext, ExchangeFigures } from './endpoint/exchange.ts';
import type { LocalInstances } from './health/local-instances.ts';
import { ClientPool } from './http1/client.ts';
import { logicalName } from './identify/header-token.ts';
import type { ServiceTable } from './routing/service-table.ts';
import { type Bind, incomingStack, outgoingStack, type Walk } from './STACK.ts';
import type { MetricsTree } from './telemetry/metrics-tree.ts';
import { gaugeScope } from './telemetry/scopes.ts';

export interface Router {
  readonly label: string;
  readonly walk: Walk;
  close(): void;
}

/** What routers are made of. */
export interface RouterParts {
  readonly tree: MetricsTree;
  readonly now: () => number;
  readonly random: () => number;
}

export interface MeshParts extends RouterParts {
  readonly table: ServiceTable;
  readonly keys: PeerKeys;
  readonly locals: LocalInstances;
}

const ATTEMPT_TIMEOUT_MS = 60_000;
const TOTAL_TIMEOUT_MS = 75_000;
/** To one instance. */
const MAX_DIRECT_CONNECTIONS = 512;
/** To one peer proxy: all services of its node share them, so they are many more than one instance may take. */
const MAX_PEER_CONNECTIONS = 8_192;
const MAX_INFLIGHT = 1_024;
const MAX_WAITING = 1_024;
const MAX_IDLE = 64;
/** Our own servers keep a connection for 60 s. */
const PEER_IDLE_MS = 30_000;
/** Many servers hang up after 5 s, and most of them do not say so. */
const APP_IDLE_MS = 4_000;

export function meshRouters(parts: MeshParts): Router[] {
  return [outgoingRouter(parts), incomingRouter(parts)];
}

function outgoingRouter(parts: MeshParts): Router {
  const { table, tree, now, random, keys } = parts;
  const bindings = new Bindings(table, {
    router: OUTGOING,
    clock: now,
    random,
    scopes: tree,
    nodes: () => table.agentCount,
  });
  const paths = new PeerPaths((agentId) => table.agent(agentId));
  table.onChange(({ agents, agentsRemoved }) => {
    for (const { agentId } of agents) paths.forget(agentId);
    for (const agentId of agentsRemoved) paths.forget(agentId);
  });
  const { context, close } = contextOf(OUTGOING, parts, {
    paths,
    peerKey: () => keys.current,
    retries: 'any',
    maxInflight: MAX_INFLIGHT,
  });
  return { label: OUTGOING, walk: outgoingStack(bindFrom(OUTGOING, table, bindings), context), close };
}

function incomingRouter(parts: MeshParts): Router {
  const { table, tree, now, random, keys, locals } = parts;
  const bindings = new Bindings(table, {
    router: INCOMING,
    clock: now,
    random,
    scopes: tree,
    nodes: () => table.agentCount,
    balancer: { accepts: (endpoint) => locals.isLocal(endpoint), instance: (endpoint) => locals.of(endpoint) },
  });
  const { context, close } = contextOf(INCOMING, parts, {
    paths: null,
    peerKey: () => null,
    retries: 'unsent',
    // Its connections go to one instance each, and are bounded.
    maxInflight: Number.POSITIVE_INFINITY,
  });
  const bind = bindFrom(INCOMING, table, bindings);
  return { label: INCOMING, walk: incomingStack({ keys, locals, bindings, bind, context }), close };
}

/** A router of a configuration file. */
export function staticRouter({ label, dtab }: StaticRouterSpec, parts: RouterParts): Router {
  const bindings = new StaticBindings(dtab, {
    router: label,
    clock: parts.now,
    random: parts.random,
    scopes: parts.tree,
    nodes: () => 1,
  });
  const { context, close } = contextOf(label, parts, {
    paths: null,
    peerKey: () => null,
    retries: 'any',
    maxInflight: MAX_INFLIGHT,
  });
  return { label, walk: outgoingStack((host) => bindings.bind(host), context), close };
}

/** Binds host names by the table, and says what it looked in where that fails. */
function bindFrom(router: string, table: ServiceTable, bindings: Bindings): Bind {
  return (host) => {
    const binding = bindings.byHost(host);
    if (binding !== null) return { kind: 'bound', binding };
    const looked = `looked up ${logicalName(host)} in the ${router} router`;
    if (!table.ready) return { kind: 'none', refusal: { code: 'not-ready', detail: looked } };
    const detail = `${looked}'s table of ${table.serviceCount} services at revision ${table.revision}`;
    return { kind: 'none', refusal: { code: 'unknown-name', detail } };
  };
}

function contextOf(
  label: string,
  { now, random, tree }: RouterParts,
  own: Pick<ExchangeContext, 'paths' | 'peerKey' | 'retries' | 'maxInflight'>,
): { context: ExchangeContext; close: () => void } {
  const figures: ExchangeFigures = { direct: 0, peerUnreachable: 0 };
  const pool = (maxConnections: number, idleMs: number) =>
    new ClientPool({ maxConnections, maxWaiting: MAX_WAITING, maxIdle: MAX_IDLE, idleMs });
  const pools = { peer: pool(MAX_PEER_CONNECTIONS, PEER_IDLE_MS), direct: pool(MAX_DIRECT_CONNECTIONS, APP_IDLE_MS) };
  tree.add(
    gaugeScope(`rt/${label}`, 'rt', { rt: label }, () => ({
      direct: figures.direct,
      peer_unreachable: figures.peerUnreachable,
      'client_connects/peer': pools.peer.connects,
      'client_connects/direct': pools.direct.connects,
    })),
  );
  const context = {
    ...own,
    now,
    random,
    requestId: () => randomBytes(8).toString('hex'),
    pools,
    attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
    totalTimeoutMs: TOTAL_TIMEOUT_MS,
    figures,
  };
  const close = (): void => {
    pools.peer.close();
    pools.direct.close();
  };
  return { context, close };
}
