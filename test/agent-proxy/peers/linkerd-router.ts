/**
 * A stand-in of a router of linkerd 1.x, over real sockets: what it reads of a request, what it writes to the next hop and into
 * the answer, and how it fails, are linkerd's. Names are hosts; each leads to one address.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface LinkerdRouter {
  readonly port: number;
  readonly url: string;
  /** As they came in, before anything was changed. */
  readonly received: IncomingMessage['headers'][];
}

/** `max-call-depth` of linkerd. */
const MOST_CALLS = 1_000;

interface Trace {
  readonly spanId: string;
  readonly traceId: string;
  readonly flags: string;
}

export async function useLinkerd(names: Readonly<Record<string, number>>): Promise<LinkerdRouter> {
  const received: IncomingMessage['headers'][] = [];
  let spans = 0;
  const nextSpan = (): string => (0x1000 + ++spans).toString(16).padStart(16, '0');
  const server = createServer((incoming, response) => {
    received.push(incoming.headers);
    void pass(incoming, response, names, nextSpan());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}`, received };
}

async function pass(
  incoming: IncomingMessage,
  response: ServerResponse,
  names: Readonly<Record<string, number>>,
  spanId: string,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { headers } = incoming;
  const via = headerOf(headers, 'via');
  if (via !== null && via.split(',').length >= MOST_CALLS) return fail(response, 400, 'Maximum number of calls', false);
  const name = headers.host ?? '';
  const port = names[name];
  if (port === undefined) return fail(response, 502, `Unable to route request! service name: /svc/${name}`, false);

  // Context is read and written anew; the rest passes.
  const own = new Set(['l5d-dtab', 'l5d-ctx-dtab', 'l5d-ctx-trace', 'l5d-reqid', 'via', 'connection']);
  const kept = Object.fromEntries(
    Object.entries(headers).filter(([key]) => !own.has(key) && !key.startsWith('l5d-dst-')),
  );
  const dtab = [headerOf(headers, 'l5d-ctx-dtab'), headerOf(headers, 'l5d-dtab')].filter((each) => each !== null);
  const trace = traceIn(headerOf(headers, 'l5d-ctx-trace'));
  const traceId = trace?.traceId ?? spanId;
  const outgoing = request({
    ...{ host: '127.0.0.1', port, method: incoming.method, path: incoming.url, agent: false },
    headers: {
      ...kept,
      'l5d-dst-service': `/svc/${name}`,
      'l5d-dst-client': `/%/io.l5d.port/4141/#/io.l5d.marathon/${name}`,
      'l5d-reqid': traceId,
      'l5d-ctx-trace': traceOut({ spanId, traceId, flags: trace?.flags ?? '0'.repeat(16) }, trace?.spanId ?? spanId),
      ...(dtab.length === 0 ? {} : { 'l5d-ctx-dtab': dtab.join(';') }),
      via: via === null ? '1.1 linkerd' : `${via}, 1.1 linkerd`,
    },
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    // Nothing of it was written.
    fail(response, 502, `${error.code} /#/io.l5d.marathon/${name}`, error.code === 'ECONNREFUSED');
  });
  outgoing.on('response', (answer) => {
    const back = headerOf(answer.headers, 'via');
    const isFailure = (answer.statusCode ?? 0) >= 500;
    response.writeHead(answer.statusCode ?? 502, {
      ...answer.headers,
      'l5d-success-class': headerOf(answer.headers, 'l5d-success-class') ?? (isFailure ? '0.0' : '1.0'),
      via: back === null ? '1.1 linkerd' : `${back}, 1.1 linkerd`,
    });
    answer.pipe(response);
  });
  outgoing.end(Buffer.concat(chunks));
}

function fail(response: ServerResponse, status: number, text: string, retryable: boolean): void {
  response.writeHead(status, {
    'content-type': 'text/plain',
    'l5d-err': encodeURIComponent(text),
    'l5d-success-class': '0.0',
    ...(retryable ? { 'l5d-retryable': 'true' } : {}),
    via: '1.1 linkerd',
  });
  response.end(text);
}

function headerOf(headers: IncomingMessage['headers'], name: string): string | null {
  const value = headers[name];
  return value === undefined ? null : String(value);
}

/** 32 bytes in base64: span, parent, trace, flags. */
function traceIn(text: string | null): Trace | null {
  const bytes = Buffer.from(text ?? '', 'base64');
  if (bytes.length < 32) return null;
  const hex = bytes.toString('hex');
  return { spanId: hex.slice(0, 16), traceId: hex.slice(32, 48), flags: hex.slice(48, 64) };
}

const traceOut = ({ spanId, traceId, flags }: Trace, parentId: string): string =>
  Buffer.from(spanId + parentId + traceId + flags, 'hex').toString('base64');
