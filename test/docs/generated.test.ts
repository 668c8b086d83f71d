/** What the documents have from code is what the code says. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../dcos-package/build/set-up.mjs';
import { MADE_PAGES } from './pages.ts';

it.each(MADE_PAGES)('$file is what the code says', async ({ file, from, make }) => {
  const path = join(ROOT, file);
  const current = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const wanted = await make(current);
  if (current === wanted) return;
  const lines = [current.split('\n'), wanted.split('\n')] as const;
  const at = lines[1].findIndex((line, index) => line !== lines[0][index]);
  const where = at === -1 ? lines[1].length : at;
  expect.fail(
    `${file} is not what the code says (it is made of ${from}), first in line ${where + 1}.\n` +
      `  the page has   ${lines[0][where] ?? '(nothing)'}\n  the code says  ${lines[1][where] ?? '(nothing)'}\n` +
      'Run npm run docs, look at what has changed, and commit it with the change of the code.',
  );
});
