/**
 * `npm run soak`: the local cluster under load, with everything in it failing at random. What happens goes to standard
 * error, the result to standard output.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SetUpError, say } from '../../dcos-package/build/progress.mjs';
import { ROOT, setUp } from '../../dcos-package/build/set-up.mjs';
import { parseOptions, USAGE } from './options.mjs';
import { broken, report } from './report.mjs';

/** @param {readonly string[]} words */
export async function main(words) {
  const options = parseOptions(words);
  if (options === null) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  await setUp({ root: ROOT, build: true });
  const { soak } = await load();
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const result = await soak(options, { signal: interruption.signal, say: (line) => say(`soak: ${line}`) });
    process.stdout.write(`${options.json ? JSON.stringify(result, null, 2) : report(result)}\n`);
    const promises = broken(result);
    if (promises.length > 0) throw new SetUpError(promises.map((line) => `soak: ${line}`).join('\n'));
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/**
 * Node.js 20 does not run TypeScript, so the soak becomes one file first. A fixture finds the built command by its own
 * place, which therefore stays what it was.
 *
 * @returns {Promise<typeof import('./soak.ts')>}
 */
async function load() {
  const directory = join(ROOT, '.nodemesh', 'soak');
  await mkdir(directory, { recursive: true });
  const outfile = join(directory, `soak-${process.pid}.mjs`);
  // Only now: before the set-up there may be no packages at all.
  const esbuild = await import('esbuild');
  try {
    await esbuild.build({
      entryPoints: [join(ROOT, 'test/soak/soak.ts')],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      define: { 'import.meta.dirname': JSON.stringify(join(ROOT, 'test', 'fixtures')) },
      // CommonJS dependencies `require` Node's own modules, which an ES module has no function for.
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      logLevel: 'warning',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await esbuild.stop();
    await rm(outfile, { force: true });
  }
}
