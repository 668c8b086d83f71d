/** Node.js 20 does not run TypeScript, so a tool of the tests and all that it uses become one file first. */
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

/**
 * Bundles `entry` into `directory`, and removes the file when `work` is done with it.
 *
 * @template T
 * @param {string} entry path of a TypeScript file
 * @param {string} directory made if need be
 * @param {(bundle: string) => Promise<T>} work
 * @param {Pick<import('esbuild').BuildOptions, 'define'>} [special]
 * @returns {Promise<T>}
 */
export async function withBundle(entry, directory, work, special = {}) {
  await mkdir(directory, { recursive: true });
  const outfile = join(directory, `${basename(entry, '.ts')}-${process.pid}.mjs`);
  // Only now: before the set-up there may be no packages at all.
  const esbuild = await import('esbuild');
  try {
    await esbuild.build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      // CommonJS dependencies `require` Node's own modules, which an ES module has no function for.
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      logLevel: 'warning',
      ...special,
    });
    return await work(outfile);
  } finally {
    await esbuild.stop();
    await rm(outfile, { force: true });
  }
}
