/**
 * The configuration of a proxy under a scheduler, as linkerd.yaml would say it: an outgoing and an incoming router over the
 * names that the control stream tells, and on public agents an edge router. Written out, so that a worker starts without the schema.
 */
import { NODEMESH_DEFAULTS } from './defaults.ts';
import type { AdminConfig, RouterConfig } from './schema/linkerd.ts';
import { EDGE, type GivenConfig, INCOMING, type MeshListen, OUTGOING } from './spec.ts';

/** Applications that answer slower than this exist; those that do not answer at all hold a connection for so long. */
const ATTEMPT_TIMEOUT_MS = 60_000;
const TOTAL_TIMEOUT_MS = 75_000;
/** Our own servers keep a connection for 60 s, peers hang up first. */
const SERVER_IDLE_MS = 60_000;

/** Where a proxy listens that is not bound to its node's address: apps in host mode reach it on loopback too. */
export const MESH_IP = '0.0.0.0';

export const MESH_ADMIN: Pick<AdminConfig, 'security' | 'shutdownGraceMs'> = {
  shutdownGraceMs: 10_000,
  security: {
    uiEnabled: true,
    controlEnabled: true,
    diagnosticsEnabled: true,
    pathWhitelist: [],
    pathBlacklist: [],
  },
};

/** Whether a configuration that a scheduler gave says nothing of its own. */
export function hasDefaults(config: GivenConfig | null): boolean {
  if (config === null) return true;
  const { document } = config;
  return typeof document === 'object' && document !== null && Object.keys(document).length === 0;
}

interface Listen extends Pick<MeshListen, 'ip' | 'innerIp'> {
  readonly ports: Omit<MeshListen['ports'], 'admin'>;
}

export function meshRouters({ ip, innerIp = ip, ports }: Listen): RouterConfig[] {
  const { outgoing, incoming, edge } = ports;
  const routers = [routerConfig(OUTGOING, innerIp, outgoing), routerConfig(INCOMING, innerIp, incoming)];
  return edge === null ? routers : [...routers, edgeConfig(routerConfig(EDGE, ip, edge))];
}

/** Its clients may be anybody: none of what they say of context is believed, and apps are named by the labels alone. */
function edgeConfig(config: RouterConfig): RouterConfig {
  return {
    ...config,
    servers: config.servers.map((server) => ({ ...server, clearContext: true })),
    dstPrefix: '/marathonId',
    nodemesh: { ...config.nodemesh, localDtab: 'ignore' },
  };
}

function routerConfig(label: string, ip: string, port: number): RouterConfig {
  const { router, server } = NODEMESH_DEFAULTS;
  return {
    protocol: 'http',
    label,
    servers: [
      {
        ip,
        port,
        maxConcurrentRequests: null,
        timeoutMs: null,
        maxCallDepth: server.maxCallDepth,
        clearContext: false,
        addForwardedHeader: null,
        timestampHeader: null,
        serverSession: { idleTimeMs: SERVER_IDLE_MS, lifeTimeMs: null },
        socketOptions: { noDelay: true, keepAlive: false, readTimeoutMs: null, writeTimeoutMs: null, backlog: 1_024 },
        nodemesh: {
          headTimeoutMs: server.headTimeoutMs,
          bodyTimeoutMs: server.bodyTimeoutMs,
          maxConnections: null,
        },
      },
    ],
    dtab: '',
    dstPrefix: '/svc',
    identifier: [{ kind: 'io.l5d.header.token', header: 'Host' }],
    interpreter: { kind: 'io.nodemesh.scheduler', namespace: 'default', transformers: [] },
    bindingTimeoutMs: 10_000,
    bindingCache: { paths: 20_000, idleTtlSecs: 600 },
    client: { kind: 'io.l5d.static', configs: [{ prefix: '/', requestAttemptTimeoutMs: ATTEMPT_TIMEOUT_MS }] },
    service: { kind: 'io.l5d.static', configs: [{ prefix: '/', totalTimeoutMs: TOTAL_TIMEOUT_MS }] },
    originator: false,
    tracePropagator: { kind: 'io.l5d.default' },
    maxHeadersKB: 32,
    maxInitialLineKB: 16,
    compressionLevel: router.compressionLevel,
    httpAccessLog: null,
    httpAccessLogRollPolicy: 'never',
    httpAccessLogAppend: true,
    httpAccessLogRotateCount: -1,
    nodemesh: {
      linkerdCompat: false,
      maxRetries: router.maxRetries,
      retryAtEachHop: router.retryAtEachHop,
      retryBufferKB: 64,
      enforceDeadlines: router.enforceDeadlines,
      localDtab: 'any',
      maxHeaderCount: 128,
      upgrades: ['websocket'],
      connect: false,
      shedding: { maxPendingRequests: router.maxPendingRequests, maxLoopDelayMs: router.maxLoopDelayMs },
    },
  };
}
