/**
 * Patterns over paths, as linkerd uses them for prefixes of static configuration and for `io.l5d.rewrite`. A pattern is
 * a path such as `/{ns}/svc-{v}`, in which the segment `*` stands for any one segment, `{x}` captures as much of a
 * segment as it can, and the rest is literal.
 */
import { type DtabError, Scanner } from './dtab-scanner.ts';
import { type Path, scanLabel } from './path.ts';

const VARIABLE = /[A-Za-z0-9.:_-]+/y;
const LITERAL_START = /[0-9A-Za-z_:.#$%\\-]/;

type Part = { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'capture'; readonly name: string };
/** `any` is `*`; parts stand one behind the other within the segment. */
type Segment = { readonly kind: 'any' } | { readonly kind: 'parts'; readonly parts: readonly Part[] };

export type Captures = ReadonlyMap<string, string>;

export interface PathMatch {
  readonly captures: Captures;
  /** What follows the segments that the pattern took. */
  readonly suffix: Path;
}

export class PathMatcher {
  private readonly segments: readonly SegmentMatcher[];
  readonly variables: ReadonlySet<string>;

  /** Throws {@link DtabError} for what is no pattern. */
  constructor(pattern: string) {
    const segments = scanPattern(pattern, true);
    this.segments = segments.map((segment) => new SegmentMatcher(segment));
    this.variables = new Set(this.segments.flatMap(({ names }) => names));
  }

  /** Matches the beginning of the path; null where it does not. */
  match(path: Path): PathMatch | null {
    if (path.length < this.segments.length) return null;
    const captures = new Map<string, string>();
    for (const [index, matcher] of this.segments.entries()) {
      if (!matcher.match(path[index] ?? '', captures)) return null;
    }
    return { captures, suffix: path.slice(this.segments.length) };
  }
}

/**
 * One segment of a pattern: literals with captures between them. Clients choose what is matched, so this is a search
 * from the right that is linear in the segment, and no regular expression that backtracks.
 */
class SegmentMatcher {
  readonly names: readonly string[];
  /** One more than there are names, some of them empty; null for `*`. */
  private readonly literals: readonly string[] | null;

  constructor(segment: Segment) {
    const parts = segment.kind === 'any' ? [] : segment.parts;
    const literals = [''];
    const names: string[] = [];
    for (const part of parts) {
      if (part.kind === 'literal') literals[names.length] += part.text;
      else literals[names.push(part.name)] = '';
    }
    this.names = names;
    this.literals = segment.kind === 'any' ? null : literals;
  }

  match(segment: string, captures: Map<string, string>): boolean {
    if (this.literals === null) return true;
    const [first = '', ...others] = this.literals;
    const last = others.pop();
    if (last === undefined) return segment === first;
    if (!segment.startsWith(first) || !segment.endsWith(last)) return false;
    let end = segment.length - last.length;
    // The rightmost place for each literal leaves most to the captures before it.
    for (let index = others.length - 1; index >= 0; index -= 1) {
      const literal = others[index] ?? '';
      const latest = end - 1 - literal.length;
      const at = latest < 0 ? -1 : segment.lastIndexOf(literal, latest);
      if (at === -1) return false;
      captures.set(this.names[index + 1] ?? '', segment.slice(at + literal.length, end));
      end = at;
    }
    if (end <= first.length) return false;
    captures.set(this.names[0] ?? '', segment.slice(first.length, end));
    return true;
  }
}

/** A path with variables to fill in: `/{A}/and/{B}`. */
export class PathTemplate {
  private readonly segments: readonly (readonly Part[])[];
  readonly variables: ReadonlySet<string>;

  /** Throws {@link DtabError} for what is no path with variables. */
  constructor(template: string) {
    const segments = scanPattern(template, false);
    this.segments = segments.map((segment) => (segment.kind === 'parts' ? segment.parts : []));
    this.variables = new Set(this.segments.flat().flatMap((part) => (part.kind === 'capture' ? [part.name] : [])));
  }

  /** The path; null when a variable that it needs was not captured. */
  fill(captures: Captures): Path | null {
    const path: string[] = [];
    for (const parts of this.segments) {
      let segment = '';
      for (const part of parts) {
        const text = part.kind === 'literal' ? part.text : captures.get(part.name);
        if (text === undefined) return null;
        segment += text;
      }
      path.push(segment);
    }
    return path;
  }
}

function scanPattern(text: string, withWildcards: boolean): Segment[] {
  const scanner = new Scanner(text.trim());
  const segments: Segment[] = [];
  scanner.expect('/');
  if (scanner.atEnd) return segments;
  do {
    if (withWildcards && scanner.accept('*')) segments.push({ kind: 'any' });
    else segments.push({ kind: 'parts', parts: scanParts(scanner) });
  } while (scanner.accept('/'));
  scanner.expectEnd();
  return segments;
}

function scanParts(scanner: Scanner): Part[] {
  const parts: Part[] = [];
  while (scanner.here === '{' || LITERAL_START.test(scanner.here)) {
    if (scanner.accept('{')) {
      const name = scanner.take(VARIABLE);
      if (name === '') scanner.fail('variable name');
      scanner.expect('}');
      parts.push({ kind: 'capture', name });
    } else {
      parts.push({ kind: 'literal', text: scanLabel(scanner) });
    }
  }
  if (parts.length === 0) scanner.fail('label char or {');
  return parts;
}
