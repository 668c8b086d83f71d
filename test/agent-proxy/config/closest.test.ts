import { describe, expect, it } from 'vitest';
import { closest, editDistance } from '../../../agent-proxy/config/closest.ts';

describe('the word that was meant', () => {
  it.each([
    ['maxHeaderKB', 'maxHeadersKB'],
    ['Dtab', 'dtab'],
    ['lable', 'label'],
    ['servrs', 'servers'],
    ['successRate', 'io.l5d.successRate'],
    ['io.l5d.p2c', 'p2c'],
  ])('for %s is %s', (word, meant) => {
    expect(closest(word, ['dtab', 'label', 'servers', 'maxHeadersKB', 'io.l5d.successRate', 'p2c'])).toBe(meant);
  });

  it('is not guessed from a word that is far from all', () => {
    expect(closest('host', ['port', 'prefix'])).toBeUndefined();
  });

  it('is the nearest of several', () => {
    expect(closest('minSzie', ['maxSize', 'minSize'])).toBe('minSize');
  });
});

it.each([
  ['abc', 'abc', 0],
  ['abc', 'acb', 1],
  ['abc', 'ab', 1],
  ['abc', 'axbc', 1],
  ['abc', 'xyz', 3],
])('from %s to %s it is %i, and never more than the limit and one', (left, right, distance) => {
  expect(editDistance(left, right, 5)).toBe(distance);
  expect(editDistance(left, right, 1)).toBe(Math.min(distance, 2));
});
