/** The rules of a dtab as data, and one look-up in them. */
import { alt, mapLeaves, type NameTree, NEG } from './name-tree.ts';
import type { Path } from './path.ts';

/** Segments to match; null is `*`, any one segment. */
export type DentryPrefix = readonly (string | null)[];

/** One rule: a path with this prefix becomes `dst`, with the rest of the path behind each of its leaves. */
export interface Dentry {
  readonly prefix: DentryPrefix;
  readonly dst: NameTree<Path>;
}

/** Later dentries come first in a look-up, so in `base ++ local` the local ones win. */
export type Dtab = readonly Dentry[];

export const EMPTY_DTAB: Dtab = [];

/** One dtab after the other: what stands in `local` overrides. */
export function concatDtabs(base: Dtab, local: Dtab): Dtab {
  if (local.length === 0) return base;
  return base.length === 0 ? local : [...base, ...local];
}

export function matchesPrefix(prefix: DentryPrefix, path: Path): boolean {
  if (prefix.length > path.length) return false;
  for (let index = 0; index < prefix.length; index += 1) {
    const segment = prefix[index];
    if (segment !== null && segment !== path[index]) return false;
  }
  return true;
}

/** One rewrite of a path: the trees of all dentries that match, the last first. */
export function lookupDtab(dtab: Dtab, path: Path): NameTree<Path> {
  const trees: NameTree<Path>[] = [];
  for (let index = dtab.length - 1; index >= 0; index -= 1) {
    const dentry = dtab[index];
    if (dentry === undefined || !matchesPrefix(dentry.prefix, path)) continue;
    const suffix = path.slice(dentry.prefix.length);
    trees.push(mapLeaves(dentry.dst, (value) => ({ kind: 'leaf', value: [...value, ...suffix] })));
  }
  const [first] = trees;
  if (first === undefined) return NEG;
  return trees.length === 1 ? first : alt(...trees);
}
