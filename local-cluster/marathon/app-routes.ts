/** `/v2/apps` and what is below it. App ids hold slashes, so a path is read from both ends. */
import { canonicalAppId } from './app-id.ts';
import type { AppService, Deployed, Outcome, Refused } from './app-service.ts';
import type { AppRecord } from './app-store.ts';
import { type Answer, answer, flag } from './http-util.ts';
import { appView, type Embed, type Json, specView, taskView } from './json-views.ts';
import { parseSelector } from './selectors.ts';
import type { MarathonState } from './state.ts';

/** A request, as far as routes look at it. */
export interface Call {
  readonly method: string;
  /** Decoded segments below the route's own prefix. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly clientIp: string;
  readonly uri: string;
}

export interface Routes {
  readonly state: MarathonState;
  readonly apps: AppService;
}

export const NOT_ALLOWED = answer(405, { message: 'HTTP 405 Method Not Allowed' });

const noApp = (id: string): Answer => answer(404, { message: `App '${id}' does not exist` });

/** A refusal in Marathon's words. */
export function refusedAnswer(refused: Refused): Answer {
  switch (refused.kind) {
    case 'invalid':
      return answer(422, { message: 'Object is not valid', details: refused.details });
    case 'exists':
      return answer(409, { message: `An app with id [${refused.appId}] already exists.` });
    case 'missing':
      return noApp(refused.appId);
    case 'locked':
      return answer(409, {
        message:
          "App is locked by one or more deployments. Override with the option '?force=true'. " +
          "View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
        deployments: refused.deployments.map((id) => ({ id })),
      });
    case 'no-deployment':
      return answer(404, { message: `DeploymentPlan ${refused.id} does not exist` });
  }
}

export function deployedAnswer(outcome: Outcome<Deployed>, status = 200): Answer {
  if (!outcome.ok) return refusedAnswer(outcome.refused);
  const { version, deployment } = outcome;
  const body = { version, deploymentId: deployment.plan.id };
  return answer(status, body, { 'marathon-deployment-id': deployment.plan.id });
}

/** `apps.tasks`, `app.tasks`, `group.apps.tasks` and `tasks` all mean the same. */
export function embedOf(query: URLSearchParams, always: readonly string[]): Embed {
  const asked = new Set([...always, ...query.getAll('embed').map((text) => text.split('.').at(-1) ?? '')]);
  const failures = asked.has('failures');
  return {
    tasks: asked.has('tasks') || failures,
    counts: asked.has('counts'),
    deployments: asked.has('deployments') || asked.has('tasks') || failures,
    readiness: asked.has('readiness'),
    lastTaskFailure: asked.has('lastTaskFailure') || failures,
  };
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list({ state }: Routes, query: URLSearchParams, under: string): Answer {
  const { store } = state;
  const selector = parseSelector(query.get('label') ?? '');
  const label = query.get('label');
  if (label !== null && selector === null) return answer(400, { message: `'${label}' is not a label selector` });
  const id = query.get('id') ?? '';
  const cmd = query.get('cmd');
  const wanted = ({ spec }: AppRecord) =>
    spec.id.startsWith(under) &&
    spec.id.includes(id) &&
    (cmd === null || (spec.cmd ?? '').includes(cmd)) &&
    (label === null || selector?.(spec.labels) === true);
  const embed = embedOf(query, ['counts', 'deployments']);
  return answer(200, {
    apps: store
      .list()
      .filter(wanted)
      .map((record) => appView(state, record, embed)),
  });
}

function collection(routes: Routes, call: Call): Answer {
  const { state, apps } = routes;
  if (call.method === 'GET') return list(routes, call.query, '/');
  if (call.method !== 'POST') return NOT_ALLOWED;
  const outcome = apps.create(call.body, flag(call.query, 'force'));
  if (!outcome.ok) return refusedAnswer(outcome.refused);
  const { app, plan } = outcome.deployment;
  const record = state.store.get(app);
  if (record === undefined) return noApp(app);
  posted(state, call, specView(record));
  const embed = embedOf(call.query, ['counts', 'deployments', 'tasks']);
  // Marathon answers with the app as it was accepted, before anything was launched.
  const view = { ...appView(state, record, embed), tasks: [], deployments: [{ id: plan.id }] };
  return answer(201, view, { location: `/v2/apps${app}`, 'marathon-deployment-id': plan.id });
}

function posted(state: MarathonState, { clientIp, uri }: Call, appDefinition: unknown): void {
  state.bus.publish({ eventType: 'api_post_event', clientIp, uri, appDefinition });
}

function single({ state, apps }: Routes, call: Call, id: string): Answer {
  const { store } = state;
  const force = flag(call.query, 'force');
  const old = store.get(id);
  switch (call.method) {
    case 'GET': {
      if (old === undefined) return noApp(id);
      const embed = embedOf(call.query, ['counts', 'deployments', 'tasks', 'lastTaskFailure', 'readiness']);
      return answer(200, { app: appView(state, old, embed) });
    }
    case 'PUT':
    case 'PATCH': {
      if (!isRecord(call.body)) return answer(400, { message: 'Invalid JSON', details: 'an object was expected' });
      const partial = call.method === 'PATCH' || call.query.get('partialUpdate') !== 'false';
      const outcome = apps.update(id, call.body, { force, partial });
      const record = store.get(id);
      if (outcome.ok && record !== undefined) posted(state, call, specView(record));
      return deployedAnswer(outcome, outcome.ok && outcome.created ? 201 : 200);
    }
    case 'DELETE': {
      const outcome = apps.delete(id, force);
      if (outcome.ok && old !== undefined) posted(state, call, specView(old));
      return deployedAnswer(outcome);
    }
    default:
      return NOT_ALLOWED;
  }
}

function tasks({ state, apps }: Routes, call: Call, id: string, taskId: string | null): Answer {
  const all = state.tracker.ofApp(id);
  if (state.store.get(id) === undefined && all.length === 0) return noApp(id);
  if (call.method === 'GET' && taskId === null) return answer(200, { tasks: all.map(taskView) });
  if (call.method !== 'DELETE') return NOT_ALLOWED;
  const host = call.query.get('host');
  const chosen = all.filter(
    (instance) => (taskId === null || instance.taskId === taskId) && (host === null || instance.host === host),
  );
  if (taskId !== null && chosen.length === 0) return answer(404, { message: `Task '${taskId}' does not exist` });
  const views = chosen.map(taskView);
  const scale = flag(call.query, 'scale');
  const outcome = apps.killTasks(chosen, { scale, wipe: flag(call.query, 'wipe'), force: flag(call.query, 'force') });
  if (!outcome.ok) return refusedAnswer(outcome.refused);
  if (scale && outcome.deployed !== null) return deployedAnswer({ ok: true, ...outcome.deployed });
  return answer(200, taskId === null ? { tasks: views } : { task: views[0] });
}

function versions({ state }: Routes, call: Call, id: string, version: string | null): Answer {
  if (call.method !== 'GET') return NOT_ALLOWED;
  const known = state.store.versions(id);
  if (known.length === 0) return noApp(id);
  if (version === null) return answer(200, { versions: known.map((record) => record.version) });
  const found = known.find((record) => record.version === version);
  return found === undefined
    ? answer(404, { message: `App '${id}' does not exist in version ${version}` })
    : answer(200, specView(found));
}

/** Answer a request to `/v2/apps/…`. */
export function appRoutes(routes: Routes, call: Call): Answer {
  const path = call.path.filter((segment) => segment !== '');
  const last = path.at(-1);
  const idOf = (parts: readonly string[]) => canonicalAppId(parts.join('/'));
  if (last === undefined) return collection(routes, call);
  if (last === '*' && call.method === 'GET') {
    const group = idOf(path.slice(0, -1));
    return list(routes, call.query, group === '/' ? '/' : `${group}/`);
  }
  if (last === 'restart') {
    return call.method === 'POST'
      ? deployedAnswer(routes.apps.restart(idOf(path.slice(0, -1)), flag(call.query, 'force')))
      : NOT_ALLOWED;
  }
  if (last === 'tasks') return tasks(routes, call, idOf(path.slice(0, -1)), null);
  if (path.at(-2) === 'tasks') return tasks(routes, call, idOf(path.slice(0, -2)), last);
  if (last === 'versions') return versions(routes, call, idOf(path.slice(0, -1)), null);
  if (path.at(-2) === 'versions') return versions(routes, call, idOf(path.slice(0, -2)), last);
  return single(routes, call, idOf(path));
}
