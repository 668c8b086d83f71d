/**
 * Who may write: anybody on a loopback listener, else who has the API token or, on DC/OS, whom Admin Router lets through.
 * Proxies prove themselves by their own keys. Reads are open and never show a secret.
 */
import type { Request, RequestHandler } from 'express';
import { TASK_HEADER } from '../../agent-proxy/control/wire-words.ts';
import { isSame, type ProxyKeys } from '../proxy-keys.ts';
import type { TokenCheck } from './admin-router.ts';
import { ApiError } from './errors.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

export function isRead(request: Pick<Request, 'method'>): boolean {
  return READS.has(request.method);
}

export interface WriteRules {
  readonly onLoopback: boolean;
  /** Null: none was configured. */
  readonly token: string | null;
  /** Null: this is no DC/OS. */
  readonly dcos: TokenCheck | null;
}

/** Users of DC/OS whose writes were let through. */
const users = new WeakMap<Request, string>();

/** Who asks, for people to read: the user or that the API token came with it, and the address. */
export function whoAsks(request: Request): string {
  const address = request.ip ?? 'unknown';
  const user = users.get(request);
  if (user !== undefined) return `${user} (DC/OS), ${address}`;
  return request.headers.authorization === undefined ? address : `${address} (API token)`;
}

/** Refuses writes of those who may not. */
export function requireToken(rules: WriteRules): RequestHandler {
  return async (request, _response, next) => {
    if (isRead(request)) return next();
    // Loopback is reached by every page that a browser on this machine has open, too.
    if (request.headers['sec-fetch-site'] === 'cross-site') {
      throw new ApiError(403, 'writes from pages of other sites are refused');
    }
    if (rules.onLoopback || (rules.token !== null && bears(request, rules.token))) return next();
    const user = rules.dcos === null ? null : await dcosUser(request, rules.dcos);
    if (user === null) throw unproven(rules, request);
    users.set(request, user);
    next();
  };
}

/** Null where the request has no token of DC/OS. @throws {ApiError} for a token that is not good for this. */
async function dcosUser(request: Request, dcos: TokenCheck): Promise<string | null> {
  const { authorization = '', origin, host } = request.headers;
  const token = /^(?:token=|Bearer )(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) return null;
  // Admin Router makes a token of the browser's cookie, which goes along with requests of any page; the host is the browser's.
  if (origin !== undefined && hostOf(origin) !== host) {
    throw new ApiError(403, 'writes from pages of other sites are refused');
  }
  const verdict = await dcos.check(token);
  if (verdict.kind === 'refused') throw new ApiError(verdict.status, verdict.why);
  return verdict.uid;
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

function unproven({ token, dcos }: WriteRules, request: Request): ApiError {
  if (dcos !== null) {
    const hint = request.headers.authorization === undefined ? 'there is no token' : 'this is no token of a DC/OS user';
    return new ApiError(401, `writes need a login of DC/OS, and ${hint}: dcos auth login, then dcos nodemesh …`);
  }
  if (token !== null) {
    return new ApiError(
      401,
      'this needs the API token: send Authorization: Bearer <token> (nodemesh: --api-token-file)',
    );
  }
  return new ApiError(
    401,
    'writes need a token here, and the scheduler has none: start it with --api-token-file, on DC/OS with --admin-router, or with --listen on loopback',
  );
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
