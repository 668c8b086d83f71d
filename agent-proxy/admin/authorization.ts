/**
 * Who may use the admin server: anybody on a loopback listener, elsewhere whoever has a token; ping, readiness and
 * metrics are for all. Pure.
 */
import { timingSafeEqual } from 'node:crypto';

/** Addresses in 127.0.0.0/8 count, as the local cluster's agents have them. */
export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

export interface AccessGuard {
  /** Where the admin server listens. */
  readonly listenIp: string;
  readonly clusterKey: string | null;
  /** What else opens it: the token that the task was launched with. */
  readonly token: string | null;
}

export type Permission =
  | { readonly granted: true }
  | { readonly granted: false; readonly status: 401 | 403; readonly why: string };

const GRANTED: Permission = { granted: true };

/** `authorization` is the header's value. */
export function mayUse({ listenIp, clusterKey, token }: AccessGuard, authorization: string | undefined): Permission {
  if (isLoopback(listenIp)) return GRANTED;
  const accepted = [clusterKey, token].filter((secret) => secret !== null && secret !== undefined);
  if (accepted.length === 0) {
    return {
      granted: false,
      status: 403,
      why: 'neither a cluster key nor a token is configured, so this page is for loopback listeners only',
    };
  }
  for (const secret of accepted) if (isSame(authorization ?? '', `Bearer ${secret}`)) return GRANTED;
  return {
    granted: false,
    status: 401,
    why: 'needs Authorization: Bearer <the token of the task, or the cluster key>',
  };
}

/**
 * Whether a page of another site sent a request: browsers name the page's origin with each POST. On loopback, where no
 * token is asked for, such a page could otherwise shut down the proxy of whoever looks at it.
 */
export function isForeign(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase();
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
