/** How the dashboard's tests read the page, and keep it from making them wait. */
import type { Locator } from 'playwright-core';
import { vi } from 'vitest';

/** The browser's own, for what is evaluated there. */
declare function getComputedStyle(element: unknown): { readonly color: string; readonly backgroundColor: string };

/**
 * The page's pauses are a fourth as long here, so that nobody waits for them, and its time-outs half as long. How long
 * they really are is the business of the poller's tests.
 */
export const QUICK = `{
  const { setTimeout: after, setInterval: every } = window;
  window.setTimeout = (then, ms, ...rest) => after(then, ms < 5000 ? ms / 4 : ms / 2, ...rest);
  window.setInterval = (then, ms, ...rest) => every(then, ms / 4, ...rest);
}`;

/** The heads of a table's rows. */
export const textsOf = (table: Locator) => table.getByRole('rowheader').allInnerTexts();

export const backgroundOf = (one: Locator) => one.evaluate((element) => getComputedStyle(element).backgroundColor);

export const colourOf = (one: Locator) => one.evaluate((element) => getComputedStyle(element).color);

/** Waits until what is asserted holds. */
export function soon(assertion: () => Promise<void> | void): Promise<void> {
  return vi.waitFor(assertion, { timeout: 10_000, interval: 50 });
}

/** The texts of a row's cells, without its head. */
export async function cellsOf(row: Locator): Promise<string[]> {
  return (await row.getByRole('cell').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());
}
