import { expect, test } from 'vitest';
import { Instance } from '../../../agent-proxy/balance/instance.ts';
import { DEFAULT_BALANCE } from '../../../agent-proxy/balance/params.ts';
import { Rotation } from '../../../agent-proxy/balance/rotation.ts';
import { Siblings } from '../../../agent-proxy/balance/siblings.ts';
import { seeded, weighted } from './world.ts';

const DRAWS = 20_000;

function rotationOf(weights: readonly number[]): { rotation: Rotation; instances: readonly Instance[] } {
  const random = seeded(5);
  const siblings = new Siblings(DEFAULT_BALANCE, random);
  const rotation = new Rotation(random);
  const instances = weighted(weights).map((row) => new Instance(row, siblings));
  for (const instance of instances) rotation.add(instance);
  return { rotation, instances };
}

/** The share of each instance in many draws. */
function shares(instances: readonly Instance[], draw: () => Instance | null): number[] {
  const counts = new Map<Instance | null, number>();
  for (let index = 0; index < DRAWS; index += 1) {
    const drawn = draw();
    counts.set(drawn, (counts.get(drawn) ?? 0) + 1);
  }
  return instances.map((instance) => (counts.get(instance) ?? 0) / DRAWS);
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  for (const [index, share] of expected.entries()) expect(actual[index]).toBeCloseTo(share, 1.5);
}

test.each([
  { weights: [1, 1, 1, 1], first: [0.25, 0.25, 0.25, 0.25], other: [1 / 3, 0, 1 / 3, 1 / 3] },
  { weights: [1, 2, 5, 2], first: [0.1, 0.2, 0.5, 0.2], other: [0.125, 0, 0.625, 0.25] },
])(
  'weights $weights: a draw goes by weight, and so does a second one that is not the first',
  ({ weights, first, other }) => {
    const { rotation, instances } = rotationOf(weights);
    expect(rotation.isUniform).toBe(new Set(weights).size === 1);
    expectClose(
      shares(instances, () => rotation.draw(4)),
      first,
    );
    const drawn = shares(instances, () => rotation.drawOther(1, 4));
    expect(drawn[1]).toBe(0);
    expectClose(drawn, other);
  },
);

test('draws keep to the first so many', () => {
  const { rotation, instances } = rotationOf([1, 3, 6, 9]);
  expectClose(
    shares(instances, () => rotation.draw(2)),
    [0.25, 0.75, 0, 0],
  );
  expectClose(
    shares(instances, () => rotation.drawOther(0, 2)),
    [0, 1, 0, 0],
  );
});

test('what is removed is not drawn, and the weights stay with those that remain', () => {
  const { rotation, instances } = rotationOf([1, 2, 5, 2]);
  const [, , heavy] = instances;
  if (heavy === undefined) throw new Error('the third');
  rotation.remove(heavy);
  expect(heavy.slot).toBe(-1);
  expectClose(
    shares(instances, () => rotation.draw(3)),
    [0.2, 0.4, 0, 0.4],
  );
});
