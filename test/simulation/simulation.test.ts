/** Some hundreds of seeds hold, and a seed is the same run each time. */
import { expect, test } from 'vitest';
import { loadSimulation } from './bundle.mjs';

const SEEDS = 200;
const TIMEOUT_MS = 240_000;

test(`${SEEDS} seeds hold every invariant and heal`, { timeout: TIMEOUT_MS }, async () => {
  const { runSeeds } = await loadSimulation();
  const run = runSeeds({ from: 1, seeds: SEEDS });
  const { failure } = run;
  const command = failure === null ? '' : `npm run simulate -- --from ${failure.seed} --seeds 1`;
  expect(failure?.violation?.what ?? null, command).toBe(null);
  expect(run.leastSteps).toBeGreaterThanOrEqual(1_000);
  expect(run.leastFaultKinds).toBeGreaterThanOrEqual(3);
});

test('a seed is the same run each time, and goes on with a copy of the state as with the state itself', async () => {
  const { simulate } = await loadSimulation();
  for (const seed of [3, 4, 5]) {
    const [one, two, copied] = [997, 997, 7].map((copyEvery) => simulate({ seed, copyEvery, forbidsSuppress: true }));
    expect(two?.hash).toBe(one?.hash);
    expect(copied?.hash).toBe(one?.hash);
  }
});
