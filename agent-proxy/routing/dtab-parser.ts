/**
 * The grammar of dtabs:
 *
 *     dtab     = [ dentry *( ";" dentry ) ] [ ";" ]
 *     dentry   = prefix "=>" tree
 *     prefix   = "/" / 1*( "/" ( label / "*" ) )
 *     tree     = union *( "|" union )
 *     union    = weighted *( "&" weighted )
 *     weighted = [ number "*" ] simple
 *     simple   = path / "~" / "!" / "$" / "(" tree ")"
 *
 * Whitespace and comments may stand between any two of these, but not within a path or a number.
 */
import type { Dentry, DentryPrefix } from './dentry.ts';
import type { Scanner } from './dtab-scanner.ts';
import { EMPTY, FAIL, leaf, type NameTree, NEG, type Weighted } from './name-tree.ts';
import { type Path, scanLabel, scanPath } from './path.ts';

/** Texts come from clients too (`l5d-dtab`), and each parenthesis is a level of recursion. */
const MAX_NESTING = 100;
const LABEL_OR_STAR = /[0-9A-Za-z_:.#$%\\*-]/;
const NUMBER = /[0-9]*(?:\.[0-9]*)?/y;
const NUMBER_START = /[0-9.]/;

export function scanDtab(scanner: Scanner): Dentry[] {
  const dtab: Dentry[] = [];
  scanner.skipSpace();
  while (!scanner.atEnd) {
    dtab.push(scanDentry(scanner));
    if (!scanner.atEnd) scanner.expect(';');
    scanner.skipSpace();
  }
  return dtab;
}

function scanDentry(scanner: Scanner): Dentry {
  const prefix = scanPrefix(scanner);
  scanner.skipSpace();
  scanner.expect('=>');
  return { prefix, dst: scanTree(scanner) };
}

export function scanPrefix(scanner: Scanner): DentryPrefix {
  scanner.expect('/');
  if (!LABEL_OR_STAR.test(scanner.here)) return [];
  const prefix: (string | null)[] = [];
  do {
    prefix.push(scanner.accept('*') ? null : scanLabel(scanner));
  } while (scanner.accept('/'));
  return prefix;
}

/** Reads a tree and the space around it. */
export function scanTree(scanner: Scanner, nesting = 0): NameTree<Path> {
  const first = scanUnion(scanner, nesting);
  if (scanner.here !== '|') return first;
  const trees = [first];
  while (scanner.accept('|')) trees.push(scanUnion(scanner, nesting));
  return { kind: 'alt', trees };
}

function scanUnion(scanner: Scanner, nesting: number): NameTree<Path> {
  const first = scanWeighted(scanner, nesting);
  // The weight of a branch that is alone means nothing.
  if (scanner.here !== '&') return first.tree;
  const branches = [first];
  while (scanner.accept('&')) branches.push(scanWeighted(scanner, nesting));
  return { kind: 'union', branches };
}

function scanWeighted(scanner: Scanner, nesting: number): Weighted<Path> {
  scanner.skipSpace();
  let weight = 1;
  if (NUMBER_START.test(scanner.here)) {
    weight = scanNumber(scanner);
    scanner.skipSpace();
    scanner.expect('*');
    scanner.skipSpace();
  }
  const tree = scanSimple(scanner, nesting);
  scanner.skipSpace();
  return { weight, tree };
}

function scanNumber(scanner: Scanner): number {
  const text = scanner.take(NUMBER);
  if (text === '.') scanner.fail('digit');
  const number = Number(text);
  if (!Number.isFinite(number)) scanner.fail('a smaller weight');
  return number;
}

function scanSimple(scanner: Scanner, nesting: number): NameTree<Path> {
  if (scanner.here === '/') return leaf(scanPath(scanner));
  if (scanner.accept('~')) return NEG;
  if (scanner.accept('!')) return FAIL;
  if (scanner.accept('$')) return EMPTY;
  if (scanner.here !== '(') scanner.fail('/, ~, !, $ or (');
  if (nesting === MAX_NESTING) scanner.fail(`at most ${MAX_NESTING} nested parentheses`);
  scanner.expect('(');
  const tree = scanTree(scanner, nesting + 1);
  scanner.expect(')');
  return tree;
}
