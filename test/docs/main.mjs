/**
 * `npm run docs`: writes the pages that are made from code (pages.ts lists them). They are bundled first: Node.js 20 does not
 * run TypeScript.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SetUpError, say } from '../../dcos-package/build/progress.mjs';
import { ROOT, setUp } from '../../dcos-package/build/set-up.mjs';
import { hasCode } from '../../dcos-package/build/stamp.mjs';

/** @param {readonly string[]} words */
export async function main(words) {
  if (words.length > 0) throw new SetUpError(`npm run docs takes no words, and got '${words.join(' ')}'`, 2);
  await setUp({ root: ROOT, build: false });
  const { MADE_PAGES } = await loadPages();
  let changed = 0;
  for (const { file, from, make } of MADE_PAGES) {
    const path = join(ROOT, file);
    const current = await textOf(path);
    const wanted = await make(current);
    if (wanted === current) continue;
    await writeFile(path, wanted);
    changed += 1;
    say(`${file} is written anew, from ${from}`);
  }
  say(
    changed === 0 ? 'all pages are what the code says' : `${changed} pages have changed: look at them, and commit them`,
  );
}

/** @returns {Promise<typeof import('./pages.ts')>} */
async function loadPages() {
  const directory = join(ROOT, '.nodemesh', 'docs');
  await mkdir(directory, { recursive: true });
  const outfile = join(directory, `pages-${process.pid}.mjs`);
  // Only now: before the set-up there may be no packages at all.
  const esbuild = await import('esbuild');
  try {
    await esbuild.build({
      entryPoints: [join(ROOT, 'test/docs/pages.ts')],
      outfile,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'warning',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await esbuild.stop();
    await rm(outfile, { force: true });
  }
}

/** @param {string} path */
async function textOf(path) {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}
