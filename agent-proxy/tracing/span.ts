/** The spans of a request: one of the server, and one of the client for each attempt below it. */
import type { Judgement } from '../resilience/classifier.ts';
import type { Attempt, TracedRequest } from './attempt.ts';

/** Zipkin's short names: `ws` and `wr` are when bytes went to the wire and came from it. */
export interface Annotation {
  /** Microseconds since 1970. */
  readonly at: number;
  readonly value: string;
}

export interface Span {
  readonly kind: 'server' | 'client';
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly parentId: string | null;
  readonly debug: boolean;
  /** The request's method. */
  readonly name: string;
  /** Microseconds since 1970. */
  readonly startedAt: number;
  /** Microseconds, at least 1. */
  readonly duration: number;
  /** The router's label. */
  readonly router: string;
  /** The caller of a server, the callee of a client. A caller's port says nothing and is null. */
  readonly remote: { readonly address: string; readonly port: number | null };
  readonly annotations: readonly Annotation[];
  readonly tags: Readonly<Record<string, string>>;
  /** What went wrong: a reason code or a status; null where nothing did. */
  readonly error: string | null;
}

const OUTCOMES: Readonly<Record<Judgement, string>> = {
  success: 'l5d.success',
  failure: 'l5d.failure',
  'retryable-failure': 'l5d.retryable',
};

/** The server's span first. `timeOrigin` is `performance.timeOrigin`, ms since 1970. */
export function spansOf(request: TracedRequest, timeOrigin: number): Span[] {
  return [
    serverSpan(request, timeOrigin),
    ...request.attempts.map((attempt) => clientSpan(request, attempt, timeOrigin)),
  ];
}

function serverSpan(request: TracedRequest, timeOrigin: number): Span {
  const { context, status, reason, service, startedAt, endedAt, attempts } = request;
  const tags: Record<string, string> = {
    'router.label': request.router,
    'http.method': request.method,
    'http.path': withoutQuery(request.target),
  };
  if (request.host !== null) tags['http.host'] = request.host;
  if (status !== null) tags['http.status_code'] = String(status);
  if (service !== null) tags['service'] = service;
  const last = attempts.at(-1);
  if (last !== undefined) tags['client'] = last.client;
  if (attempts.length > 1) tags['retries'] = String(attempts.length - 1);
  if (reason !== null) tags['reason'] = reason;
  return {
    kind: 'server',
    ...idsOf(request.context),
    debug: context.debug,
    name: request.method.toLowerCase(),
    ...interval(startedAt, endedAt, timeOrigin),
    router: request.router,
    remote: { address: request.remoteAddress, port: null },
    annotations: [
      { at: micros(startedAt, timeOrigin), value: 'wr' },
      { at: micros(endedAt, timeOrigin), value: 'ws' },
    ],
    tags,
    error: reason,
  };
}

function clientSpan(request: TracedRequest, attempt: Attempt, timeOrigin: number): Span {
  const { status, reason, judgement, wroteAt, headAt, endedAt } = attempt;
  const tags: Record<string, string> = {
    'router.label': request.router,
    'http.method': request.method,
    'http.path': withoutQuery(request.target),
    client: attempt.client,
    instance: attempt.instance,
  };
  if (request.service !== null) tags['service'] = request.service;
  if (status !== null) tags['http.status_code'] = String(status);
  if (reason !== null) tags['reason'] = reason;
  const annotations: Annotation[] = [];
  if (wroteAt !== null) annotations.push({ at: micros(wroteAt, timeOrigin), value: 'ws' });
  if (headAt !== null) annotations.push({ at: micros(headAt, timeOrigin), value: 'wr' });
  annotations.push({ at: micros(headAt ?? endedAt, timeOrigin), value: OUTCOMES[judgement] });
  return {
    kind: 'client',
    ...idsOf(attempt.context),
    debug: attempt.context.debug,
    name: request.method.toLowerCase(),
    ...interval(attempt.startedAt, endedAt, timeOrigin),
    router: request.router,
    remote: { address: attempt.address, port: attempt.port },
    annotations,
    tags,
    error: judgement === 'success' ? null : (reason ?? String(status ?? 'failure')),
  };
}

/** A span's annotations with Zipkin's `sr`, `ss`, `cs` and `cr`, which are otherwise told by kind and duration. */
export function timelineOf({ kind, startedAt, duration, annotations }: Span): Annotation[] {
  const [begin, end] = kind === 'server' ? ['sr', 'ss'] : ['cs', 'cr'];
  const inner = [...annotations];
  const first = { at: startedAt, value: begin };
  const last = { at: startedAt + duration, value: end };
  // The wire is around a server, and within a client.
  if (kind === 'client') return [first, ...inner, last];
  return [...inner.slice(0, 1), first, last, ...inner.slice(1)];
}

function idsOf({ wideTraceId, spanId, parentId }: Attempt['context']) {
  return { traceId: wideTraceId, id: spanId, parentId };
}

function interval(startedAt: number, endedAt: number, timeOrigin: number) {
  const from = micros(startedAt, timeOrigin);
  return { startedAt: from, duration: Math.max(1, micros(endedAt, timeOrigin) - from) };
}

function micros(ms: number, timeOrigin: number): number {
  return Math.round((timeOrigin + ms) * 1000);
}

/** Queries hold what people would not write into a log. */
function withoutQuery(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
