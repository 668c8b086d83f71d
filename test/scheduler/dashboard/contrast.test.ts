/** The palette of the dashboard, checked against WCAG 2.2 (AA): text 4.5, lines of controls and charts 3. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const css = readFileSync(new URL('../../../scheduler/dashboard/src/style/colours.css', import.meta.url), 'utf8');

/** The custom properties of the n-th `:root` block: the light scheme's, then the dark one's. */
function colours(nth: number): Map<string, string> {
  const block = [...css.matchAll(/:root \{([^}]*)\}/g)][nth]?.[1] ?? '';
  return new Map(
    [...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** Relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ['page', 'surface', 'raised', 'row-bad', 'row-busy', 'banner'];
const INKS = ['text', 'muted', 'good', 'busy', 'bad', 'accent'];

describe.each([
  ['light', 0],
  ['dark', 1],
] as const)('the %s scheme', (_name, nth) => {
  const palette = colours(nth);

  test.each(INKS.flatMap((ink) => GROUNDS.map((ground) => [ink, ground])))('reads well: %s on %s', (ink, ground) => {
    const [front, back] = [palette.get(ink), palette.get(ground)];
    if (front === undefined || back === undefined) throw new Error(`no colour ${ink} or ${ground}`);
    expect(contrast(front, back)).toBeGreaterThanOrEqual(4.5);
  });

  test('reads well: text on the bars of rates', () => {
    expect(contrast(palette.get('text') ?? '', palette.get('bar') ?? '')).toBeGreaterThanOrEqual(4.5);
  });
});
