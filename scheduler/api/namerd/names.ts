/** `/api/1/bind`, `addr`, `resolve`, `delegate` and `bound-names`: how names are bound, as namerd answers it. */
import express, { type Request, type Router } from 'express';
import { z } from 'zod';
import { type Activity, type ActivityState, constant, PENDING } from '../../../agent-proxy/routing/activity.ts';
import { addressesJson, type ReadAddresses, treeJson } from '../../../agent-proxy/routing/bound-json.ts';
import { type Dtab, EMPTY_DTAB, readDtab } from '../../../agent-proxy/routing/dtab.ts';
import type { BoundTree } from '../../../agent-proxy/routing/evaluation.ts';
import type { BoundName } from '../../../agent-proxy/routing/names.ts';
import { type Path, readPath } from '../../../agent-proxy/routing/path.ts';
import { Recomputed } from '../../../agent-proxy/routing/recomputed.ts';
import { WatchedAddresses } from '../../../agent-proxy/routing/watched-addresses.ts';
import type { RoutingPolicy } from '../../policy/routing-policy.ts';
import { ApiError } from '../errors.ts';
import { firstValue, sendLine } from './answer.ts';
import { invalidDtab } from './dtab-body.ts';
import { isWatch } from './dtabs.ts';
import type { WatchStreams } from './watch-streams.ts';
import { namespaceOf } from './writes.ts';

const TYPE = 'application/json';
const NEG = JSON.stringify(addressesJson({ kind: 'neg' }));

/** What is asked for: a name, under the dtab of a namespace and one that overrides it. */
interface Question {
  readonly base: Activity<Dtab>;
  readonly local: Dtab;
  readonly path: Path;
}

export function nameRoutes(router: Router, policy: () => RoutingPolicy, streams: WatchStreams): void {
  const answerWith = (lines: (policy: RoutingPolicy, request: Request) => Activity<string>) => {
    return async (request: Request, response: express.Response): Promise<void> => {
      const activity = lines(policy(), request);
      if (isWatch(request)) streams.begin(request, response, activity, TYPE);
      else sendLine(response, TYPE, await firstValue(activity, request));
    };
  };

  router.get(
    '/api/1/bind/:ns',
    answerWith((current, request) => bindLines(current, inNamespace(current, request))),
  );
  router.get(
    '/api/1/resolve/:ns',
    answerWith((current, request) => resolveLines(current, inNamespace(current, request))),
  );
  router.get(
    '/api/1/addr/:ns',
    answerWith((current, request) => addressLines(current, pathOf(request))),
  );
  router.get(
    '/api/1/delegate/:ns',
    answerWith((current, request) => delegateLines(current, inNamespace(current, request))),
  );
  router.get(
    '/api/1/delegate',
    answerWith((current, request) => delegateLines(current, withoutNamespace(request))),
  );
  const body = express.text({ limit: '256kb', type: () => true });
  router.post(
    '/api/1/delegate/:ns',
    body,
    answerWith((current, request) => delegateLines(current, posted(current, request))),
  );
  router.post(
    '/api/1/delegate',
    body,
    answerWith((current, request) => delegateLines(current, posted(current, request))),
  );
  router.get(
    '/api/1/bound-names',
    answerWith((current) => boundNames(current)),
  );
}

/** The bound tree. */
function bindLines({ names }: RoutingPolicy, { base, local, path }: Question): Activity<string> {
  const bound = names.interpreter(base).bind(EMPTY_DTAB, local, path);
  return withAddresses(bound, (tree, read) => JSON.stringify(treeJson(tree, read)));
}

/** The addresses that a name leads to: of a union those of one branch, drawn by weight each time. */
function resolveLines({ names }: RoutingPolicy, { base, local, path }: Question): Activity<string> {
  const bound = names.interpreter(base).bind(EMPTY_DTAB, local, path);
  const drawn = new WeakMap<BoundTree, BoundName>();
  return withAddresses(bound, (tree, read) => {
    // The same tree is drawn from once, so that a watch does not go to and fro when addresses change.
    const leaf = drawn.get(tree) ?? drawLeaf(tree);
    if (leaf === null) return NEG;
    drawn.set(tree, leaf);
    return JSON.stringify(addressesJson(read(leaf.addresses)));
  });
}

/** The addresses of a bound name, `/#/io.l5d.marathon/web`. */
function addressLines({ names }: RoutingPolicy, id: Path): Activity<string> {
  const bound = names.interpreter(constant(EMPTY_DTAB)).bind(EMPTY_DTAB, EMPTY_DTAB, withoutTransformers(id));
  return withAddresses(bound, (tree, read) =>
    tree.kind === 'leaf' ? JSON.stringify(addressesJson(read(tree.value.addresses))) : NEG,
  );
}

