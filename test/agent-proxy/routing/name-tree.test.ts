import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTree, showTree } from '../../../agent-proxy/routing/dtab.ts';
import { evaluate, simplify, treesEqual } from '../../../agent-proxy/routing/name-tree.ts';
import { pathsEqual, showPath } from '../../../agent-proxy/routing/path.ts';
import { anyTree } from './trees.ts';

function evaluated(text: string): string {
  const result = evaluate(readTree(text));
  return result.kind === 'leaves' ? `{${result.leaves.map(showPath).join(' ')}}` : result.kind;
}

describe('a tree evaluates', () => {
  it.each([
    ['/ok & ~ & /blah & $', '{/ok /blah}'],
    ['! | /ok', 'fail'],
    ['/ok & !', '{/ok}'],
    ['~ | /ok | !', '{/ok}'],
    ['~ | $ | /x', '{}'],
    ['(~|$|/foo)&(/bar|/blah)&~&/FOO', '{/bar /FOO}'],
    ['~ & ~', 'neg'],
    ['~ | ~', 'neg'],
    ['~ & !', 'neg'],
    ['$ & ~', '{}'],
    ['! | ~', 'fail'],
    ['(~ & !) | /ok', '{/ok}'],
    ['/a', '{/a}'],
    ['$', '{}'],
    ['!', 'fail'],
  ])('%s to %s', (tree, expected) => {
    expect(evaluated(tree)).toBe(expected);
  });
});

describe('a tree is simplified', () => {
  it.each([
    ['~ | /a', '/a'],
    ['~ | ~', '~'],
    ['/a | ~ | /b', '/a | /b'],
    ['/a | ! | /b', '/a | !'],
    ['$ | /b', '$ | /b'],
    ['/a & ~', '/a'],
    ['/a & !', '/a'],
    ['~ & !', '~'],
    ['0.25*/a & ~ & !', '/a'],
    ['0.25*/a & $', '0.25*/a & $'],
    ['(~ | /a) & 2*(~ & /b)', '/a & 2.00*/b'],
    ['(/a | /b) | /c', '(/a | /b) | /c'],
  ])('%s to %s', (tree, simple) => {
    expect(showTree(simplify(readTree(tree)))).toBe(simple);
  });

  it('of no branches to Neg', () => {
    expect(simplify({ kind: 'alt', trees: [] })).toEqual({ kind: 'neg' });
    expect(simplify({ kind: 'union', branches: [] })).toEqual({ kind: 'neg' });
  });

  it('without a change to what it evaluates to', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        expect(evaluate(simplify(tree))).toEqual(evaluate(tree));
        expect(simplify(simplify(tree))).toEqual(simplify(tree));
      }),
      { numRuns: 500 },
    );
  });
});

it.each([
  ['/a | ~', '/a', true],
  ['3*/a & ~', '/a', true],
  ['/a | ! | /b', '/a | !', true],
  ['/a & /b', '/b & /a', false],
  ['2*/a & /b', '/a & /b', false],
  ['/a | /b', '/a & /b', false],
  ['/a | /b', '/a | /b | /c', false],
  ['~', '!', false],
])('%s and %s: the same is %s', (a, b, same) => {
  expect(treesEqual(readTree(a), readTree(b), pathsEqual)).toBe(same);
});
