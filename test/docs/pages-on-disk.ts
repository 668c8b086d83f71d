/** The pages that are there: all of docs/, and those at the top of the checkout. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../dcos-package/build/set-up.mjs';

interface Page {
  /** From the root of the checkout. */
  readonly file: string;
  readonly text: string;
}

export function pagesOnDisk(): readonly Page[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const book = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  return [...top, ...book].sort().map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));
}
