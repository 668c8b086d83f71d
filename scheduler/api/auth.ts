/**
 * Who may write: anybody on a loopback listener, else who has the token. Proxies prove themselves by their own keys.
 * Reads are open and never show a secret.
 */
import type { Request, RequestHandler } from 'express';
import { TASK_HEADER } from '../../agent-proxy/control/wire-words.ts';
import { isSame, type ProxyKeys } from '../proxy-keys.ts';
import { ApiError } from './errors.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

export function isRead(request: Pick<Request, 'method'>): boolean {
  return READS.has(request.method);
}

/** Refuses writes without the token. `token` null: none was configured. */
export function requireToken(onLoopback: boolean, token: string | null): RequestHandler {
  return (request, _response, next) => {
    if (isRead(request)) return next();
    // Loopback is reached by every page that a browser on this machine has open, too.
    if (request.headers['sec-fetch-site'] === 'cross-site') {
      throw new ApiError(403, 'writes from pages of other sites are refused');
    }
    if (onLoopback) return next();
    if (token === null) {
      throw new ApiError(
        401,
        'writes need a token here, and the scheduler has none: start it with --api-token-file, or with --listen on loopback',
      );
    }
    if (!bears(request, token))
      throw new ApiError(
        401,
        'this needs the API token: send Authorization: Bearer <token> (nodemesh: --api-token-file)',
      );
    next();
  };
}

/** Refuses who cannot be the proxy that he says he is, before his body is read. `keys` is null until this process leads. */
export function requireProxy(keys: () => Pick<ProxyKeys, 'mayBeAdmitted'> | null): RequestHandler {
  return (request, _response, next) => {
    const known = keys();
    if (known === null) throw new ApiError(503, 'the scheduler is starting');
    if (!known.mayBeAdmitted(request.get(TASK_HEADER) ?? null, bearerOf(request))) throw notTheProxy();
    next();
  };
}

export function notTheProxy(): ApiError {
  return new ApiError(401, 'this needs the key of the proxy, which has to enrol first');
}

/** Null where there is none. */
export function bearerOf(request: Pick<Request, 'headers'>): string | null {
  return /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

function bears(request: Request, secret: string): boolean {
  const given = bearerOf(request);
  return given !== null && isSame(given, secret);
}
