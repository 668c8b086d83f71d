/** Where a path of io.l5d.fs leads below the root directory, and which names there are. */
import { closeSync, constants, openSync, readSync, type Stats, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Path } from '../routing/path.ts';
import { type Directory, directoryOf } from './directory-watches.ts';

export type Found = (
  | { readonly kind: 'file'; readonly path: string /** How many segments lead to it. */; readonly depth: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly reason: string }
) & {
  /** Those on the way: the outcome can only change when one of them does. */
  readonly directories: readonly Directory[];
};

const MAX_NAMES = 1_000;
const MAX_DEPTH = 8;
/** What means that there is nothing: too long a name too. */
const NOTHING = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

/** Walks down the segments to the first that is a file. Links are followed: whoever may write them may write the files. */
export async function findFile(root: string, segments: Path): Promise<Found> {
  const directories: Directory[] = [];
  let path = root;
  for (let depth = 0; ; depth += 1) {
    let stats: Stats;
    try {
      stats = await stat(path);
    } catch (error) {
      if (NOTHING.has(codeOf(error))) return { kind: 'none', directories };
      const reason = `${path} cannot be looked at: ${error instanceof Error ? error.message : String(error)}`;
      return { kind: 'failed', reason, directories };
    }
    if (stats.isFile() && depth > 0) return { kind: 'file', path, depth, directories };
    if (!stats.isDirectory()) return { kind: 'none', directories };
    const next = segments[depth];
    if (next === undefined || !isFileName(next)) return { kind: 'none', directories };
    const name = fileNameOf(next);
    directories.push(directoryOf(path, stats, name));
    path = join(path, name);
  }
}

/** Whether there is a file now, wherever links lead. For what is in memory: it holds the loop. */
export function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    // The look that follows says why.
    return false;
  }
}

/** A link is not followed, and nothing that is no file is waited for. */
const AS_IT_IS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const SHORT = Buffer.alloc(4 * 1024);

/**
 * The text of a short file that is no link; null for everything else, and where it cannot be read. For what is in memory: it
 * holds the loop.
 */
export function readShortFile(path: string): string | null {
  let file: number | null = null;
  try {
    file = openSync(path, AS_IT_IS);
    const count = readSync(file, SHORT, 0, SHORT.length, 0);
    // One that is empty may be none: a pipe reads like that.
    return count > 0 && count < SHORT.length ? SHORT.toString('utf8', 0, count) : null;
  } catch {
    // The look that follows says why.
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}

/** The paths of all files, for people to look at; at most so many, and so deep. */
export async function listFiles(root: string): Promise<string[][]> {
  const names: string[][] = [];
  const list = async (path: string, above: readonly string[]): Promise<void> => {
    // A directory that cannot be read has no names.
    for (const entry of (await readdir(path).catch(() => [])).sort()) {
      const segment = Buffer.from(entry, 'utf8').toString('latin1');
      if (names.length >= MAX_NAMES || !isFileName(segment)) continue;
      const stats = await stat(join(path, entry)).catch(() => null);
      if (stats?.isFile()) names.push([...above, segment]);
      else if (stats?.isDirectory() && above.length + 1 < MAX_DEPTH) await list(join(path, entry), [...above, segment]);
    }
  };
  await list(root, []);
  return names;
}

/**
 * Whether a segment may name a file. A leading dot is `..` or something that an editor or a volume keeps for itself;
 * anything that the system would take for a separator or an end is no name.
 */
function isFileName(segment: string): boolean {
  return segment !== '' && !segment.startsWith('.') && !/[/\\\0]/.test(segment);
}

/** Segments are bytes, one a character. */
function fileNameOf(segment: string): string {
  return Buffer.from(segment, 'latin1').toString('utf8');
}

function codeOf(error: unknown): string {
  return error instanceof Error ? String(Reflect.get(error, 'code')) : '';
}
