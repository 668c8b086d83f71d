/**
 * The identifier `io.l5d.methodAndHost`: `/1.1/GET/<host>`, or `/1.0/GET` for a version that need not have a host; with
 * `httpUriInDst` followed by the segments of the target's path.
 */
import type { Identify } from './identifier.ts';

const NO_HOST = {
  kind: 'unidentified',
  reason: 'io.l5d.methodAndHost: the HTTP/1.1 request has no Host header, or an empty one',
} as const;

export function methodAndHost(httpUriInDst: boolean): Identify {
  return ({ method, target, version, host }, findings) => {
    if (version === '1.1' && !host) return findings.unidentified(NO_HOST);
    const key = version === '1.1' ? `1.1\0${method}\0${host?.toLowerCase()}` : `1.0\0${method}`;
    return httpUriInDst ? key + segmentsOf(target) : key;
  };
}

/** The segments of a target's path, a NUL before each. */
function segmentsOf(target: string): string {
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  let segments = '';
  for (const segment of path.split('/')) if (segment !== '' && segment !== '*') segments += `\0${segment}`;
  return segments;
}
