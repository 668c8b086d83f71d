/**
 * Dtabs: the rules by which a name is rewritten until it is an address. A dtab is plain data and survives JSON;
 * configuration carries it as text, which costs some microseconds a dentry to read.
 */
import type { Dentry, Dtab } from './dentry.ts';
import { scanDtab, scanPrefix, scanTree } from './dtab-parser.ts';
import { showPrefix, showTree } from './dtab-printer.ts';
import { Scanner } from './dtab-scanner.ts';
import type { NameTree } from './name-tree.ts';
import type { Path } from './path.ts';

export { concatDtabs, type Dentry, type Dtab, EMPTY_DTAB, lookupDtab } from './dentry.ts';
export { showDtab, showTree } from './dtab-printer.ts';
export { DtabError } from './dtab-scanner.ts';

/** The dtab in a text. Throws `DtabError`. */
export function readDtab(text: string): Dtab {
  return scanDtab(new Scanner(text));
}

/** The tree in a text, the right-hand side of a dentry. Throws `DtabError`. */
export function readTree(text: string): NameTree<Path> {
  const scanner = new Scanner(text);
  const tree = scanTree(scanner);
  scanner.expectEnd();
  return tree;
}

/** A dentry as namerd's HTTP API has it. */
export interface DentryJson {
  readonly prefix: string;
  readonly dst: string;
}

export function dtabToJson(dtab: Dtab): DentryJson[] {
  return dtab.map(dentryToJson);
}

export function dentryToJson({ prefix, dst }: Dentry): DentryJson {
  return { prefix: showPrefix(prefix), dst: showTree(dst) };
}

/** Throws `DtabError`; its position is that within the one text that is wrong. */
export function dtabFromJson(dentries: readonly DentryJson[]): Dtab {
  return dentries.map(({ prefix, dst }) => {
    const scanner = new Scanner(prefix.trim());
    const scanned = scanPrefix(scanner);
    scanner.expectEnd();
    return { prefix: scanned, dst: readTree(dst) };
  });
}
