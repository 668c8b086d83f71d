/** Ids of agents survive being packed, in their order, and ten thousand of them fit into one key. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packIds, unpackIds } from '../../../scheduler/policy/packed-ids.ts';

const MASTER = '0b9c6f1e-3a8b-4b0e-9d52-6a1f0e3c7d11';

test('whatever the ids are', () => {
  const id = fc.oneof(
    fc.integer({ min: 0, max: 99_999 }).map((number) => `${MASTER}-S${number}`),
    fc.constantFrom('S0', 'S01', 'agent', '=x', ':y', 'a-S', `${MASTER}-S007`, 'other-S5', 'odd -S6'),
  );
  fc.assert(
    fc.property(fc.array(id), (ids) => {
      expect(unpackIds(packIds(ids))).toEqual(ids);
    }),
  );
});

test('ten thousand agents', () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => `${MASTER}-S${(index * 7_919) % 10_000}`);
  expect(JSON.stringify(packIds(ids)).length).toBeLessThan(64 * 1024);
});
