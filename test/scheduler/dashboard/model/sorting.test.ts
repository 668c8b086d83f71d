import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Direction, matches, nextSort, sortRows } from '../../../../scheduler/dashboard/src/model/sorting.ts';

interface Row {
  readonly name: string;
  readonly value: number | string | null;
}

const sorted = (rows: readonly Row[], direction: Direction) =>
  sortRows(
    rows,
    direction,
    (row) => row.value,
    (row) => row.name,
  ).map((row) => row.name);

describe('sorting', () => {
  test('takes numbers within words as numbers', () => {
    const rows = ['127.0.1.10', '127.0.1.2', '127.0.1.1'].map((name) => ({ name, value: name }));
    expect(sorted(rows, 'ascending')).toEqual(['127.0.1.1', '127.0.1.2', '127.0.1.10']);
    expect(sorted(rows, 'descending')).toEqual(['127.0.1.10', '127.0.1.2', '127.0.1.1']);
  });

  test('puts rows without a value last in both directions', () => {
    const rows = [
      { name: 'none', value: null },
      { name: 'low', value: 1 },
      { name: 'high', value: 10 },
    ];
    expect(sorted(rows, 'ascending')).toEqual(['low', 'high', 'none']);
    expect(sorted(rows, 'descending')).toEqual(['high', 'low', 'none']);
  });

  test('keeps equal rows in the order of their names, whatever order they came in', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(50), { minLength: 1 }),
        fc.constantFrom('ascending', 'descending'),
        (ids, way) => {
          const rows = ids.map((id) => ({ name: `n${id}`, value: 1 }));
          expect(sorted(rows, way)).toEqual([...ids].sort((a, b) => a - b).map((id) => `n${id}`));
        },
      ),
    );
  });

  test('leaves the rows that it was given alone', () => {
    const rows = Object.freeze([
      { name: 'b', value: 2 },
      { name: 'a', value: 1 },
    ]);
    expect(sorted(rows, 'ascending')).toEqual(['a', 'b']);
  });

  test('by the same column again turns round, by another starts in its own direction', () => {
    const byName = { column: 'name', direction: 'ascending' } as const;
    expect(nextSort(byName, 'name', 'ascending')).toEqual({ column: 'name', direction: 'descending' });
    expect(nextSort(byName, 'rps', 'descending')).toEqual({ column: 'rps', direction: 'descending' });
  });
});

describe('the filter', () => {
  const words = ['node12.example', '10.0.0.12', 'private', 'The proxy has not reported.'];

  test.each([
    ['', true],
    ['  ', true],
    ['NODE12', true],
    ['node12 private', true],
    ['node12 public', false],
    ['ported', true],
    ['12', true],
    ['2', false],
    ['unh', true],
    ['healthy', false],
  ])('%j on an unhealthy private node matches: %s', (typed, expected) => {
    expect(matches(typed, words, ['unhealthy'])).toBe(expected);
  });

  test('healthy finds the healthy ones only', () => {
    expect(matches('healthy', [], ['healthy'])).toBe(true);
    expect(matches('healthy', [], ['unhealthy'])).toBe(false);
  });
});
