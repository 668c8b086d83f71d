import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Screen } from '../../../scheduler/cli/screen.ts';
import { displayWidth, renderTable, type TableColumn, truncate } from '../../../scheduler/cli/table.ts';

function screen(width: number | null): Screen {
  return {
    width,
    height: null,
    live: width !== null,
    paint: (tone, text) => `<${tone}>${text}</${tone}>`,
    write: () => undefined,
    complain: () => undefined,
  };
}

/** Without the marks of {@link screen}'s paint. */
const plain = (text: string) => text.replace(/<\/?[a-z]+>/g, '');

const COLUMNS: readonly TableColumn[] = [
  { title: 'NAME', shrinkTo: 6 },
  { title: 'RPS', align: 'right' },
  { title: 'EXTRA', optional: 2 },
  { title: 'LESS', optional: 1 },
  { title: 'WHY', shrinkTo: 8 },
];
const rows = [
  [{ text: 'first-name' }, { text: '5' }, { text: 'e' }, { text: 'l' }, { text: 'a long reason for it' }],
  [{ text: 'b', tone: 'bad' as const }, { text: '1234' }, { text: 'e' }, { text: 'l' }, { text: '' }],
];
const lines = (width: number | null) => plain(renderTable(COLUMNS, rows, screen(width))).split('\n');

describe('a table', () => {
  test('is as wide as its content where lines may be of any length', () => {
    expect(lines(null)).toEqual([
      'NAME         RPS  EXTRA  LESS  WHY',
      'first-name     5  e      l     a long reason for it',
      'b           1234  e      l',
      '',
    ]);
  });

  test('cuts its widest cells first where the screen is narrower', () => {
    expect(lines(44)).toEqual([
      'NAME         RPS  EXTRA  LESS  WHY',
      'first-name     5  e      l     a long reaso…',
      'b           1234  e      l',
      '',
    ]);
  });

  test('leaves out the least important columns where cutting is not enough', () => {
    expect(lines(28)).toEqual(['NAME     RPS  LESS  WHY', 'first…     5  l     a long…', 'b       1234  l', '']);
    expect(lines(24)[0]).toBe('NAME       RPS  WHY');
  });

  test('is never wider than the screen, as long as its columns can give way', () => {
    fc.assert(
      fc.property(fc.integer({ min: 22, max: 120 }), fc.array(fc.string({ unit: 'grapheme' })), (width, texts) => {
        const many = texts.map((text) => [{ text }, { text: '1' }, { text }, { text }, { text }]);
        const narrow = [
          ...COLUMNS.slice(0, 2),
          { title: 'X', optional: 2 },
          { title: 'Y', optional: 1 },
          ...COLUMNS.slice(4),
        ];
        const plainScreen: Screen = { ...screen(width), paint: (_tone, text) => text };
        for (const line of renderTable(narrow, many, plainScreen).split('\n')) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
        }
      }),
    );
  });

  test('lets no control character through to the terminal', () => {
    const out = renderTable([{ title: 'A' }], [[{ text: 'x\u001b[2Jy\nz' }]], screen(null));
    expect(plain(out)).toBe('A\nx?[2Jy?z\n');
  });

  test('paints the words and not the space around them', () => {
    const out = renderTable(COLUMNS, rows, screen(null));
    expect(out).toContain('<bad>b</bad>   ');
  });
});

describe('widths', () => {
  test.each([
    ['abc', 3],
    ['日本', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['🙂', 2],
    ['– → …', 5],
  ])('%s takes %i columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test('a text that is cut is as wide as it may be, at most', () => {
    expect(truncate('日本語', 4)).toBe('日…');
    expect(truncate('abc', 3)).toBe('abc');
    expect(truncate('abcd', 3)).toBe('ab…');
  });
});
