/** Writes of namespaces: how they are answered, and noted for the audit log. */
import type { Request, Response } from 'express';
import { StateStoreError, VersionConflict } from '../../../framework/index.ts';
import { isNamespaceName, type WriteOutcome } from '../../policy/dtab-store.ts';
import { versionOf } from '../../policy/etag.ts';
import type { PolicyWrite, RoutingPolicy } from '../../policy/routing-policy.ts';
import { noteForAudit } from '../audit.ts';
import { whoAsks } from '../auth.ts';
import { ApiError } from '../errors.ts';

/** Names in the list of a refusal; there may be thousands. */
const MAX_LISTED = 100;

/** @throws {ApiError} 400 */
export function namespaceOf(request: Request): string {
  const { ns } = request.params;
  if (typeof ns === 'string' && isNamespaceName(ns)) return ns;
  throw new ApiError(400, 'a namespace has 1 to 100 letters, digits, ".", "_" or "-", and begins with no dot');
}

/** What `If-Match` asks for; null without it. */
export function ifMatch(request: Request): PolicyWrite['condition'] | null {
  const value = request.headers['if-match'];
  if (value === undefined) return null;
  if (value.trim() === '*') return { kind: 'present' };
  return { kind: 'version', version: versionOf(value) };
}

/** Writes, and returns the version and what it was before. @throws {ApiError} for whatever keeps it from being written */
export async function carryOut(
  policy: RoutingPolicy,
  name: string,
  write: Pick<PolicyWrite, 'text' | 'condition' | 'what'>,
  request: Request,
  response: Response,
): Promise<number> {
  const force = request.query['force'] === 'true';
  const outcome = await written(policy.write(name, { ...write, by: whoAsks(request), force }));
  if (outcome.kind !== 'written') throw refusal(name, outcome);
  const { from, version } = outcome;
  noteForAudit(response, { target: `dtab ${name}`, from, to: version });
  return version;
}

/** What a store that does not take a write makes of it. @throws {ApiError} 503 */
export async function written<T>(outcome: Promise<T>): Promise<T> {
  try {
    return await outcome;
  } catch (error) {
    if (!(error instanceof StateStoreError || error instanceof VersionConflict)) throw error;
    throw new ApiError(503, error.message);
  }
}

function refusal(name: string, outcome: Exclude<WriteOutcome, { kind: 'written' }>): ApiError {
  switch (outcome.kind) {
    case 'exists':
      return new ApiError(409, `namespace ${name} exists already; change it with PUT`);
    case 'missing':
      return new ApiError(404, `there is no namespace ${name}`);
    case 'stale':
      return new ApiError(
        412,
        `namespace ${name} has changed since: it is at version ${outcome.version}; read it again`,
      );
    case 'full':
      return new ApiError(507, 'there are 1000 namespaces, and no more are kept; delete one');
    case 'busy':
      return new ApiError(503, 'too many writes wait for the state store; try again later');
    case 'unbinds': {
      const { names } = outcome;
      const count = names.length === 1 ? 'one name' : `${names.length} names`;
      return new ApiError(
        409,
        `${count} with traffic in the last hour would no longer bind, ${names[0]} for one; ` +
          'nothing was changed (?force=true, or nodemesh dtab … --force, does it all the same)',
        { names: names.slice(0, MAX_LISTED), more: Math.max(0, names.length - MAX_LISTED) },
      );
    }
  }
}
