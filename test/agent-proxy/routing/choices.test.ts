import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Choices } from '../../../agent-proxy/routing/choices.ts';
import { readTree } from '../../../agent-proxy/routing/dtab.ts';
import { mapLeaves } from '../../../agent-proxy/routing/name-tree.ts';
import { showPath } from '../../../agent-proxy/routing/path.ts';
import { anyTree } from './trees.ts';

function choices(text: string): Choices<string> {
  return new Choices(mapLeaves(readTree(text), (path) => ({ kind: 'leaf', value: showPath(path) })));
}

/** The share of each outcome over draws that are spread evenly. */
function shares(text: string): Record<string, number> {
  const drawn: Record<string, number> = {};
  const draw = choices(text);
  for (let index = 0; index < 4_000; index += 1) {
    const leaf = draw.pick(() => (index + 0.5) / 4_000) ?? 'nothing';
    drawn[leaf] = (drawn[leaf] ?? 0) + 1 / 4_000;
  }
  return Object.fromEntries(Object.entries(drawn).map(([leaf, share]) => [leaf, Number(share.toFixed(3))]));
}

describe('the requests are shared', () => {
  it.each([
    ['3*/a & 1*/b', { '/a': 0.75, '/b': 0.25 }],
    ['0.1*/a & 0.3*/b', { '/a': 0.25, '/b': 0.75 }],
    ['/a & /b & /c & /d', { '/a': 0.25, '/b': 0.25, '/c': 0.25, '/d': 0.25 }],
    ['0*/a & 0*/b', { '/a': 0.5, '/b': 0.5 }],
    ['0*/a & 1*/b', { '/b': 1 }],
    ['3*/a & 1*(1*/b & 4*/c)', { '/a': 0.75, '/b': 0.05, '/c': 0.2 }],
    ['1*/a & 1*(0*/b & 0*/c)', { '/a': 0.5, '/b': 0.25, '/c': 0.25 }],
    ['3*/a & 1*$', { '/a': 0.75, nothing: 0.25 }],
    ['/a & 0*$', { '/a': 1 }],
    ['0*/a & 0*$', { '/a': 1 }],
    ['0*$ & 0*$', { nothing: 1 }],
    ['/a & (0*$ & 0*$)', { '/a': 0.5, nothing: 0.5 }],
    ['$ & $', { nothing: 1 }],
    ['/a', { '/a': 1 }],
    ['~', { nothing: 1 }],
    ['!', { nothing: 1 }],
  ])('of %s: %j', (tree, expected) => {
    expect(shares(tree)).toEqual(expected);
  });
});

it('a single leaf needs no random number', () => {
  const draw = choices('/a');
  expect(draw.leaves).toEqual(['/a']);
  expect(draw.pick(() => expect.unreachable('nothing to draw'))).toBe('/a');
});

it('only a leaf of the tree is drawn, whatever the number', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(anyTree, random, (tree, number) => {
      const draw = new Choices(tree);
      const leaf = draw.pick(() => number);
      if (leaf !== null) expect(draw.leaves).toContain(leaf);
    }),
  );
});
