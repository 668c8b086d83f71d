import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BatchExporter, type SendBatch } from '../../../agent-proxy/tracing/exporter.ts';
import { otlpExporter } from '../../../agent-proxy/tracing/otlp.ts';
import { type Span, spansOf } from '../../../agent-proxy/tracing/span.ts';
import { zipkinExporter } from '../../../agent-proxy/tracing/zipkin.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { TIME_ORIGIN, tracedRequest } from './traced-request.ts';

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly type: string | undefined;
  readonly connection: number | undefined;
  readonly json: unknown;
}

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** A collector that keeps what it is sent. */
async function useCollector(answer: (response: ServerResponse) => void = (response) => response.writeHead(202).end()) {
  const received: Received[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      const { method, url, headers, socket } = request;
      const json: unknown = JSON.parse(text);
      received.push({ method, url, type: headers['content-type'], connection: socket.remotePort, json });
      answer(response);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo;
  return { port, received };
}

function spans(): Span[] {
  return spansOf(tracedRequest(), TIME_ORIGIN);
}

describe('io.l5d.zipkin', () => {
  it('posts spans as v2 JSON, over one connection', async () => {
    const { port, received } = await useCollector();
    const failures: string[] = [];
    const exporter = zipkinExporter({ host: '127.0.0.1', port, sampleRate: 1 }, (failure) => failures.push(failure));
    const request = tracedRequest();
    const [server, client] = spansOf(request, TIME_ORIGIN);
    if (server === undefined || client === undefined) throw new Error('there are no spans');
    exporter.offer(server);
    exporter.offer(client);
    await eventually('the first batch', () => exporter.sent === 2);
    exporter.offer(server);
    await exporter.close(1_000);
    expect(failures).toEqual([]);
    expect(received).toHaveLength(2);
    expect(received[0]).toMatchObject({ method: 'POST', url: '/api/v2/spans', type: 'application/json' });
    expect(received[0]?.connection).toBe(received[1]?.connection);
    expect(received[0]?.json).toEqual([
      {
        traceId: request.context.traceId,
        id: request.context.spanId,
        kind: 'SERVER',
        name: 'get',
        timestamp: (TIME_ORIGIN + 100) * 1000,
        duration: 20_000,
        localEndpoint: { serviceName: 'outgoing' },
        remoteEndpoint: { ipv4: '127.0.0.9' },
        annotations: [
          { timestamp: (TIME_ORIGIN + 100) * 1000, value: 'wr' },
          { timestamp: (TIME_ORIGIN + 120) * 1000, value: 'ws' },
        ],
        tags: expect.objectContaining({ service: '/svc/web', 'http.status_code': '200' }),
      },
      expect.objectContaining({
        parentId: request.context.spanId,
        kind: 'CLIENT',
        remoteEndpoint: { ipv4: '127.0.0.1', port: 31_000 },
        tags: expect.objectContaining({ error: 'app-error', instance: 'web.1' }),
      }),
    ]);
  });

  it('counts spans as failed, and complains once, where the collector refuses or is away', async () => {
    const { port } = await useCollector((response) => response.writeHead(500).end());
    const failures: string[] = [];
    const exporter = zipkinExporter({ host: '127.0.0.1', port, sampleRate: 1 }, (failure) => failures.push(failure));
    for (const span of spans()) exporter.offer(span);
    await exporter.close(1_000);
    expect(exporter).toMatchObject({ sent: 0, failed: 3 });
    const away = zipkinExporter({ host: '127.0.0.1', port: 1, sampleRate: 1 }, (failure) => failures.push(failure));
    for (const span of spans()) away.offer(span);
    await away.close(1_000);
    expect(away.failed).toBe(3);
    expect(failures).toEqual([
      `spans to 127.0.0.1:${port}/api/v2/spans: answered 500; they are dropped, check the collector`,
      expect.stringContaining('spans to 127.0.0.1:1/api/v2/spans: connect ECONNREFUSED'),
    ]);
  });
});

describe('io.nodemesh.otlp', () => {
  it('posts spans as OTLP in JSON', async () => {
    const { port, received } = await useCollector();
    const exporter = otlpExporter({ endpoint: `http://127.0.0.1:${port}`, sampleRate: 1 }, () => undefined);
    const request = tracedRequest();
    for (const span of spansOf(request, TIME_ORIGIN)) exporter.offer(span);
    await exporter.close(1_000);
    expect(received[0]).toMatchObject({ method: 'POST', url: '/v1/traces', type: 'application/json' });
    expect(received[0]?.json).toEqual({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'outgoing' } }] },
          scopeSpans: [
            {
              scope: { name: 'nodemesh' },
              spans: [
                expect.objectContaining({
                  traceId: request.context.wideTraceId,
                  spanId: request.context.spanId,
                  kind: 2,
                  startTimeUnixNano: `${TIME_ORIGIN + 100}000000`,
                  endTimeUnixNano: `${TIME_ORIGIN + 120}000000`,
                  status: {},
                }),
                expect.objectContaining({ kind: 3, status: { code: 2, message: 'app-error' } }),
                expect.objectContaining({ parentSpanId: request.context.spanId, status: {} }),
              ],
            },
          ],
        },
      ],
    });
  });

  it('leaves the path of the endpoint as it was configured', async () => {
    const { port, received } = await useCollector();
    const exporter = otlpExporter({ endpoint: `http://127.0.0.1:${port}/own/path`, sampleRate: 1 }, () => undefined);
    for (const span of spans()) exporter.offer(span);
    await exporter.close(1_000);
    expect(received[0]?.url).toBe('/own/path');
  });
});

