/** Marathon's HTTP API: which path is answered by what. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { canonicalAppId } from './app-id.ts';
import {
  appRoutes,
  type Call,
  deployedAnswer,
  embedOf,
  NOT_ALLOWED,
  type Routes,
  refusedAnswer,
} from './app-routes.ts';
import type { EventStreams } from './event-stream.ts';
import { type Answer, answer, flag, readJson, send } from './http-util.ts';
import { appView, deploymentView, groupView, queueView, taskView } from './json-views.ts';

export interface HttpApiOptions extends Routes {
  readonly streams: EventStreams;
  /** `host:port` of this Marathon, which always leads. */
  readonly leader: () => string;
  /** The body of `/v2/info`. */
  readonly info: () => unknown;
}

const NOT_FOUND = answer(404, { message: 'HTTP 404 Not Found' });

function allTasks({ state, apps }: Routes, call: Call): Answer {
  if (call.path[0] === 'delete') return deleteTasks({ state, apps }, call);
  if (call.path.length > 0) return NOT_FOUND;
  if (call.method !== 'GET') return NOT_ALLOWED;
  const wanted = call.query.getAll('status').concat(call.query.getAll('status[]'));
  const known: Readonly<Record<string, readonly string[]>> = {
    running: ['Running'],
    staging: ['Provisioned', 'Staging', 'Starting'],
  };
  const conditions = wanted.flatMap((status) => known[status] ?? []);
  const tasks = state.tracker.all().filter(({ condition }) => wanted.length === 0 || conditions.includes(condition));
  return answer(200, { tasks: tasks.map(taskView) });
}

function deleteTasks({ state, apps }: Routes, call: Call): Answer {
  if (call.method !== 'POST') return NOT_ALLOWED;
  const ids = typeof call.body === 'object' && call.body !== null && 'ids' in call.body ? call.body.ids : undefined;
  if (!Array.isArray(ids))
    return answer(422, { message: 'Object is not valid', details: [{ path: '/ids', errors: ['undefined'] }] });
  const chosen = ids.flatMap((id: unknown) => state.tracker.get(String(id)) ?? []);
  const views = chosen.map(taskView);
  const scale = flag(call.query, 'scale');
  const outcome = apps.killTasks(chosen, { scale, wipe: flag(call.query, 'wipe'), force: flag(call.query, 'force') });
  if (!outcome.ok) return refusedAnswer(outcome.refused);
  if (scale && outcome.deployed !== null) return deployedAnswer({ ok: true, ...outcome.deployed });
  return answer(200, { tasks: views });
}

function deployments({ state, apps }: Routes, call: Call): Answer {
  const [id] = call.path;
  if (id === undefined) {
    return call.method === 'GET' ? answer(200, state.deployments.list().map(deploymentView)) : NOT_ALLOWED;
  }
  if (call.method !== 'DELETE') return NOT_ALLOWED;
  const force = flag(call.query, 'force');
  const outcome = apps.cancel(id, force);
  if (!outcome.ok) return refusedAnswer(outcome.refused);
  if (force || outcome.rollback === null) return answer(202, '');
  return deployedAnswer({ ok: true, ...outcome.rollback });
}

function groups({ state }: Routes, call: Call): Answer {
  if (call.method !== 'GET') return NOT_ALLOWED;
  const id = canonicalAppId(call.path.join('/'));
  const embed = embedOf(call.query, []);
  const apps = state.store.list().map((record) => ({ path: record.spec.id, view: appView(state, record, embed) }));
  const latest = state.store
    .list()
    .map((record) => record.version)
    .sort()
    .at(-1);
  const view = groupView(id, apps, latest ?? new Date(0).toISOString());
  return view === null ? answer(404, { message: `Group '${id}' does not exist` }) : answer(200, view);
}

function queue({ state }: Routes, call: Call): Answer {
  const { timers } = state;
  const now = timers.now();
  if (call.path.length === 0) {
    if (call.method !== 'GET') return NOT_ALLOWED;
    const entries = state.queue.entries().map((entry) => queueView(entry, state.queue.delayUntil(entry.record), now));
    return answer(200, { queue: entries });
  }
  if (call.method !== 'DELETE' || call.path.at(-1) !== 'delay') return NOT_ALLOWED;
  const id = canonicalAppId(call.path.slice(0, -1).join('/'));
  if (!state.queue.entries().some(({ record }) => record.spec.id === id)) {
    return answer(404, { message: `Application ${id} not found in tasks queue.` });
  }
  state.queue.resetDelay(id);
  return answer(204, '');
}

function route(options: HttpApiOptions, area: string | undefined, call: Call): Answer {
  switch (area) {
    case 'apps':
      return appRoutes(options, call);
    case 'tasks':
      return allTasks(options, call);
    case 'deployments':
      return deployments(options, call);
    case 'groups':
      return groups(options, call);
    case 'queue':
      return queue(options, call);
    case 'info':
      return call.method === 'GET' ? answer(200, options.info()) : NOT_ALLOWED;
    case 'leader':
      return call.method === 'GET' ? answer(200, { leader: options.leader() }) : NOT_ALLOWED;
    case 'pods':
      // No pods here; readers of the whole of Marathon still get their empty list.
      return call.method === 'GET' && (call.path.length === 0 || call.path[0] === '::status')
        ? answer(200, [])
        : NOT_FOUND;
    default:
      return NOT_FOUND;
  }
}

function events(
  { streams }: HttpApiOptions,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): void {
  const accepted = (request.headers.accept ?? '').includes('text/event-stream');
  if (request.method !== 'GET' || !accepted) send(response, NOT_ALLOWED);
  else if (!streams.attach(request, response, query.getAll('event_type'))) {
    send(response, answer(503, { message: 'Too many event streams are open; close one and try again' }));
  }
}

async function handle(options: HttpApiOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  const pathname = mark < 0 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
  let segments: string[];
  try {
    segments = pathname
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    send(response, answer(400, { message: 'The path is not well-formed' }));
    return;
  }
  const [root, area, ...path] = segments;
  const leaderHeader = { 'x-marathon-leader': `http://${options.leader()}` };
  if (root === 'ping') {
    send(response, answer(200, 'pong'));
  } else if (root === 'v2' && area === 'events') {
    events(options, request, response, query);
  } else if (root === 'v2') {
    const body = await readJson(request);
    const clientIp = request.socket.remoteAddress ?? '';
    const call = {
      method: request.method ?? 'GET',
      path,
      query,
      body: body.ok ? body.value : undefined,
      clientIp,
      uri: pathname,
    };
    const reply = body.ok ? route(options, area, call) : body.answer;
    send(response, { ...reply, headers: { ...leaderHeader, ...reply.headers } });
  } else {
    send(response, NOT_FOUND);
  }
}

/** Longer than clients keep an idle connection, so that none is closed under a request that is just being sent. */
const KEEP_ALIVE_MS = 75_000;

/** The server, not yet listening. */
export function createHttpApi(options: HttpApiOptions): Server {
  return createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    response.on('error', () => {
      // The client went away before its answer; there is nobody to tell.
    });
    handle(options, request, response).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      if (response.headersSent) response.destroy();
      else send(response, answer(500, { message }));
    });
  });
}
