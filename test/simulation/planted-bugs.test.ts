/** Bugs that are planted in the core are each found within 200 seeds. */
import { expect, test } from 'vitest';
import { loadSimulation } from './bundle.mjs';
import { PLANTED_BUGS } from './planted-bugs.ts';

const SEEDS = 200;
const TIMEOUT_MS = 240_000;

test.each(PLANTED_BUGS)('$name is found', { timeout: TIMEOUT_MS }, async ({ changes, found, allowsSuppress }) => {
  const { runSeeds } = await loadSimulation(changes);
  const { failure } = runSeeds({ from: 1, seeds: SEEDS, forbidsSuppress: allowsSuppress !== true, until: found });
  expect(failure?.violation?.what).toMatch(found);
});
