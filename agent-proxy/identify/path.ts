/**
 * The identifier `io.l5d.path`: the first segments of the target's path are the name. With `consume` they are taken off the
 * target; a trailing slash and the query stay. Segments are taken as they are written, so what follows them does not
 * matter.
 */
import type { Identify } from './identifier.ts';

export function pathSegments(segments: number, consume: boolean): Identify {
  const short = {
    kind: 'unidentified',
    reason: `io.l5d.path: the request's path has fewer than ${segments} ${segments === 1 ? 'segment' : 'segments'}`,
  } as const;
  return ({ target }, findings) => {
    const end = endOfSegments(target, segments);
    if (end === -1) return findings.unidentified(short);
    if (consume) {
      const rest = target.slice(end);
      findings.target = rest.startsWith('/') ? rest : `/${rest}`;
    }
    const name = target.slice(1, end);
    return segments === 1 ? name : name.replaceAll('/', '\0');
  };
}

/** Where the first `segments` segments of a target end; −1 where there are fewer, or an empty one among them. */
function endOfSegments(target: string, segments: number): number {
  const query = target.indexOf('?');
  const pathEnd = query === -1 ? target.length : query;
  let end = 0;
  for (let found = 0; found < segments; found += 1) {
    if (target[end] !== '/') return -1;
    const next = target.indexOf('/', end + 1);
    const segmentEnd = next === -1 || next > pathEnd ? pathEnd : next;
    if (segmentEnd === end + 1) return -1;
    end = segmentEnd;
  }
  return end;
}
