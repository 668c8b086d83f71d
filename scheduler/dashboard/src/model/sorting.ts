/** Sorting and filtering of rows. */

export type Direction = 'ascending' | 'descending';

export interface Sort {
  readonly column: string;
  readonly direction: Direction;
}

/** What a column is sorted by. Null is no value, and comes last in both directions. */
export type SortValue = string | number | null;

// Numbers within words count as numbers: 127.0.1.2 comes before 127.0.1.10.
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

function compare(a: SortValue, b: SortValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return collator.compare(String(a), String(b));
}

/** A sorted copy. Rows of the same value stay in the order of their names, so that live figures do not shuffle them. */
export function sortRows<Row>(
  rows: readonly Row[],
  direction: Direction,
  valueIn: (row: Row) => SortValue,
  nameOf: (row: Row) => string,
): Row[] {
  const sign = direction === 'ascending' ? 1 : -1;
  return rows
    .map((row) => ({ row, value: valueIn(row), name: nameOf(row) }))
    .sort((a, b) => {
      if ((a.value === null) !== (b.value === null)) return a.value === null ? 1 : -1;
      const byValue = a.value === null || b.value === null ? 0 : sign * compare(a.value, b.value);
      return byValue !== 0 ? byValue : collator.compare(a.name, b.name);
    })
    .map((entry) => entry.row);
}

/** The sort after a click on a column's header: another column starts in its own direction, the same one turns round. */
export function nextSort(current: Sort, column: string, first: Direction): Sort {
  if (current.column !== column) return { column, direction: first };
  return { column, direction: current.direction === 'ascending' ? 'descending' : 'ascending' };
}

/**
 * Whether a row's words match what was typed: each word typed must begin one of the row's words or, when it is longer
 * than two letters, stand anywhere within one. `state` words match from their beginning only, because `healthy` is
 * also the end of `unhealthy`.
 */
export function matches(typed: string, words: readonly string[], states: readonly string[]): boolean {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return true;
  const held = words.map((word) => word.toLowerCase());
  return wanted.every(
    (word) =>
      states.some((state) => state.toLowerCase().startsWith(word)) ||
      held.some((text) => (word.length > 2 ? text.includes(word) : startsAWord(text, word))),
  );
}

function startsAWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !/[a-z0-9]/.test(text.charAt(at - 1))) return true;
  }
  return false;
}
