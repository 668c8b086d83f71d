/**
 * The identifier `io.l5d.header.token` on Host, linkerd's default: the header's value is the name, as one segment under
 * `/svc`. It does not change the value; case, port and trailing dot are for the binding to ignore.
 */
import type { RequestHead } from '../http1/message.ts';
import { SERVICE_PREFIX, showSegment } from '../routing/path.ts';

export type Identified =
  | { readonly kind: 'identified'; readonly host: string }
  | { readonly kind: 'unidentified'; readonly reason: string };

export function identifyByHost(head: RequestHead): Identified {
  const { host } = head;
  if (host !== null && host !== '') return { kind: 'identified', host };
  return { kind: 'unidentified', reason: 'io.l5d.header.token: the request has no Host header' };
}

/** The logical name of a host: `/svc/<host>`. */
export function logicalName(host: string): string {
  return `${SERVICE_PREFIX}/${showSegment(host)}`;
}
