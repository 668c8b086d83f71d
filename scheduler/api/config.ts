/**
 * The configuration of the proxies over HTTP: what it is, what it was, and a new one, which is checked here as a proxy would
 * check it and then goes out by a plan.
 */
import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import type { ProxyConfig } from '../../agent-proxy/config/load.ts';
import { validateMeshConfig } from '../../agent-proxy/config/validate-mesh.ts';
import type { SchedulerConfig } from '../config.ts';
import { namesUnboundBy } from '../policy/config-bindings.ts';
import { CONFIG_PLAN } from '../policy/config-plan.ts';
import { diffOf } from '../policy/document-diff.ts';
import type { ConfigRevision } from '../policy/revisions.ts';
import { rolloutSettings } from '../policy/rollout-options.ts';
import { ApiError } from './errors.ts';
import { type Leadership, leadingPlane } from './leading.ts';

/** Comments take more than what they explain. */
const MAX_BODY = '512kb';
const MAX_NOTE = 1_000;

export interface ConfigApiOptions extends Leadership {
  readonly config: Pick<SchedulerConfig, 'ports'>;
}

export const rollbackSchema = z.object({ revision: z.int().min(1) });

export function configRouter(options: ConfigApiOptions): Router {
  const router = Router();
  const rolling = () => {
    const { config } = leadingPlane(options);
    if (!config.isLoaded) throw new ApiError(503, 'the scheduler is starting');
    return config;
  };
  const { out, in: incoming, admin, edge } = options.config.ports;
  const check = (text: string) => validateMeshConfig(text, { outgoing: out, incoming, admin, edge });
  const text = express.text({ limit: MAX_BODY, type: () => true });

  // Read often, and the same for as long as this version runs.
  const effects = new WeakMap<object, ProxyConfig | undefined>();
  const effectOf = ({ document }: ConfigRevision): ProxyConfig | undefined => {
    // None but objects were ever taken.
    if (typeof document !== 'object' || document === null) return undefined;
    if (!effects.has(document)) effects.set(document, check(JSON.stringify(document)).effective);
    return effects.get(document);
  };
  const shown = (revision: ConfigRevision): object => {
    const { document, at, ...others } = revision;
    const effective = effectOf(revision);
    const isEmpty = typeof document === 'object' && document !== null && Object.keys(document).length === 0;
    return { ...others, at: new Date(at).toISOString(), config: isEmpty ? effective : document, effective };
  };

  router.get('/v1/config', (_request, response) => {
    const { completed, rollout } = rolling();
    const underWay = rollout !== null && rollout.direction !== 'over' ? rollout.revision : null;
    response.setHeader('etag', tagOf(completed));
    response.json({ ...shown(revisionOf(completed)), rollingOut: underWay });
  });

  router.get('/v1/config/revisions', (_request, response) => {
    response.json(rolling().allRevisions().map(summary));
  });

  router.get('/v1/config/revisions/:revision', (request, response) => {
    const revision = revisionOf(Number(request.params.revision));
    const before = revision.from === null ? {} : rolling().revision(revision.from)?.document;
    response.json({ ...shown(revision), diff: before === undefined ? null : diffOf(before, revision.document) });
  });

  router.put('/v1/config', text, async (request, response) => {
    const plane = leadingPlane(options);
    const match = request.headers['if-match'];
    const tag = tagOf(rolling().completed);
    if (match !== undefined && match !== '*' && !match.split(',').some((one) => one.trim() === tag)) {
      throw new ApiError(412, `the configuration is ${tag} and not ${match}: look at it again`);
    }
    const body = typeof request.body === 'string' ? request.body : '';
    if (request.is('json') !== false) requireJson(body);
    const { document, effective, errors, warnings } = check(body);
    if (effective === undefined) {
      const [first] = errors;
      const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
      const where = first === undefined || first.path === '' ? '' : `${first.path}: `;
      throw new ApiError(400, `the configuration is not valid: ${where}${first?.message}${more}`, { errors });
    }
    const before = effectOf(revisionOf(plane.config.completed));
    const { policy } = plane;
    const unbound =
      policy === null || before === undefined ? [] : await namesUnboundBy(policy, before, effective, Date.now());
    if (request.query['strict'] === 'true' && unbound.length > 0) {
      const faults = unbound.map((message) => ({ path: '', line: 1, column: 1, message }));
      throw new ApiError(400, `names do not bind: ${unbound[0]}`, { errors: faults });
    }
    await begin(request, response, { document, rollbackOf: null, note: noteOf(request) }, [...warnings, ...unbound]);
  });

  router.post('/v1/config/rollback', express.json({ type: () => true }), async (request, response) => {
    const parsed = rollbackSchema.safeParse(request.body);
    if (!parsed.success) throw new ApiError(400, 'the body is not {"revision": <number>}');
    const { revision, document, status } = revisionOf(parsed.data.revision);
    if (revision === rolling().completed) throw new ApiError(409, `revision ${revision} is what all nodes have`);
    if (status !== 'completed' && status !== 'unproven') {
      throw new ApiError(
        409,
        `revision ${revision} is ${status}, and is not applied again; PUT what it says to try it anew`,
      );
    }
    const note = noteOf(request) ?? `back to revision ${revision}`;
    await begin(request, response, { document, rollbackOf: revision, note }, []);
  });

  router.post('/v1/config/abort', async (_request, response) => {
    const { rollout } = rolling();
    if (rollout === null || rollout.direction === 'over') throw new ApiError(409, 'no configuration is under way');
    await rolling().command({ kind: 'abort' });
    response.status(202).json({ message: `revision ${rollout.revision} is being turned back to ${rollout.from}` });
  });

  async function begin(
    request: Request,
    response: Response,
    given: Pick<ConfigRevision, 'document' | 'rollbackOf' | 'note'>,
    warnings: readonly string[],
  ): Promise<void> {
    const read = rolloutSettings(request.query);
    if ('fault' in read) throw new ApiError(400, read.fault);
    const author = wordOf(request, 'author') ?? request.ip ?? null;
    const outcome = await rolling().propose({ ...given, author, settings: read.settings });
    if (outcome.kind === 'busy') {
      const how = 'wait for it, or abort it (nodemesh config abort, POST /v1/config/abort)';
      throw new ApiError(409, `revision ${outcome.revision} is under way; ${how}`, { revision: outcome.revision });
    }
    response.status(202).json({ revision: outcome.revision, plan: CONFIG_PLAN, warnings });
  }

  function revisionOf(number: number): ConfigRevision {
    const found = rolling().revision(number);
    if (found === undefined) throw new ApiError(404, `there is no revision ${number} (any more)`);
    return found;
  }

  return router;
}

const tagOf = (revision: number): string => `"${revision}"`;

function summary({ document: _document, at, ...others }: ConfigRevision): object {
  return { ...others, at: new Date(at).toISOString() };
}

function noteOf(request: Request): string | null {
  return wordOf(request, 'note');
}

function wordOf(request: Request, name: 'note' | 'author'): string | null {
  const value = request.query[name];
  if (value === undefined || value === '') return null;
  if (typeof value !== 'string' || value.length > MAX_NOTE) {
    throw new ApiError(400, `?${name}= may stand there once, with at most ${MAX_NOTE} characters`);
  }
  return value;
}

/** Who says that it is JSON means it. */
function requireJson(body: string): void {
  try {
    JSON.parse(body);
  } catch (error) {
    const message = `is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    throw new ApiError(400, `the configuration ${message}`, { errors: [{ path: '', line: 1, column: 1, message }] });
  }
}
