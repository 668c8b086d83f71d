/**
 * Paths as Finagle writes them: `/svc/web`. In memory a path is the list of its segments, each a byte string (one
 * character is one byte, none is empty); a segment may hold any byte, `/` and `..` too.
 *
 * A segment of letters, digits and `_ : . # $ % -` is written as it is, any other as a whole in `\xhh`, so that reading
 * what was shown gives the same bytes.
 */
import { DtabError, Scanner } from './dtab-scanner.ts';

export type Path = readonly string[];

const SHOWN_AS_IS = /^[0-9A-Za-z_:.#$%-]*$/;
const PLAIN_PATH = /^(?:\/[0-9A-Za-z_:.#$%-]+)+$/;
const LABEL_START = /[0-9A-Za-z_:.#$%\\-]/;
const PLAIN_CHARACTERS = /[0-9A-Za-z_:.#$%-]*/y;
const HEX_BYTE = /[0-9A-Fa-f]{2}/y;

/** One segment as it is written. */
export function showSegment(segment: string): string {
  if (SHOWN_AS_IS.test(segment)) return segment;
  let shown = '';
  for (let index = 0; index < segment.length; index += 1) {
    shown += `\\x${segment.charCodeAt(index).toString(16).padStart(2, '0')}`;
  }
  return shown;
}

export function showPath(path: Path): string {
  if (path.length === 0) return '/';
  let shown = '';
  for (const segment of path) shown += `/${showSegment(segment)}`;
  return shown;
}

/** The path that is written in `text`, whitespace around it ignored. Throws {@link DtabError}. */
export function readPath(text: string): string[] {
  const trimmed = text.trim();
  if (PLAIN_PATH.test(trimmed)) return trimmed.slice(1).split('/');
  const scanner = new Scanner(trimmed);
  const path = scanPath(scanner);
  scanner.expectEnd();
  return path;
}

/** As {@link readPath}, with null for a text that is no path. */
export function parsePath(text: string): string[] | null {
  try {
    return readPath(text);
  } catch (error) {
    if (error instanceof DtabError) return null;
    throw error;
  }
}

/** Reads a path where the scanner stands. */
export function scanPath(scanner: Scanner): string[] {
  scanner.expect('/');
  if (!LABEL_START.test(scanner.here)) return [];
  const path = [scanLabel(scanner)];
  while (scanner.accept('/')) path.push(scanLabel(scanner));
  return path;
}

/** Reads one segment where the scanner stands. */
export function scanLabel(scanner: Scanner): string {
  let label = scanner.take(PLAIN_CHARACTERS);
  while (scanner.accept('\\')) {
    scanner.expect('x');
    const byte = scanner.take(HEX_BYTE);
    if (byte === '') scanner.fail('two hex digits');
    label += String.fromCharCode(Number.parseInt(byte, 16)) + scanner.take(PLAIN_CHARACTERS);
  }
  if (label === '') scanner.fail('label char');
  return label;
}

export function startsWith(path: Path, prefix: Path): boolean {
  if (prefix.length > path.length) return false;
  for (let index = 0; index < prefix.length; index += 1) if (prefix[index] !== path[index]) return false;
  return true;
}

export function pathsEqual(a: Path, b: Path): boolean {
  return a === b || (a.length === b.length && startsWith(a, b));
}
