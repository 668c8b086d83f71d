import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WeightTree } from '../../../agent-proxy/balance/weight-tree.ts';

test('sums and draws are those of the plain list of weights', () => {
  const changes = fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 0, max: 9 })), { maxLength: 80 });
  fc.assert(
    fc.property(changes, fc.double({ min: 0, max: 0.999, noNaN: true }), (script, part) => {
      const tree = new WeightTree();
      const weights: number[] = [];
      for (const [at, weight] of script) {
        const slot = Math.min(at, weights.length);
        tree.set(slot, weights[slot] ?? 0, weight);
        weights[slot] = weight;
      }
      let sum = 0;
      for (const [slot, weight] of weights.entries()) {
        expect(tree.below(slot)).toBe(sum);
        sum += weight;
      }
      if (sum === 0) return;
      const position = part * sum;
      let expected = 0;
      for (let rest = position; rest >= (weights[expected] ?? 0); expected += 1) rest -= weights[expected] ?? 0;
      expect(tree.find(position, weights.length)).toBe(expected);
    }),
  );
});

test('a position that rounding put behind the end is the last slot', () => {
  const tree = new WeightTree();
  for (let slot = 0; slot < 3; slot += 1) tree.set(slot, 0, 0.1);
  expect(tree.find(0.3000001, 3)).toBe(2);
});
