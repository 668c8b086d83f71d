/**
 * The simulation and the core as one file: Node.js 20 does not run TypeScript. A bug may be planted on the way: a text of one
 * source file is replaced by another, so that production code knows nothing of it.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../dcos-package/build/set-up.mjs';

/**
 * @typedef {object} Change
 * @property {string} file from the root of the checkout
 * @property {string} from must be in the file exactly once
 * @property {string} to
 */

/**
 * @param {readonly Change[]} changes
 * @returns {Promise<typeof import('./seeds.ts')>}
 */
export async function loadSimulation(changes = []) {
  const directory = join(ROOT, '.nodemesh', 'simulation');
  await mkdir(directory, { recursive: true });
  const name = changes.length === 0 ? 'core' : `changed-${Math.random().toString(36).slice(2)}`;
  const outfile = join(directory, `${name}-${process.pid}.mjs`);
  // Only now: before the set-up there may be no packages at all.
  const esbuild = await import('esbuild');
  try {
    await esbuild.build({
      entryPoints: [join(ROOT, 'test/simulation/seeds.ts')],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'warning',
      plugins: [planting(changes)],
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(outfile, { force: true });
  }
}

/**
 * @param {readonly Change[]} changes
 * @returns {import('esbuild').Plugin}
 */
function planting(changes) {
  return {
    name: 'planted-bugs',
    setup({ onLoad, onEnd }) {
      const done = new Set();
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const here = changes.filter(({ file }) => path === join(ROOT, file));
        if (here.length === 0) return undefined;
        let contents = await readFile(path, 'utf8');
        for (const change of here) {
          const { file, from, to } = change;
          if (contents.split(from).length !== 2) throw new Error(`${file} does not have this exactly once:\n${from}`);
          contents = contents.replace(from, () => to);
          done.add(change);
        }
        return { contents, loader: 'ts' };
      });
      onEnd(() => {
        for (const change of changes)
          if (!done.has(change)) throw new Error(`${change.file} is no part of the simulation`);
      });
    },
  };
}
