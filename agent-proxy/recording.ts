/** What is kept of a request that is over: figures of its server and its name, a line, a sample, a trace. */
import { EDGE, INCOMING, OUTGOING } from './config/spec.ts';
import type { Traffic } from './control/contract.ts';
import type { ReasonCode } from './control/reason-codes.ts';
import type { Attempt } from './exchange/attempt.ts';
import type { Exchange } from './exchange/exchange.ts';
import type { LocalInstances } from './health/local-instances.ts';
import type { AccessRecord } from './telemetry/access-record.ts';
import type { ServiceScope } from './telemetry/name-scopes.ts';
import type { RecentRequests } from './telemetry/recent-requests.ts';
import type { TrafficCounter } from './telemetry/traffic.ts';
import type { Attempt as TracedAttempt, TracedRequest } from './tracing/attempt.ts';
import type { Tracer } from './tracing/tracer.ts';

type Side = Traffic['router'];

export interface Recorders {
  /** What the scheduler is told; null without one. */
  readonly traffic: TrafficCounter | null;
  /** In which namespace of the scheduler a router's names are evaluated, by router. */
  readonly namespaces: ReadonlyMap<string, string>;
  readonly locals: LocalInstances | null;
  /** By router. */
  readonly accessLogs: ReadonlyMap<string, readonly AccessWriter[]>;
  readonly recent: RecentRequests | null;
  readonly tracer: Tracer | null;
}

/** Takes what is told of a request. */
export interface AccessWriter {
  write(record: AccessRecord): void;
}

/** Returns the function that each exchange calls at its end. */
export function recorderOf(recorders: Recorders): (exchange: Exchange) => void {
  const { tracer, recent } = recorders;
  return (exchange) => {
    const at = exchange.endedAt;
    recordFigures(exchange, recorders, at);
    const logs = recorders.accessLogs.get(exchange.runtime.label);
    if (logs !== undefined) {
      const record = accessRecord(exchange);
      for (const log of logs) log.write(record);
    }
    if (tracer?.wants(exchange.context) === true) tracer.record(tracedRequest(exchange, at));
    if (recent?.wants() === true) recordSample(exchange, recent);
  };
}

function recordFigures(exchange: Exchange, recorders: Recorders, now: number): void {
  const { traffic, locals } = recorders;
  const { entrance, route, status, success, latencyMs, reason, retries, attempt, runtime } = exchange;
  const { scope } = entrance;
  scope.recorder.record(status, success, latencyMs, now);
  scope.sentBytes += exchange.bytesSent;
  if (reason !== null) scope.failed(reason);
  if (route === null) return;
  recordRequest(exchange, route.scope, now);
  // A client that went away says nothing about the service.
  if (reason !== null) {
    route.scope.failed(reason);
    if (reason === 'client-gone') return;
  }
  if (attempt === null) return;
  if (runtime.label === INCOMING) locals?.find(attempt.instance.endpoint.instance)?.judged(success);
  if (traffic === null) return;
  // At the edge a request meets its first proxy, as at the outgoing router.
  const side = runtime.label === EDGE ? OUTGOING : runtime.label;
  if (side === INCOMING || side === OUTGOING) {
    const isOwnError = !success && reason !== null && attempt.status === 0 && OWN_ERRORS.has(reason);
    traffic.record(side, attempt.branch.client.service, success, latencyMs, retries, isOwnError);
    if (exchange.past !== null) recordOthers(exchange.past, attempt, side, traffic);
  }
  if (route.toldIn === traffic.windowNumber) return;
  route.toldIn = traffic.windowNumber;
  const namespace = recorders.namespaces.get(runtime.label);
  if (namespace !== undefined) traffic.asked(namespace, route.logical);
}

/** For its name and for its attempt; once for both, where the one is the other in all that is counted. */
function recordRequest(
  { attempt, status, success, latencyMs, retries }: Exchange,
  scope: ServiceScope,
  now: number,
): void {
  if (attempt?.isToldWithRequest === true) {
    const { pair } = attempt.branch;
    if (success && status === attempt.status) {
      pair.answered(status, latencyMs, now);
      return;
    }
    pair.attempted(attempt.status, true, attempt.latencyMs, now);
  }
  scope.recorder.record(status, success, latencyMs, now);
  if (retries > 0) scope.perRequest.record(retries, now);
}

