/**
 * `npm run soak`: the local cluster under load, with everything in it failing at random. What happens goes to standard
 * error, the result to standard output.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SetUpError, say } from '../../dcos-package/build/progress.mjs';
import { ROOT, setUp } from '../../dcos-package/build/set-up.mjs';
import { withBundle } from '../setup/with-bundle.mjs';
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
 * A fixture finds the built command by its own place, which therefore stays what it was.
 *
 * @returns {Promise<typeof import('./soak.ts')>}
 */
function load() {
  const entry = join(ROOT, 'test/soak/soak.ts');
  const define = { 'import.meta.dirname': JSON.stringify(join(ROOT, 'test', 'fixtures')) };
  return withBundle(entry, join(ROOT, '.nodemesh', 'soak'), (bundle) => import(pathToFileURL(bundle).href), { define });
}
