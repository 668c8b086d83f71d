/** The telemeter `io.nodemesh.otlp`: spans to an OpenTelemetry collector, OTLP/HTTP with JSON, `POST /v1/traces`. */
import { CollectorClient } from './collector-client.ts';
import { BatchExporter } from './exporter.ts';
import type { Span } from './span.ts';

const PATH = '/v1/traces';
/** `SpanKind` and `StatusCode` of the protocol. */
const KINDS = { server: 2, client: 3 } as const;
const ERROR = 2;

export interface OtlpConfig {
  /** `http://host:4318`, perhaps with a path of its own. */
  readonly endpoint: string;
  readonly sampleRate: number;
}

/** `endpoint` is a URL that the configuration has checked. Throws where it is none. */
export function otlpExporter({ endpoint, sampleRate }: OtlpConfig, onFailure: (failure: string) => void) {
  const { protocol, hostname, port, pathname } = new URL(endpoint);
  const tls = protocol === 'https:';
  const client = new CollectorClient({
    tls,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (tls ? 443 : 80) : Number(port),
    path: pathname === '/' ? PATH : pathname,
  });
  return new BatchExporter({ sampleRate, onFailure, send: (spans, done) => client.post(encodeOtlp(spans), done) });
}

export function encodeOtlp(spans: readonly Span[]): string {
  return JSON.stringify({ resourceSpans: [...byRouter(spans)].map(([router, own]) => resourceSpans(router, own)) });
}

/** A resource of OpenTelemetry is what Zipkin calls a service: here the router. */
function byRouter(spans: readonly Span[]): Map<string, Span[]> {
  const routers = new Map<string, Span[]>();
  for (const span of spans) {
    const own = routers.get(span.router);
    if (own === undefined) routers.set(span.router, [span]);
    else own.push(span);
  }
  return routers;
}

function resourceSpans(router: string, spans: readonly Span[]) {
  return {
    resource: { attributes: [attribute('service.name', router)] },
    scopeSpans: [{ scope: { name: 'nodemesh' }, spans: spans.map(otlpSpan) }],
  };
}

function otlpSpan(span: Span) {
  const { address, port } = span.remote;
  const attributes = Object.entries(span.tags).map(([key, value]) => attribute(key, value));
  attributes.push(attribute('network.peer.address', port === null ? address : `${address}:${port}`));
  return {
    traceId: span.traceId,
    spanId: span.id,
    parentSpanId: span.parentId ?? undefined,
    name: span.name.toUpperCase(),
    kind: KINDS[span.kind],
    startTimeUnixNano: nanos(span.startedAt),
    endTimeUnixNano: nanos(span.startedAt + span.duration),
    attributes,
    events: span.annotations.map(({ at, value }) => ({ timeUnixNano: nanos(at), name: value })),
    status: span.error === null ? {} : { code: ERROR, message: span.error },
  };
}

function attribute(key: string, value: string) {
  return { key, value: { stringValue: value } };
}

/** The protocol's 64-bit numbers are text in JSON. */
function nanos(micros: number): string {
  return `${micros}000`;
}
