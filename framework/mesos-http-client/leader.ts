/** A request for the leading master, when all that is known are the masters that may be it. */
import { type Authorization, NO_AUTHORIZATION } from './auth/authorization.ts';
import { kindOfStatus, MesosError } from './errors.ts';
import { asMesosError, type Credentials, type Opened, openPost, shortBody, type TlsTrust } from './http.ts';
import type { MasterSource } from './master-source.ts';

/** How a cluster's masters are found and spoken to. */
export interface MasterAccess {
  /** Belongs to whoever made it: it is read and watched here, not closed. */
  readonly masters: MasterSource;
  /** Default: none. */
  readonly authorization?: Authorization | undefined;
  /** For https masters whose certificate is of an authority of your own. Default: the system's authorities. */
  readonly tls?: TlsTrust | undefined;
  /**
   * Asked right before anything is sent; false: it is not sent. For a client of which several stand ready, and only one may
   * speak.
   */
  readonly mayCall?: (() => boolean) | undefined;
}

export function credentialsOf(access: MasterAccess): Credentials {
  return { authorization: access.authorization ?? NO_AUTHORIZATION, tls: access.tls };
}

export interface LeaderRequest {
  readonly access: MasterAccess;
  /** The path of the API below a master's base URL. */
  readonly path: string;
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Before each master that is tried. */
  trying?(base: string): void;
}

export interface LeaderAnswer extends Opened {
  /** The base URL by which the leader was found. */
  readonly base: string;
}

/**
 * Posts to the masters one after the other until one answers 200, redirects included. A master that is down or not ready
 * is passed over; what one that leads says against the request is final, for the others would say the same.
 * @throws {MesosError}
 */
export async function openAtLeader(request: LeaderRequest): Promise<LeaderAnswer> {
  if (request.access.mayCall?.() === false) throw new MesosError('refused', 'not sent: this client may not speak now');
  const bases = request.access.masters.current();
  if (bases.length === 0) throw new MesosError('no-leader', 'no leader: no leading master is known at the moment');
  const failures: MesosError[] = [];
  for (const base of bases) {
    request.trying?.(base);
    try {
      return { ...(await openAt(base, request)), base };
    } catch (error) {
      const failure = asMesosError(error);
      if (!PASSED_OVER.has(failure.kind) || request.signal.aborted) throw failure;
      failures.push(failure);
    }
  }
  const [first] = failures;
  if (first !== undefined && failures.length === 1) throw first;
  const kind = failures.some((error) => error.kind === 'no-leader') ? 'no-leader' : (first?.kind ?? 'unreachable');
  throw new MesosError(kind, `none of ${bases.length} masters leads: ${failures.map((one) => one.message).join('; ')}`);
}

const PASSED_OVER = new Set<MesosError['kind']>(['unreachable', 'no-leader', 'failed']);

async function openAt(base: string, request: LeaderRequest): Promise<Opened> {
  const opened = await openPost({
    url: new URL(`${base.replace(/\/+$/, '')}${request.path}`),
    credentials: credentialsOf(request.access),
    body: request.body,
    timeoutMs: request.timeoutMs,
    signal: request.signal,
  });
  const { statusCode } = opened.response;
  if (statusCode === 200) return opened;
  try {
    const text = `${opened.url.origin} refused: ${statusCode} ${await shortBody(opened.response)}`.trim();
    throw new MesosError(kindOfStatus(statusCode), text);
  } finally {
    opened.destroy();
  }
}
