/**
 * The identifier `io.l5d.header.token`, linkerd's default with Host: a header's value is the name, as one segment. It does
 * not change the value; case, port and trailing dot are for the binding to ignore.
 */
import type { Identify } from './identifier.ts';

export function headerToken(header: string): Identify {
  const name = header.toLowerCase();
  const absent = {
    kind: 'unidentified',
    reason: `io.l5d.header.token: the request has no ${header} header, or an empty one`,
  } as const;
  if (name === 'host') return ({ host }, findings) => (host ? host : findings.unidentified(absent));
  return (head, findings) => head.header(name) || findings.unidentified(absent);
}
