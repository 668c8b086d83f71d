/** The master's HTTP server: which path is served by what. JSON only; protobuf is refused with 415 or 406. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Caller, callerOf, type Realm, sendUnauthorized } from './http-auth.ts';
import { methodNotAllowed, sendEmpty, sendJson, sendText } from './http-io.ts';
import { serveOperator, serveV0Change } from './http-operator.ts';
import { serveScheduler } from './http-scheduler.ts';
import type { Master } from './master.ts';
import { answerNotLeading, type NotLeading, redirectTo } from './not-leading.ts';
import { VERSION_INFO } from './operator-json.ts';
import { frameworksJson, rolesJson, slavesJson, stateJson, stateSummaryJson, tasksJson } from './state-json.ts';

/** Longer than the patience of our clients' pools: the server must not close a connection that is about to be used. */
const KEEP_ALIVE_MS = 75_000;

/** What answers at this address now: the leading master, one that does not lead, or none (during a failover: 503). */
export type Standing = Master | NotLeading | null;

/** Not listening yet. `extraRoutes` may take a request over and then returns true. */
export function createMasterHttp(
  getStanding: () => Standing,
  extraRoutes: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Server {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    // A bug here must cost this request, not the cluster.
    const failed = (error: unknown): void => {
      if (response.headersSent) response.destroy();
      else sendText(response, 500, `Internal error: ${error instanceof Error ? error.message : String(error)}`);
    };
    try {
      if (!extraRoutes(request, response)) route(getStanding, request, response).catch(failed);
    } catch (error) {
      failed(error);
    }
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, handle);
  // Mesos never answers 100 Continue: it reads on and answers the call.
  server.on('checkContinue', handle);
  // And it answers garbage by hanging up.
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

async function route(getStanding: () => Standing, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = pathOf(request);
  const local = LOCAL[path];
  if (local !== undefined) return get(request, response, () => local(request, response));
  if (!isServed(path)) return sendText(response, 404, '404 Not Found.');

  const standing = getStanding();
  if (standing === null) return sendText(response, 503, 'No leader elected');
  if ('kind' in standing) return answerNotLeading(standing, path, response);
  if (path === '/redirect') return redirectTo(standing.context.identity, '', response);
  const realm = realmOf(path);
  const caller = callerOf(standing.context.settings.credentials, request);
  if (caller.kind === 'refused') return sendUnauthorized(response, realm);
  const mayOperate = caller.kind === 'anyone' || caller.operator;
  if (path !== '/api/v1/scheduler' && !mayOperate) return sendEmpty(response, 403);
  await serve(standing, path, caller, request, response);
}

async function serve(
  master: Master,
  path: string,
  caller: Caller,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (path === '/api/v1/scheduler') return serveScheduler(master, caller, request, response);
  if (path === '/api/v1' || path.startsWith('/api/v1/')) return serveOperator(master, request, response);
  const read = READS[path];
  // The schedule is read and written at the same path.
  if (V0_CHANGES.has(path) && (read === undefined || request.method === 'POST')) {
    return serveV0Change(master, path, request, response);
  }
  if (read !== undefined) get(request, response, () => sendJson(request, response, read(master)));
}

function realmOf(path: string): Realm {
  if (path === '/api/v1/scheduler') return 'mesos-master-scheduler';
  return Object.hasOwn(READS, path) && !V0_CHANGES.has(path) ? 'mesos-master-readonly' : 'mesos-master-readwrite';
}

/** Answered by every master, leading or not. */
const LOCAL: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  '/health': (_request, response) => sendEmpty(response, 200),
  '/version': (request, response) => sendJson(request, response, VERSION_INFO),
};

const READS: Readonly<Record<string, (master: Master) => object>> = {
  '/state': ({ context }) => stateJson(context),
  '/state.json': ({ context }) => stateJson(context),
  '/state-summary': ({ context }) => stateSummaryJson(context),
  '/slaves': ({ context }) => slavesJson(context),
  '/frameworks': ({ context }) => frameworksJson(context),
  '/tasks': ({ context }) => tasksJson(context),
  '/roles': ({ context }) => rolesJson(context),
  '/maintenance/schedule': ({ context }) => context.maintenance.scheduleJson(),
  '/maintenance/status': ({ context }) => context.maintenance.statusJson(context.agents.all()),
};

const V0_CHANGES: ReadonlySet<string> = new Set(['/maintenance/schedule', '/machine/down', '/machine/up']);

function isServed(path: string): boolean {
  if (path === '/redirect' || path === '/api/v1' || path.startsWith('/api/v1/')) return true;
  return Object.hasOwn(READS, path) || V0_CHANGES.has(path);
}

/** `/master/state` is another name of `/state`, and so on for all. */
function pathOf(request: IncomingMessage): string {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const short = path.startsWith('/master/') ? path.slice('/master'.length) : path;
  return short.length > 1 && short.endsWith('/') ? short.slice(0, -1) : short;
}

function get(request: IncomingMessage, response: ServerResponse, answer: () => void): void {
  if (request.method === 'GET' || request.method === 'HEAD') answer();
  else methodNotAllowed(request, response, ['GET']);
}
