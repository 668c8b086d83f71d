/** `/v1/dtabs`: what namerd's API has no words for. A namespace as it was written, its history, and the way back. */
import express, { Router } from 'express';
import { z } from 'zod';
import type { Namespace } from '../policy/dtab-store.ts';
import { etagOf } from '../policy/etag.ts';
import type { NamespaceVersion } from '../policy/namespace-record.ts';
import type { RoutingPolicy } from '../policy/routing-policy.ts';
import { ApiError } from './errors.ts';
import { carryOut, ifMatch, namespaceOf } from './namerd/writes.ts';

export const revertSchema = z.object({ version: z.int().min(1).optional() });

export function dtabsRouter(policy: () => RoutingPolicy): Router {
  const router = Router();

  router.get('/v1/dtabs', (_request, response) => {
    const { dtabs } = policy();
    const all = dtabs.names().flatMap((name) => namespaceJson(dtabs.get(name), dtabs.history(name)));
    response.json(all.map(({ dtab: _dtab, ...rest }) => rest));
  });

  router.get('/v1/dtabs/:ns', (request, response) => {
    const { dtabs } = policy();
    const name = namespaceOf(request);
    const [json] = namespaceJson(dtabs.get(name), dtabs.history(name));
    if (json === undefined) throw new ApiError(404, `there is no namespace ${name}`);
    response.json(json);
  });

  router.get('/v1/dtabs/:ns/history', (request, response) => {
    response.json(historyOf(policy(), namespaceOf(request)).map(versionJson));
  });

  router.post('/v1/dtabs/:ns/revert', express.json({ limit: '4kb', type: () => true }), async (request, response) => {
    const parsed = revertSchema.safeParse(request.body ?? {});
    if (!parsed.success)
      throw new ApiError(400, 'the body is not {"version": 3}, or {} for the version before this one');
    const name = namespaceOf(request);
    const current = policy();
    const history = historyOf(current, name);
    const { version } = parsed.data;
    const target = version === undefined ? history[1] : history.find((each) => each.version === version);
    if (target === undefined) {
      const known = `the versions known are ${history.at(-1)?.version} to ${history[0]?.version}`;
      throw new ApiError(
        404,
        `namespace ${name} has no ${version === undefined ? 'earlier version' : `version ${version}`}; ${known}`,
      );
    }
    const condition = ifMatch(request) ?? ({ kind: 'any' } as const);
    const write = { text: target.dtab, condition, what: `reverted to version ${target.version}` };
    const now = await carryOut(current, name, write, request, response);
    response.setHeader('etag', etagOf(now));
    response.json({ name, version: now, revertedTo: target.version, deleted: target.dtab === null });
  });

  return router;
}

/** @throws {ApiError} 404 */
function historyOf({ dtabs }: RoutingPolicy, name: string): NamespaceVersion[] {
  const history = dtabs.history(name);
  if (history.length === 0) throw new ApiError(404, `there never was a namespace ${name}`);
  return history;
}

function namespaceJson(namespace: Namespace | null, [newest]: readonly NamespaceVersion[]) {
  if (namespace === null || newest === undefined) return [];
  return [{ name: namespace.name, ...versionJson(newest), dentries: namespace.dtab.length }];
}

function versionJson({ version, dtab, at, by, what }: NamespaceVersion) {
  return { version, etag: etagOf(version), dtab, at: new Date(at).toISOString(), by, what };
}
