/**
 * `npm run bench:control`: the built scheduler with thousands of simulated proxies, and with a hundred. What it is doing goes to
 * standard error, the result to standard output.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { run } from '../../../dcos-package/build/child.mjs';
import { SetUpError, say } from '../../../dcos-package/build/progress.mjs';
import { ROOT, setUp } from '../../../dcos-package/build/set-up.mjs';
import { withBundle } from '../../setup/with-bundle.mjs';
import { parseOptions, USAGE } from './options.mjs';
import { report } from './report.mjs';
import { judge } from './verdicts.mjs';

const FEW = 100;
/** Besides the streams: reports, files, Marathon. */
const OTHER_FILES = 500;

/** @param {readonly string[]} words */
export async function main(words) {
  const { help, proxies, processes, json, ...rest } = parseOptions(words);
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  requireFiles(proxies + OTHER_FILES);
  await setUp({ root: ROOT, build: true });
  const settings = { ...rest, command: join(ROOT, 'dist', 'nodemesh.mjs') };
  const entry = join(ROOT, 'test/bench/control/run.ts');
  const { few, many } = await withBundle(entry, join(ROOT, '.nodemesh', 'bench'), async (bundle) => ({
    few: await measure(bundle, { ...settings, proxies: FEW, processes: 1, reconnect: false }),
    many: await measure(bundle, { ...settings, proxies, processes, reconnect: true }),
  }));
  const verdicts = judge(few, many);
  const result = { node: process.version, few, many, verdicts };
  process.stdout.write(`${json ? JSON.stringify(result, null, 2) : report([few, many], verdicts)}\n`);
  const broken = verdicts.filter(({ holds }) => !holds).map(({ what }) => what);
  if (broken.length > 0) throw new SetUpError(`bench:control: over the limit: ${broken.join(', ')}`);
}

/**
 * @param {string} bundle
 * @param {import('./measure.ts').Settings} settings
 * @returns {Promise<import('./measure.ts').Result>}
 */
async function measure(bundle, settings) {
  const words = [bundle, 'run', JSON.stringify(settings)];
  const { code, output } = await run(process.execPath, words, { cwd: ROOT, output: 'collect' });
  if (code !== 0) throw new Error(`a run with ${settings.proxies} proxies ended with exit code ${code}:\n${output}`);
  /** @type {import('./measure.ts').Result} */
  const result = JSON.parse(output);
  say(`${settings.proxies} proxies: p99 of the runs ${result.runs.map(({ p99Ms }) => p99Ms.toFixed(0)).join(', ')} ms`);
  return result;
}

/**
 * The scheduler has a file descriptor for each stream.
 *
 * @param {number} files
 */
function requireFiles(files) {
  const limit = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  if (limit === 'unlimited' || Number(limit) >= files) return;
  throw new SetUpError(
    `a process may have ${limit} files open here (RLIMIT_NOFILE), and the scheduler needs ${files}: raise it with ulimit -n ${files}, or measure fewer with --proxies`,
    2,
  );
}
