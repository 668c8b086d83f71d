/** Random name trees and dtabs. */
import fc from 'fast-check';
import type { Dentry, Dtab } from '../../../agent-proxy/routing/dtab.ts';
import type { NameTree, Weighted } from '../../../agent-proxy/routing/name-tree.ts';
import type { Path } from '../../../agent-proxy/routing/path.ts';

/** Few labels, so that random dtabs rewrite each other's destinations. */
const label = fc.constantFrom('a', 'b', 'svc', '*', '~', '#', '$', 'io.l5d.fs', 'inet', '127.1', '80', ' ', '\xff');
export const anyPath: fc.Arbitrary<Path> = fc.array(label, { maxLength: 4 });
const weight = fc.oneof(
  fc.constantFrom(0, 1, 0.5, 0.25, 3, 1e-7, 1e21, 0.1 + 0.2, Number.MIN_VALUE),
  fc.double({ min: 0, max: 1e6, noNaN: true }),
);

function trees(minLength: number): fc.Arbitrary<NameTree<Path>> {
  return fc.letrec<{ tree: NameTree<Path> }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      anyPath.map((value): NameTree<Path> => ({ kind: 'leaf', value })),
      fc.constantFrom<NameTree<Path>>({ kind: 'neg' }, { kind: 'fail' }, { kind: 'empty' }),
      fc.array(tie('tree'), { minLength, maxLength: 4 }).map((trees): NameTree<Path> => ({ kind: 'alt', trees })),
      fc
        .array(fc.record<Weighted<Path>>({ weight, tree: tie('tree') }), { minLength, maxLength: 4 })
        .map((branches): NameTree<Path> => ({ kind: 'union', branches })),
    ),
  })).tree;
}

export const anyTree = trees(0);
/** What the grammar can say: nothing is alone in a union. */
const writtenTree = trees(2);

const writtenDentry: fc.Arbitrary<Dentry> = fc.record({
  prefix: fc.array(fc.option(label), { maxLength: 3 }),
  dst: writtenTree,
});
export const writtenDtab: fc.Arbitrary<Dtab> = fc.array(writtenDentry, { maxLength: 8 });
