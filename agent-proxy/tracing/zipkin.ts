/**
 * The telemeter `io.l5d.zipkin`: spans as Zipkin's v2 JSON, `POST /api/v2/spans`. linkerd spoke Scribe (port 9410), which
 * Zipkin has not listened for by default since 2.0; the schema warns of that port.
 */
import { isIP } from 'node:net';
import { CollectorClient } from './collector-client.ts';
import { BatchExporter } from './exporter.ts';
import type { Span } from './span.ts';

const PATH = '/api/v2/spans';

export interface ZipkinConfig {
  readonly host: string;
  readonly port: number;
  readonly sampleRate: number;
}

export function zipkinExporter({ host, port, sampleRate }: ZipkinConfig, onFailure: (failure: string) => void) {
  const client = new CollectorClient({ tls: false, host, port, path: PATH });
  return new BatchExporter({ sampleRate, onFailure, send: (spans, done) => client.post(encodeZipkin(spans), done) });
}

export function encodeZipkin(spans: readonly Span[]): string {
  return JSON.stringify(spans.map(zipkinSpan));
}

function zipkinSpan(span: Span) {
  const { address, port } = span.remote;
  return {
    traceId: span.traceId.startsWith('0'.repeat(16)) ? span.traceId.slice(16) : span.traceId,
    id: span.id,
    parentId: span.parentId ?? undefined,
    debug: span.debug || undefined,
    kind: span.kind.toUpperCase(),
    name: span.name,
    timestamp: span.startedAt,
    duration: span.duration,
    localEndpoint: { serviceName: span.router },
    remoteEndpoint: { [isIP(address) === 6 ? 'ipv6' : 'ipv4']: address, port: port ?? undefined },
    annotations: span.annotations.map(({ at, value }) => ({ timestamp: at, value })),
    tags: span.error === null ? span.tags : { ...span.tags, error: span.error },
  };
}
