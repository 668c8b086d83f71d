/**
 * The draw among the leaves of an evaluated tree, made once for each request: what can be computed for all requests is
 * computed when the tree changes.
 */
import type { NameTree, Weighted } from './name-tree.ts';

/** An outcome of the draw and its share of the requests; null is an Empty branch, whose share fails. */
interface Share<T> {
  readonly leaf: T | null;
  readonly share: number;
}

/** Leaves with their shares. Weights need not sum up to one; if all of a union's are zero, they count as equal. */
export class Choices<T> {
  /** Each leaf that can be drawn, in the order of the tree. */
  readonly leaves: readonly T[];
  /** The one leaf, where the draw has no other outcome. */
  readonly only: T | null;
  private readonly drawn: readonly (T | null)[];
  private readonly cumulative: readonly number[];

  constructor(tree: NameTree<T>) {
    const shares: Share<T>[] = [];
    collect(tree, 1, shares);
    this.drawn = shares.map(({ leaf }) => leaf);
    this.leaves = this.drawn.every(isLeaf) ? this.drawn : this.drawn.filter(isLeaf);
    this.only = this.drawn.length === 1 ? (this.drawn[0] ?? null) : null;
    let sum = 0;
    this.cumulative = shares.map(({ share }) => {
      sum += share;
      return sum;
    });
  }

  /** A leaf, with a probability in proportion to its share; null where there is none. `random` is in [0, 1). */
  pick(random: () => number): T | null {
    if (this.only !== null) return this.only;
    const { drawn, cumulative } = this;
    const last = drawn.length - 1;
    if (last <= 0) return null;
    const point = random() * (cumulative[last] ?? 0);
    let index = 0;
    while (index < last && point >= (cumulative[index] ?? 0)) index += 1;
    return drawn[index] ?? null;
  }
}

function isLeaf<T>(outcome: T | null): outcome is T {
  return outcome !== null;
}

/** Adds what can be drawn from `tree`, which as a whole has `share`. */
function collect<T>(tree: NameTree<T>, share: number, into: Share<T>[]): void {
  switch (tree.kind) {
    case 'leaf':
      into.push({ leaf: tree.value, share });
      return;
    case 'empty':
      into.push({ leaf: null, share });
      return;
    case 'alt':
    case 'neg':
    case 'fail':
      // Not in an evaluated tree, or all there is of it: nothing to draw.
      return;
    case 'union':
      collectUnion(tree.branches, share, into);
  }
}

function collectUnion<T>(branches: readonly Weighted<T>[], share: number, into: Share<T>[]): void {
  const weighted = branches.filter(({ weight }) => weight > 0);
  // All weights are zero: equal shares, but none for an Empty branch.
  const equal = branches.filter(({ tree }) => tree.kind !== 'empty').map(({ tree }) => ({ weight: 1, tree }));
  const drawn = weighted.length > 0 ? weighted : equal;
  if (drawn.length === 0) into.push({ leaf: null, share });
  const total = drawn.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight, tree } of drawn) collect(tree, (share * weight) / total, into);
}
