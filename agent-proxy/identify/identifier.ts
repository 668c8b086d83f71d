/**
 * What an identifier is: a function from a request's head to a logical name. The name is a key, a string that is cheap to
 * look up: its path's segments (below the router's `dstPrefix`), with a NUL between two. A head with a NUL is refused when
 * it is parsed, so a key is one path and no other.
 */
import { type Path, showPath } from '../routing/path.ts';

/** What identifiers read of a request's head. */
export interface IdentifyHead {
  readonly method: string;
  /** Origin form (`/path?query`) or `*`. */
  readonly target: string;
  /** `1.1` or `1.0`. */
  readonly version: string;
  /** The authority that was asked for: Host, or the target's where it was in absolute form. */
  readonly host: string | null;
  /** The first value of a header, by its lower-case name; null where it is absent. */
  header(name: string): string | null;
}

/** Why there is no name. `unidentified`: another identifier may know one. `malformed`: nobody is to look any further. */
export interface Unnamed {
  readonly kind: 'unidentified' | 'malformed';
  readonly reason: string;
}

/** What an identifier finds besides the key. Written over for each request. */
export class Findings {
  /** The target that upstream is to see, where it is another than the request's. */
  target: string | null = null;
  unnamed: Unnamed | null = null;

  clear(): void {
    this.target = null;
    this.unnamed = null;
  }

  /** There is no name here. Returns the null that the identifier returns. */
  unidentified(reason: Unnamed): null {
    this.unnamed = reason;
    return null;
  }
}

/** The key of the name in this head; null, and the reason in `findings`, where there is none. */
export type Identify = (head: IdentifyHead, findings: Findings) => string | null;

const SEPARATOR = '\0';

/** Null for a path that has no key: a NUL in a segment. */
export function keyOf(path: Path): string | null {
  for (const segment of path) if (segment.includes(SEPARATOR)) return null;
  return path.join(SEPARATOR);
}

export function pathOfKey(key: string): Path {
  return key === '' ? [] : key.split(SEPARATOR);
}

/** The logical name of a key as people write it: `/svc/web`. */
export function showName(prefix: Path, key: string): string {
  return showPath([...prefix, ...pathOfKey(key)]);
}
