/** The identifier `io.l5d.static`: one name for every request. */
import { readPath } from '../routing/path.ts';
import { type Identify, keyOf } from './identifier.ts';

/** `path` is one that the configuration has checked. Throws where it is none. */
export function staticName(path: string): Identify {
  const key = keyOf(readPath(path));
  if (key === null) throw new Error(`io.l5d.static: '${path}' has a byte \\x00; write a path without it`);
  return () => key;
}
