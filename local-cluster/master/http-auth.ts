/** HTTP Basic authentication as the master does it (`--credentials`, `--authenticate_http_*`); open to all without credentials. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendText } from './http-io.ts';

export interface Credential {
  readonly principal: string;
  readonly secret: string;
  /** The ACL `register_frameworks`: its frameworks may subscribe with these roles only. Without it: with any. */
  readonly roles?: readonly string[];
  /** False: it may use the scheduler API only; everything else is 403 to it. */
  readonly operator?: boolean;
}

/** Named in the `WWW-Authenticate` of a 401, as recorded. */
export type Realm = 'mesos-master-scheduler' | 'mesos-master-readonly' | 'mesos-master-readwrite';

export type Caller =
  /** Nobody has to say who he is. */
  | { readonly kind: 'anyone' }
  | { readonly kind: 'principal'; readonly principal: string; readonly operator: boolean }
  | { readonly kind: 'refused' };

export function callerOf(credentials: readonly Credential[], request: IncomingMessage): Caller {
  if (credentials.length === 0) return { kind: 'anyone' };
  const encoded = /^Basic ([A-Za-z0-9+/]+=*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const given = Buffer.from(encoded, 'base64').toString('utf8');
  const known = credentials.find(({ principal, secret }) => given === `${principal}:${secret}`);
  if (known === undefined) return { kind: 'refused' };
  return { kind: 'principal', principal: known.principal, operator: known.operator ?? true };
}

export function sendUnauthorized(response: ServerResponse, realm: Realm): void {
  sendText(response, 401, '401 Unauthorized.', { 'WWW-Authenticate': `Basic realm="${realm}"` });
}
