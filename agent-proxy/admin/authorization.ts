/** Who may write to the admin server: anybody on a loopback listener, elsewhere whoever has the cluster's key. */
import { timingSafeEqual } from 'node:crypto';

/** Addresses in 127.0.0.0/8 count, as the local cluster's agents have them. */
export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

export interface WriteGuard {
  readonly listenIp: string;
  readonly clusterKey: string | null;
}

export type Permission =
  | { readonly granted: true }
  | { readonly granted: false; readonly status: 401 | 403; readonly why: string };

export function mayWrite({ listenIp, clusterKey }: WriteGuard, authorization: string | undefined): Permission {
  if (isLoopback(listenIp)) return { granted: true };
  if (clusterKey === null) {
    return {
      granted: false,
      status: 403,
      why: 'no cluster key is configured, so writes are accepted on loopback only',
    };
  }
  const given = Buffer.from(authorization ?? '');
  const wanted = Buffer.from(`Bearer ${clusterKey}`);
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return { granted: true };
  return { granted: false, status: 401, why: 'needs Authorization: Bearer <cluster key>' };
}
