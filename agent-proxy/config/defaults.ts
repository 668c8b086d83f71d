/**
 * The defaults that differ between linkerd and us, side by side, and those of clients and services, which layers override:
 * `nodemesh: {linkerdCompat: true}` in a router chooses the second table. All other defaults stand in the schema, at their
 * key. Plain data without the schema library, so that a worker can have it too. `null` means: none, no limit.
 */
import type { LayeredClient, LayeredService } from './layered.ts';

export interface Defaults {
  readonly router: {
    /** Retries of one request, at most. */
    readonly maxRetries: number | null;
    readonly retryAtEachHop: boolean;
    readonly compressionLevel: number;
    readonly enforceDeadlines: boolean;
    readonly maxPendingRequests: number | null;
    readonly maxLoopDelayMs: number | null;
  };
  readonly server: {
    readonly maxCallDepth: number;
    readonly idleTimeMs: number | null;
    readonly headTimeoutMs: number | null;
    readonly bodyTimeoutMs: number | null;
  };
  readonly client: LayeredClient;
  readonly marathon: {
    /** Of several app ids that begin a name, the shortest; otherwise the longest. */
    readonly shortestPrefix: boolean;
  };
  readonly service: LayeredService;
}

const BUDGET = { minRetriesPerSec: 10, percentCanRetry: 0.2, ttlSecs: 10 };

export const LINKERD_DEFAULTS: Defaults = {
  router: {
    maxRetries: null,
    retryAtEachHop: true,
    compressionLevel: -1,
    enforceDeadlines: false,
    maxPendingRequests: null,
    maxLoopDelayMs: null,
  },
  server: { maxCallDepth: 1_000, idleTimeMs: null, headTimeoutMs: null, bodyTimeoutMs: null },
  client: {
    loadBalancer: { kind: 'p2c', maxEffort: 5 },
    hostConnectionPool: { minSize: 0, maxSize: null, idleTimeMs: null, maxWaiters: null },
    failFast: false,
    failureAccrual: { kind: 'io.l5d.consecutiveFailures', failures: 5 },
    requeueBudget: BUDGET,
    requestAttemptTimeoutMs: null,
    clientSession: { idleTimeMs: null, lifeTimeMs: null },
    tls: null,
    socketOptions: { noDelay: true, keepAlive: false, readTimeoutMs: null, writeTimeoutMs: null },
    nodemesh: {
      connectTimeoutMs: 1_000,
      panicThreshold: 0,
      maxEjected: 1,
      comparesSiblings: false,
      failurePenaltyMs: 0,
    },
  },
  marathon: { shortestPrefix: true },
  service: {
    responseClassifier: { kind: 'io.l5d.http.nonRetryable5XX' },
    retries: { budget: BUDGET, backoff: { kind: 'constant', ms: 0 } },
    totalTimeoutMs: null,
  },
};

export const NODEMESH_DEFAULTS: Defaults = {
  router: {
    maxRetries: 2,
    retryAtEachHop: false,
    // Compressing costs more CPU time than all of the rest of a request; services that want it do it themselves.
    compressionLevel: 0,
    enforceDeadlines: true,
    maxPendingRequests: 20_000,
    maxLoopDelayMs: 500,
  },
  server: { maxCallDepth: 20, idleTimeMs: 60_000, headTimeoutMs: 10_000, bodyTimeoutMs: 60_000 },
  client: {
    ...LINKERD_DEFAULTS.client,
    // Idle time below the 5 s after which common servers close, so that a request does not meet a connection that is
    // closing.
    hostConnectionPool: { minSize: 0, maxSize: 256, idleTimeMs: 4_000, maxWaiters: 1_000 },
    // Where all endpoints fail the balancer passes the threshold of panic and uses them, so nothing is lost by it.
    failFast: true,
    requestAttemptTimeoutMs: 15_000,
    clientSession: { idleTimeMs: null, lifeTimeMs: 3_600_000 },
    nodemesh: {
      connectTimeoutMs: 1_000,
      panicThreshold: 0.5,
      maxEjected: 0.5,
      comparesSiblings: true,
      failurePenaltyMs: 5_000,
    },
  },
  marathon: { shortestPrefix: false },
  service: {
    ...LINKERD_DEFAULTS.service,
    retries: { budget: BUDGET, backoff: { kind: 'jittered', minMs: 25, maxMs: 1_000 } },
    totalTimeoutMs: 30_000,
  },
};

export function defaultsFor(linkerdCompat: boolean): Defaults {
  return linkerdCompat ? LINKERD_DEFAULTS : NODEMESH_DEFAULTS;
}