/**
 * A request that one branch of a union failed and another one answered is a failure of the first: whoever shifts traffic to
 * it would else take it for one that nobody asked.
 */
function recordOthers(past: readonly Attempt[], last: Attempt, side: Side, traffic: TrafficCounter): void {
  const told = new Set([last.branch.client.service]);
  for (const attempt of past) {
    const { service } = attempt.branch.client;
    if (told.has(service)) continue;
    told.add(service);
    const isOwnError = attempt.status === 0 && attempt.reason !== null && OWN_ERRORS.has(attempt.reason);
    traffic.record(side, service, false, Math.max(0, attempt.latencyMs), 0, isOwnError);
  }
}

/**
 * Failures by the proxy's own doing: its limits, its view of what can take a request. An instance that refuses, resets or
 * garbles is at fault itself, and what a peer's proxy answered is counted there.
 */
const OWN_ERRORS: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'deadline',
  'timeout',
  'shed',
  'breaker',
  'nack',
  'no-endpoint',
  'unknown-name',
  'unbound',
  'not-ready',
]);

function accessRecord(exchange: Exchange): AccessRecord {
  const { head, connection, attempt, status, runtime } = exchange;
  return {
    router: runtime.label,
    remoteAddress: connection.remoteAddress,
    method: head.method,
    target: head.target,
    version: head.version,
    host: head.host,
    status: status === 0 ? null : status,
    bytes: status === 0 ? null : exchange.bodyBytesSent,
    referer: head.header('referer'),
    userAgent: head.header('user-agent'),
    latencyMs: exchange.latencyMs,
    reason: exchange.reason,
    service: exchange.logical,
    client: attempt?.branch.client.id ?? null,
    upstream: attempt === null ? null : `${attempt.instance.endpoint.instance}@${attempt.where}`,
    retries: exchange.retries,
  };
}

function recordSample(exchange: Exchange, recent: RecentRequests): void {
  const { connection, attempt, route, status, runtime, reason } = exchange;
  const { local, remote } = connection.transport;
  recent.add({
    at: Math.round(performance.timeOrigin + exchange.startedAt),
    source: `${remote?.address ?? '-'}:${remote?.port ?? 0}`,
    server: `${local?.address ?? '-'}:${local?.port ?? 0}`,
    router: runtime.label,
    logical: route?.logical ?? null,
    concrete: attempt?.branch.client.id ?? null,
    destination: attempt?.where ?? null,
    status: status === 0 ? null : status,
    reason,
  });
}

/** The request as tracers and `l5d-debug` see it. */
export function tracedRequest(exchange: Exchange, endedAt: number): TracedRequest {
  const { head, route, status, attempt, past, runtime, connection } = exchange;
  const attempts = attempt === null ? (past ?? []) : [...(past ?? []), attempt];
  return {
    context: exchange.context,
    router: runtime.label,
    remoteAddress: connection.remoteAddress,
    method: head.method,
    target: head.target,
    host: head.host,
    startedAt: exchange.startedAt,
    endedAt,
    service: route?.logical ?? null,
    status: status === 0 ? null : status,
    reason: exchange.reason,
    attempts: attempts.map((one) => tracedAttempt(one, endedAt)),
  };
}

function tracedAttempt(attempt: Attempt, endedAt: number): TracedAttempt {
  const { context, startedAt, wroteAt, headAt, branch, instance, path, status, judgement, reason } = attempt;
  const { endpoint } = instance;
  return {
    context,
    startedAt,
    wroteAt: wroteAt === 0 ? null : wroteAt,
    headAt: headAt === 0 ? null : headAt,
    endedAt: attempt.endedAt === 0 ? endedAt : attempt.endedAt,
    client: branch.client.id,
    instance: endpoint.instance,
    address: path?.address ?? endpoint.address,
    port: path?.port ?? endpoint.port,
    status: status === 0 ? null : status,
    judgement,
    reason,
  };
}
