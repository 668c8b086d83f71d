/**
 * Who may write: anybody on a loopback listener, else who has the token. Proxies prove themselves with the cluster key.
 * Reads are open and never show a secret.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
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

/** Refuses who does not have the cluster key. `key` may come later than the listener: null until then. */
export function requireClusterKey(onLoopback: boolean, key: () => string | null): RequestHandler {
  return (request, _response, next) => {
    const expected = key();
    if (onLoopback) return next();
    if (expected === null) throw new ApiError(503, 'the scheduler is starting');
    if (!bears(request, expected)) throw new ApiError(401, 'this needs the cluster key');
    next();
  };
}

/** Compared in constant time, whatever the lengths. */
function bears(request: Request, secret: string): boolean {
  const given = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) return false;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
