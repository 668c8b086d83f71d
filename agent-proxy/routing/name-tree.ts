/** Finagle's name tree: how several destinations for one name are combined, and what such a tree comes to. */

export type NameTree<T> =
  | { readonly kind: 'leaf'; readonly value: T }
  /** The first that is not Neg. */
  | { readonly kind: 'alt'; readonly trees: readonly NameTree<T>[] }
  /** A share of the requests each, by weight. */
  | { readonly kind: 'union'; readonly branches: readonly Weighted<T>[] }
  /** No such name: an outer `alt` goes on. */
  | { readonly kind: 'neg' }
  /** A hard stop. */
  | { readonly kind: 'fail' }
  /** Known, with nothing behind it: a hard stop too. */
  | { readonly kind: 'empty' };

export interface Weighted<T> {
  readonly weight: number;
  readonly tree: NameTree<T>;
}

export const NEG: NameTree<never> = { kind: 'neg' };
export const FAIL: NameTree<never> = { kind: 'fail' };
export const EMPTY: NameTree<never> = { kind: 'empty' };

export function leaf<T>(value: T): NameTree<T> {
  return { kind: 'leaf', value };
}

export function alt<T>(...trees: readonly NameTree<T>[]): NameTree<T> {
  return { kind: 'alt', trees };
}

/** The same tree over other values. */
export function mapLeaves<T, U>(tree: NameTree<T>, map: (value: T) => NameTree<U>): NameTree<U> {
  switch (tree.kind) {
    case 'leaf':
      return map(tree.value);
    case 'alt':
      return { kind: 'alt', trees: tree.trees.map((child) => mapLeaves(child, map)) };
    case 'union': {
      const branches = tree.branches.map(({ weight, tree: child }) => ({ weight, tree: mapLeaves(child, map) }));
      return { kind: 'union', branches };
    }
    case 'neg':
    case 'fail':
    case 'empty':
      return tree;
  }
}

/** The shortest tree that evaluates to the same. */
export function simplify<T>(tree: NameTree<T>): NameTree<T> {
  if (tree.kind === 'alt') return simplifyAlt(tree.trees);
  if (tree.kind === 'union') return simplifyUnion(tree.branches);
  return tree;
}

/** Neg is skipped and nothing is reached behind a Fail. Leaf and Empty do not cut: a leaf may turn out to be Neg. */
function simplifyAlt<T>(trees: readonly NameTree<T>[]): NameTree<T> {
  const kept: NameTree<T>[] = [];
  for (const child of trees) {
    const simple = simplify(child);
    if (simple.kind !== 'neg') kept.push(simple);
    if (simple.kind === 'fail') break;
  }
  const [first] = kept;
  if (first === undefined) return NEG;
  return kept.length === 1 ? first : { kind: 'alt', trees: kept };
}

/** Neg and Fail get no share. A branch that is alone gets everything, whatever its weight. */
function simplifyUnion<T>(branches: readonly Weighted<T>[]): NameTree<T> {
  const kept: Weighted<T>[] = [];
  for (const { weight, tree } of branches) {
    const simple = simplify(tree);
    if (simple.kind !== 'neg' && simple.kind !== 'fail') kept.push({ weight, tree: simple });
  }
  const [first] = kept;
  if (first === undefined) return NEG;
  return kept.length === 1 ? first.tree : { kind: 'union', branches: kept };
}

/** What a tree comes to where each leaf stands for itself. No leaves is Empty. */
export type Evaluated<T> =
  | { readonly kind: 'neg' }
  | { readonly kind: 'fail' }
  | { readonly kind: 'leaves'; readonly leaves: readonly T[] };

export function evaluate<T>(tree: NameTree<T>): Evaluated<T> {
  switch (tree.kind) {
    case 'leaf':
      return { kind: 'leaves', leaves: [tree.value] };
    case 'empty':
      return { kind: 'leaves', leaves: [] };
    case 'neg':
    case 'fail':
      return { kind: tree.kind };
    case 'alt':
      return evaluateAlt(tree.trees);
    case 'union':
      return evaluateUnion(tree.branches);
  }
}

function evaluateAlt<T>(trees: readonly NameTree<T>[]): Evaluated<T> {
  for (const child of trees) {
    const evaluated = evaluate(child);
    if (evaluated.kind !== 'neg') return evaluated;
  }
  return { kind: 'neg' };
}

function evaluateUnion<T>(branches: readonly Weighted<T>[]): Evaluated<T> {
  const parts = branches.map(({ tree }) => evaluate(tree)).filter((part) => part.kind === 'leaves');
  return parts.length === 0 ? { kind: 'neg' } : { kind: 'leaves', leaves: parts.flatMap(({ leaves }) => leaves) };
}

/** Whether two trees are the same once simplified. */
export function treesEqual<T>(a: NameTree<T>, b: NameTree<T>, equal: (a: T, b: T) => boolean): boolean {
  return sameShape(simplify(a), simplify(b), equal);
}

function sameShape<T>(a: NameTree<T>, b: NameTree<T>, equal: (a: T, b: T) => boolean): boolean {
  if (a.kind === 'leaf') return b.kind === 'leaf' && equal(a.value, b.value);
  if (a.kind === 'alt') {
    if (b.kind !== 'alt' || a.trees.length !== b.trees.length) return false;
    const others = b.trees;
    return a.trees.every((child, index) => sameShape(child, others[index] ?? NEG, equal));
  }
  if (a.kind === 'union') {
    if (b.kind !== 'union' || a.branches.length !== b.branches.length) return false;
    const others = b.branches;
    return a.branches.every(({ weight, tree }, index) => {
      const other = others[index];
      return other !== undefined && weight === other.weight && sameShape(tree, other.tree, equal);
    });
  }
  return a.kind === b.kind;
}