describe('the queue', () => {
  /** A collector that answers when it is told to. */
  function useExporter(options: { queueSpans?: number; batchSpans?: number }) {
    const batches: number[] = [];
    const waiting: ((failure: string | null) => void)[] = [];
    const send: SendBatch = (batch, done) => {
      batches.push(batch.length);
      waiting.push(done);
    };
    const exporter = new BatchExporter({ sampleRate: 1, send, onFailure: () => undefined, ...options });
    return { exporter, batches, answer: (failure: string | null = null) => waiting.shift()?.(failure) };
  }

  const [span] = spans();
  function offer(exporter: BatchExporter, count: number): void {
    for (let index = 0; index < count; index += 1) if (span !== undefined) exporter.offer(span);
  }

  it('sends a batch when it is full, and one at a time', () => {
    const { exporter, batches, answer } = useExporter({ batchSpans: 2 });
    offer(exporter, 5);
    expect(batches).toEqual([2]);
    answer();
    expect(batches).toEqual([2, 2]);
    answer();
    expect(batches).toEqual([2, 2]);
    expect(exporter.sent).toBe(4);
  });

  it('drops and counts what finds it full', () => {
    const { exporter } = useExporter({ batchSpans: 2, queueSpans: 3 });
    offer(exporter, 10);
    expect(exporter.dropped).toBe(5);
  });

  it('goes on after a batch that was lost', () => {
    const { exporter, batches, answer } = useExporter({ batchSpans: 1 });
    offer(exporter, 2);
    answer('away');
    answer();
    expect(batches).toEqual([1, 1]);
    expect(exporter).toMatchObject({ failed: 1, sent: 1 });
  });

  it('is sent to the end when it closes, for as long as it may take', async () => {
    const { exporter, batches, answer } = useExporter({ batchSpans: 2 });
    offer(exporter, 3);
    const closed = exporter.close(60_000);
    answer();
    answer();
    await closed;
    expect(batches).toEqual([2, 1]);
    const hung = useExporter({ batchSpans: 2 });
    offer(hung.exporter, 3);
    await hung.exporter.close(10);
    expect(hung.batches).toEqual([2]);
  });
});
