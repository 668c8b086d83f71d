/** Dtabs and trees as text, in Finagle's form. Reading what is printed here gives the same dtab. */
import type { Dentry, DentryPrefix, Dtab } from './dentry.ts';
import type { NameTree, Weighted } from './name-tree.ts';
import { type Path, showPath, showSegment } from './path.ts';

export function showDtab(dtab: Dtab): string {
  return dtab.map(showDentry).join(';');
}

function showDentry({ prefix, dst }: Dentry): string {
  return `${showPrefix(prefix)}=>${showTree(dst)}`;
}

export function showPrefix(prefix: DentryPrefix): string {
  return `/${prefix.map((segment) => (segment === null ? '*' : showSegment(segment))).join('/')}`;
}

export function showTree(tree: NameTree<Path>): string {
  switch (tree.kind) {
    case 'leaf':
      return showPath(tree.value);
    case 'neg':
      return '~';
    case 'fail':
      return '!';
    case 'empty':
      return '$';
    case 'alt':
      return tree.trees.length === 0 ? '~' : tree.trees.map(showAlternative).join(' | ');
    case 'union':
      return tree.branches.length === 0 ? '~' : tree.branches.map(showBranch).join(' & ');
  }
}

function showAlternative(tree: NameTree<Path>): string {
  return tree.kind === 'alt' ? `(${showTree(tree)})` : showTree(tree);
}

function showBranch({ weight, tree }: Weighted<Path>): string {
  const shown = tree.kind === 'alt' || tree.kind === 'union' ? `(${showTree(tree)})` : showTree(tree);
  return weight === 1 ? shown : `${showWeight(weight)}*${shown}`;
}

/**
 * Two decimals, as Finagle has it; more where the weight would be another one (Finagle rounds, and so turns a share of
 * 0.001 into none when a dtab is passed on).
 */
function showWeight(weight: number): string {
  const short = weight.toFixed(2);
  if (Number(short) === weight && !short.includes('e')) return short;
  const [digits = '', exponent] = String(weight).split('e');
  if (exponent === undefined) return digits;
  const [whole = '', fraction = ''] = digits.split('.');
  const shift = Number(exponent);
  if (shift < 0) return `0.${'0'.repeat(-shift - 1)}${whole}${fraction}`;
  return `${whole}${fraction.padEnd(shift, '0')}`;
}