/** How a name is rewritten, step by step. */
function delegateLines({ names }: RoutingPolicy, { base, local, path }: Question): Activity<string> {
  const tree = names.interpreter(base).delegate(EMPTY_DTAB, local, path);
  return new Recomputed((watch) => {
    const state = watch(tree);
    return state.kind === 'ok' ? { kind: 'ok', value: JSON.stringify(state.value) } : state;
  }, Object.is);
}

/** All that the namers can enumerate: the services of the table. */
function boundNames({ names }: RoutingPolicy): Activity<string> {
  return {
    get state(): ActivityState<string> {
      const ids = names
        .services()
        .map((name) => (name.startsWith('#') ? `/#/${name.slice(1)}` : `/#/io.l5d.marathon/${name}`));
      return { kind: 'ok', value: JSON.stringify(ids.sort()) };
    },
    observe: (listener) => names.onChange(listener),
  };
}

/** Says a tree with the addresses that it leads to, when all of these are known, and again when anything is different. */
function withAddresses(
  bound: Activity<BoundTree>,
  say: (tree: BoundTree, read: ReadAddresses) => string,
): Activity<string> {
  const addresses = new WatchedAddresses();
  return new Recomputed<string>((watch) => {
    const tree = watch(bound);
    if (tree.kind !== 'ok') return tree;
    let isPending = false;
    const text = say(tree.value, (set) => {
      const state = addresses.read(watch, set);
      if (state.kind === 'pending') isPending = true;
      return state;
    });
    return isPending ? PENDING : { kind: 'ok', value: text };
  }, Object.is);
}

/** A leaf of an evaluated tree, each by its share; null where there is none. */
function drawLeaf(tree: BoundTree): BoundName | null {
  if (tree.kind === 'leaf') return tree.value;
  if (tree.kind !== 'union') return null;
  const sum = tree.branches.reduce((all, { weight }) => all + weight, 0);
  let left = Math.random() * (sum > 0 ? sum : tree.branches.length);
  for (const { weight, tree: child } of tree.branches) {
    left -= sum > 0 ? weight : 1;
    if (left < 0) return drawLeaf(child);
  }
  return null;
}

/** `/%/io.l5d.port/4141/#/io.l5d.marathon/web` names what is behind `/#/`. */
function withoutTransformers(id: Path): Path {
  const at = id.findIndex((segment) => segment === '#' || segment === '$');
  return id[0] === '%' && at !== -1 ? id.slice(at) : id;
}

// ---- what is asked for

function inNamespace({ dtabs }: RoutingPolicy, request: Request): Question {
  return { base: dtabs.dtabOf(namespaceOf(request)), local: dtabOf(request), path: pathOf(request) };
}

function withoutNamespace(request: Request): Question {
  return { base: constant(EMPTY_DTAB), local: dtabOf(request), path: pathOf(request) };
}

export const postedSchema = z.object({
  namespace: z.string().optional(),
  path: z.string(),
  dtab: z.string().default(''),
});

/** As the delegator of linkerd's dashboard posts it. */
function posted({ dtabs }: RoutingPolicy, request: Request): Question {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== TYPE) throw new ApiError(415, 'the body has to be application/json');
  let value: unknown = null;
  try {
    value = JSON.parse(typeof request.body === 'string' ? request.body : '');
  } catch {
    // What the schema says of it is enough.
  }
  const parsed = postedSchema.safeParse(value);
  if (!parsed.success) throw new ApiError(400, 'the body is not {"namespace": "…", "path": "/svc/web", "dtab": "…"}');
  const { path, dtab } = parsed.data;
  const namespace = request.params['ns'] === undefined ? parsed.data.namespace : namespaceOf(request);
  const base = namespace === undefined ? constant(EMPTY_DTAB) : dtabs.dtabOf(namespace);
  return { base, local: checkedDtab(dtab), path: checkedPath(path) };
}

function pathOf(request: Request): Path {
  const { path } = request.query;
  if (typeof path !== 'string') throw new ApiError(400, '?path= is missing, or stands there twice: ?path=/svc/web');
  return checkedPath(path);
}

function dtabOf(request: Request): Dtab {
  const { dtab = '' } = request.query;
  if (typeof dtab !== 'string') throw new ApiError(400, '?dtab= may stand there once');
  return checkedDtab(dtab);
}

function checkedPath(text: string): Path {
  try {
    return readPath(text);
  } catch (error) {
    throw invalidDtab(error, 'path');
  }
}

function checkedDtab(text: string): Dtab {
  try {
    return readDtab(text);
  } catch (error) {
    throw invalidDtab(error, 'dtab');
  }
}
