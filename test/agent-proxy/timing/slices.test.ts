/** Slices of long work: short while the loop turns quickly, longer where its turns are long anyway. */
import { expect, test } from 'vitest';
import { Slice } from '../../../agent-proxy/timing/slices.ts';

/** How long the slice is that follows a turn of the loop of so many milliseconds. */
function sliceAfter(turnMs: number): number {
  let now = 1_000;
  const slice = new Slice(() => now);
  while (!slice.isOver) now += 1 / 64;
  now += turnMs;
  slice.begin();
  const began = now;
  while (!slice.isOver) now += 1 / 64;
  return now - began;
}

test('a slice is an eighth of a millisecond', () => {
  expect(sliceAfter(0)).toBe(0.125);
  expect(sliceAfter(2)).toBe(0.125);
});

test('where the turns of the loop are long, it is a twentieth of one, and never more than 4 ms', () => {
  expect(sliceAfter(40)).toBe(2);
  expect(sliceAfter(1_000)).toBe(4);
});
