/**
 * The admin server of a proxy: what linkerd's has, the table, and the endpoint at which a scheduler announces itself.
 * Reads show no secrets; off loopback all but ping, readiness and metrics needs a token.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { isForeign, mayUse } from './authorization.ts';
import { AdminExchange } from './exchange.ts';
import type { AdminHost } from './host.ts';
import { type Route, type RouteOptions, routesOf } from './routes.ts';
import { type AdminSecurity, pathFilter } from './security.ts';

export type { AdminHost } from './host.ts';

export interface AdminOptions extends RouteOptions {
  /** Which pages are served at all; null: all of them. */
  readonly security: AdminSecurity | null;
  /** Only what the mesh's own contract has: of a public node, everything else is for that node. */
  readonly controlOnly: boolean;
}

/** People and collectors are few; whoever opens more must not take the descriptors of the data plane. */
const MAX_CONNECTIONS = 256;

const DEFAULTS: AdminOptions = {
  security: null,
  controlOnly: false,
  prometheusPath: '/admin/metrics/prometheus',
  delegateTimeoutMs: 2_000,
};

export function createAdminServer(host: AdminHost, options: Partial<AdminOptions> = {}): Server {
  const { security, controlOnly, ...routeOptions } = { ...DEFAULTS, ...options };
  const routes = routesOf(host, routeOptions).filter(({ isContract }) => !controlOnly || isContract === true);
  const isServed = security === null ? () => true : pathFilter(security);
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const exchange = new AdminExchange(request, response);
    answer(host, routes, isServed, exchange).catch((error: unknown) => {
      // A reader that goes away in the middle is no error of ours; anything else is told if it still can be.
      exchange.fail(500, error instanceof Error ? error.message : String(error));
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

/** How long who has connected may take to ask, and how long the last answers may take. */
const LAST_MS = { idle: 500, all: 1_500 };

/**
 * Accepts nothing more; resolves when who had connected has been answered. A health check that is cut off, because this process
 * ends at once, would take that for a failure, while the successor answers already.
 */
export async function retire(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  // That of `node:http` would also close the connections on which nothing is asked at this moment.
  NetServer.prototype.close.call(server);
  const timers = [
    setTimeout(() => server.closeIdleConnections(), LAST_MS.idle),
    setTimeout(() => server.closeAllConnections(), LAST_MS.all),
  ];
  await closed;
  for (const timer of timers) clearTimeout(timer);
}

async function answer(
  { guard }: AdminHost,
  routes: readonly Route[],
  isServed: (path: string) => boolean,
  exchange: AdminExchange,
): Promise<void> {
  const { path, request } = exchange;
  const route = routes.find((candidate) => isAt(candidate, path));
  if (route === undefined || !(route.isContract === true || isServed(path))) {
    exchange.text(404, `there is no ${path}; / lists what there is`);
    return;
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (!route.methods.some((allowed) => allowed === method)) {
    exchange.header('Allow', route.methods.join(', '));
    exchange.text(405, `${path} wants ${route.methods.join(' or ')}`);
    return;
  }
  const { authorization, origin, host } = request.headers;
  const permission = mayUse(guard, authorization);
  if (!(permission.granted || route.isOpen === true)) {
    if (permission.status === 401) exchange.header('WWW-Authenticate', 'Bearer realm="nodemesh"');
    exchange.text(permission.status, permission.why);
    return;
  }
  if (method === 'POST' && isForeign(origin, host)) {
    exchange.text(403, `${path} is not for pages of ${origin}`);
    return;
  }
  await route.handle(exchange);
}

function isAt(route: Route, path: string): boolean {
  return route.path.endsWith('/*') ? path.startsWith(route.path.slice(0, -1)) : route.path === path;
}
