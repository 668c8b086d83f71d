/**
 * Draws a table in a terminal: as wide as its content, and no wider than the screen. Cells that may shrink are cut with an
 * ellipsis first; then whole columns give way, the least important first.
 */
import type { Screen, Tone } from './screen.ts';

export interface TableColumn {
  readonly title: string;
  readonly align?: 'right';
  /** The least width that a cell may be cut to; without it the column is never cut. */
  readonly shrinkTo?: number;
  /** Columns with a number may be left out, the highest number first. */
  readonly optional?: number;
}

export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

const GAP = '  ';

/** Lines with a head, each ended by a newline. */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  screen: Screen,
): string {
  const cells = rows.map((row) => row.map((cell) => ({ ...cell, text: printable(cell.text) })));
  const natural = columns.map((column, index) =>
    Math.max(displayWidth(column.title), ...cells.map((row) => displayWidth(row[index]?.text ?? ''))),
  );
  const widths = fit(columns, natural, screen.width);
  const shown = columns.flatMap((column, index) => {
    const width = widths[index];
    return width === null || width === undefined ? [] : [{ column, index, width }];
  });
  const last = shown.length - 1;
  const line = (cellOf: (index: number) => Cell) =>
    shown
      .map(({ column, index, width }, place) => {
        const { text, tone } = cellOf(index);
        const cut = truncate(text, width);
        const painted = tone === undefined || cut === '' ? cut : screen.paint(tone, cut);
        const space = ' '.repeat(width - displayWidth(cut));
        if (column.align === 'right') return space + painted;
        return place === last ? painted : painted + space;
      })
      .join(GAP)
      .trimEnd();
  return [
    line((index) => ({ text: columns[index]?.title ?? '', tone: 'head' })),
    ...cells.map((row) => line((index) => row[index] ?? { text: '' })),
    '',
  ].join('\n');
}

/** The width of each column, null where it is left out. */
function fit(columns: readonly TableColumn[], natural: readonly number[], screen: number | null): (number | null)[] {
  const widths: (number | null)[] = [...natural];
  if (screen === null) return widths;
  for (;;) {
    const shown = widths.filter((width) => width !== null);
    let excess = shown.reduce((sum, width) => sum + width, 0) + GAP.length * (shown.length - 1) - screen;
    // The widest that can give way gives way, column by column, until all fits or all are at their least.
    while (excess > 0) {
      const widest = widestThatShrinks(columns, widths);
      if (widest === null) break;
      widths[widest.index] = widest.width - 1;
      excess -= 1;
    }
    if (excess <= 0) return widths;
    const dropped = leastImportant(columns, widths);
    if (dropped === null) return widths;
    for (const [index, width] of natural.entries()) {
      if (widths[index] !== null) widths[index] = width;
    }
    widths[dropped] = null;
  }
}

function widestThatShrinks(columns: readonly TableColumn[], widths: readonly (number | null)[]) {
  let widest: { index: number; width: number } | null = null;
  for (const [index, column] of columns.entries()) {
    const width = widths[index] ?? 0;
    if (column.shrinkTo !== undefined && width > column.shrinkTo && width > (widest?.width ?? 0)) {
      widest = { index, width };
    }
  }
  return widest;
}

function leastImportant(columns: readonly TableColumn[], widths: readonly (number | null)[]): number | null {
  let least: { index: number; optional: number } | null = null;
  for (const [index, { optional }] of columns.entries()) {
    if (optional !== undefined && widths[index] !== null && optional > (least?.optional ?? 0))
      least = { index, optional };
  }
  return least?.index ?? null;
}

/** Text as a terminal may see it: what comes from the cluster must not move the cursor or change colours. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}

const NO_WIDTH = /^(?:\p{M}|[\u200b-\u200d])$/u;
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]$/u;

function widthOf(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** How many columns a text takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** A text in at most so many columns; what is cut off leaves an ellipsis. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += widthOf(character);
    if (used > width - 1) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}
