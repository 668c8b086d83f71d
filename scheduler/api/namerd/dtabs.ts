/** `/api/1/dtabs`: the namespaces, read, watched and written as namerd's HTTP controller does it. */
import express, { type Request, type Response, type Router } from 'express';
import type { Activity, ActivityState } from '../../../agent-proxy/routing/activity.ts';
import { PENDING } from '../../../agent-proxy/routing/activity.ts';
import { etagOf } from '../../policy/etag.ts';
import type { RoutingPolicy } from '../../policy/routing-policy.ts';
import { ApiError } from '../errors.ts';
import { sendLine } from './answer.ts';
import { acceptedType, dtabIn, MAX_BODY, shownDtab } from './dtab-body.ts';
import type { WatchStreams } from './watch-streams.ts';
import { carryOut, ifMatch, namespaceOf } from './writes.ts';

const JSON_TYPE = 'application/json';
const ALL = '/api/1/dtabs';
const ONE = `${ALL}/:ns`;

export function dtabRoutes(router: Router, policy: () => RoutingPolicy, streams: WatchStreams): void {
  const body = express.text({ limit: MAX_BODY, type: () => true });

  router.get(ALL, (request, response) => {
    const { dtabs } = policy();
    if (isWatch(request)) return streams.begin(request, response, namesOf(policy()), JSON_TYPE);
    sendLine(response, JSON_TYPE, JSON.stringify(dtabs.names()));
  });

  // Before GET, which would answer HEAD too, with a length.
  router.head(ONE, (request, response) => {
    headOf(policy(), request, response);
    response.end();
  });

  router.get(ONE, (request, response) => {
    const type = acceptedType(request);
    if (isWatch(request)) {
      return streams.begin(request, response, dtabActivity(policy(), namespaceOf(request), type), type);
    }
    sendLine(response, type, headOf(policy(), request, response));
  });

  router.post(ONE, body, async (request, response) => {
    const name = namespaceOf(request);
    const write = { text: dtabIn(request, name), condition: { kind: 'absent' }, what: 'created' } as const;
    await carryOut(policy(), name, write, request, response);
    response.status(204).end();
  });

  router.put(ONE, body, async (request, response) => {
    const name = namespaceOf(request);
    const condition = ifMatch(request) ?? ({ kind: 'any' } as const);
    await carryOut(policy(), name, { text: dtabIn(request, name), condition, what: 'written' }, request, response);
    response.status(204).end();
  });

  router.delete(ONE, async (request, response) => {
    const condition = ifMatch(request) ?? ({ kind: 'present' } as const);
    const write = { text: null, condition, what: 'deleted' };
    await carryOut(policy(), namespaceOf(request), write, request, response);
    response.status(204).end();
  });
}

export function isWatch(request: Request): boolean {
  return request.query['watch'] === 'true';
}

/** Sets the headers of a namespace, and returns its dtab. @throws {ApiError} 404 */
function headOf({ dtabs }: RoutingPolicy, request: Request, response: Response): string {
  const name = namespaceOf(request);
  const namespace = dtabs.get(name);
  if (namespace === null) throw new ApiError(404, `there is no namespace ${name}`);
  const type = acceptedType(request);
  response.setHeader('etag', etagOf(namespace.version));
  response.setHeader('content-type', type);
  return shownDtab(namespace, type);
}

/** The list of the namespaces, for as long as it is observed. */
function namesOf({ dtabs }: RoutingPolicy): Activity<string> {
  return {
    get state(): ActivityState<string> {
      return { kind: 'ok', value: JSON.stringify(dtabs.names()) };
    },
    observe: (listener) => dtabs.onChange(() => listener()),
  };
}

/** The dtab of a namespace: nothing until there is one, and an empty dtab when it is gone again. */
function dtabActivity({ dtabs }: RoutingPolicy, name: string, type: string): Activity<string> {
  let wasThere = false;
  return {
    get state(): ActivityState<string> {
      const namespace = dtabs.get(name);
      wasThere ||= namespace !== null;
      return wasThere ? { kind: 'ok', value: shownDtab(namespace, type) } : PENDING;
    },
    observe: (listener) =>
      dtabs.onChange((changed) => {
        if (changed === name) listener();
      }),
  };
}
