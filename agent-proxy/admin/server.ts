/**
 * The admin server of a proxy: what linkerd's has (ping, metrics, configuration, shutdown), the table, and the endpoint
 * at which a scheduler announces itself. Reads show no secrets; writes need the cluster's key off loopback.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Announce, announceSchema, CONTROL_ANNOUNCE_PATH } from '../control/contract.ts';
import type { MetricsQuery } from '../telemetry/json.ts';
import { mayWrite, type WriteGuard } from './authorization.ts';

const MAX_BODY_BYTES = 64 * 1024;
const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/** What the admin server shows and does. */
export interface AdminHost {
  readonly guard: WriteGuard;
  /** One sentence where the proxy is not ready, else null. */
  notReady(): string | null;
  config(): unknown;
  prometheus(): AsyncIterable<string>;
  /** Null when there is no such subtree. */
  metricsJson(query: MetricsQuery): Promise<AsyncIterable<string> | null>;
  table(): AsyncIterable<string>;
  /** Null without a scheduler. */
  announce: ((announce: Announce) => { accepted: true } | { accepted: false; highest: number }) | null;
  shutdown(): void;
}

interface Route {
  readonly method: 'GET' | 'POST';
  readonly summary: string;
  readonly handle: (host: AdminHost, request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
}

const ROUTES: Readonly<Record<string, Route>> = {
  '/admin/ping': { method: 'GET', summary: 'pong', handle: (_host, _request, response) => text(response, 200, 'pong') },
  '/admin/ready': {
    method: 'GET',
    summary: '200 when the proxy takes traffic, else 503 and why',
    handle: (host, _request, response) => {
      const why = host.notReady();
      text(response, why === null ? 200 : 503, why ?? 'ready');
    },
  },
  '/admin/metrics/prometheus': {
    method: 'GET',
    summary: 'metrics for Prometheus',
    handle: (host, _request, response) => stream(response, 'text/plain; version=0.0.4', host.prometheus()),
  },
  '/admin/metrics.json': {
    method: 'GET',
    summary: 'metrics as one flat object; ?tree=true objects in objects, ?q=rt/outgoing a part, ?pretty=true',
    handle: metricsJson,
  },
  '/admin/table': {
    method: 'GET',
    summary: 'the services and agents that this proxy knows',
    handle: (host, _request, response) => stream(response, JSON_TYPE, host.table()),
  },
  '/config.json': {
    method: 'GET',
    summary: 'the effective configuration, without secrets',
    handle: (host, _request, response) => json(response, 200, host.config()),
  },
  '/admin/shutdown': {
    method: 'POST',
    summary: 'finish what is in flight and exit',
    handle: (host, _request, response) => {
      text(response, 202, 'shutting down');
      response.once('finish', () => host.shutdown());
    },
  },
  [CONTROL_ANNOUNCE_PATH]: {
    method: 'POST',
    summary: 'a scheduler says where it is',
    handle: announce,
  },
};

export function createAdminServer(host: AdminHost): Server {
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    answer(host, request, response).catch((error: unknown) => {
      // A reader that goes away in the middle is no error of ours; anything else is told if it still can be.
      if (response.headersSent) response.destroy();
      else text(response, 500, error instanceof Error ? error.message : String(error));
    });
  });
  return server;
}

async function answer(host: AdminHost, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  if (path === '/' || path === '/admin' || path === '/admin/') {
    text(response, 200, index());
    return;
  }
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (route === undefined) {
    text(response, 404, `there is no ${path}; / lists what there is`);
    return;
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== route.method) {
    response.setHeader('Allow', route.method);
    text(response, 405, `${path} wants ${route.method}`);
    return;
  }
  if (route.method === 'POST') {
    const permission = mayWrite(host.guard, request.headers.authorization);
    if (!permission.granted) {
      text(response, permission.status, permission.why);
      return;
    }
  }
  await route.handle(host, request, response);
}

async function metricsJson(host: AdminHost, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, query = ''] = (request.url ?? '').split(/\?(.*)/s);
  const words = new URLSearchParams(query);
  const isSet = (name: string): boolean => ['true', '1'].includes(words.get(name) ?? '');
  const subtree = words.get('q') ?? '';
  const pieces = await host.metricsJson({ subtree, tree: isSet('tree'), pretty: isSet('pretty') });
  if (pieces === null) json(response, 404, { error: `there is no subtree ${subtree}` });
  else await stream(response, JSON_TYPE, pieces);
}

async function announce(host: AdminHost, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (host.announce === null) {
    text(response, 404, 'this proxy runs without a scheduler');
    return;
  }
  const body = await readBody(request);
  const parsed = body === null ? null : announceSchema.safeParse(parseJson(body));
  if (parsed === null || !parsed.success) {
    text(response, 400, 'the body is not {"epoch": 1, "schedulers": ["http://host:port"]}');
    return;
  }
  const announced = host.announce(parsed.data);
  if (announced.accepted) response.writeHead(204).end();
  else
    json(response, 409, {
      error: `epoch ${parsed.data.epoch} is below ${announced.highest}`,
      epoch: announced.highest,
    });
}

/** Null where it is too large. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES) return null;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The schema refuses it, with the same answer as for JSON of another shape.
    return undefined;
  }
}

function index(): string {
  const rows = Object.entries(ROUTES).map(
    ([path, { method, summary }]) => `${method.padEnd(4)} ${path.padEnd(28)} ${summary}`,
  );
  return ['nodemesh proxy', '', ...rows].join('\n');
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': TEXT_TYPE }).end(body);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': JSON_TYPE }).end(`${JSON.stringify(body)}\n`);
}

/** Writes the pieces as the reader takes them; stops when the reader is gone. */
async function stream(response: ServerResponse, type: string, pieces: AsyncIterable<string>): Promise<void> {
  response.writeHead(200, { 'Content-Type': type });
  for await (const piece of pieces) {
    if (response.destroyed) return;
    if (piece !== '' && !response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}
