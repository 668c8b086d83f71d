/**
 * `npm run bench:scheduler`: the decision core with 10,000 agents of a model, and with 1,000, each run in a process of its
 * own. What it is doing goes to standard error, the result to standard output.
 */
import { join } from 'node:path';
import { run } from '../../../dcos-package/build/child.mjs';
import { SetUpError, say } from '../../../dcos-package/build/progress.mjs';
import { ROOT, setUp } from '../../../dcos-package/build/set-up.mjs';
import { withBundle } from '../../setup/with-bundle.mjs';
import { parseOptions, USAGE } from './options.mjs';
import { report } from './report.mjs';
import { judge } from './verdicts.mjs';

/** @param {readonly string[]} words */
export async function main(words) {
  const { help, agents, runs, seed, json } = parseOptions(words);
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  await setUp({ root: ROOT, build: false });
  const entry = join(ROOT, 'test/bench/scheduler/run.ts');
  const { few, many } = await withBundle(entry, join(ROOT, '.nodemesh', 'bench'), async (bundle) => {
    /** @type {import('./scenario.ts').Result[]} */
    const few = [];
    /** @type {import('./scenario.ts').Result[]} */
    const many = [];
    // In turn, so that both sizes see the same machine.
    for (let index = 0; index < runs; index += 1) {
      few.push(await measure(bundle, Math.round(agents / 10), seed + index));
      many.push(await measure(bundle, agents, seed + index));
    }
    return { few, many };
  });
  const verdicts = judge(few, many);
  const result = { node: process.version, few, many, verdicts };
  process.stdout.write(`${json ? JSON.stringify(result, null, 2) : report(few, many, verdicts)}\n`);
  const broken = verdicts.filter(({ holds }) => !holds).map(({ what }) => what);
  if (broken.length > 0) throw new SetUpError(`bench:scheduler: over the limit: ${broken.join(', ')}`);
}

/**
 * @param {string} bundle
 * @param {number} agents
 * @param {number} seed
 * @returns {Promise<import('./scenario.ts').Result>}
 */
async function measure(bundle, agents, seed) {
  // As a scheduler is started: a smaller space for young objects makes the longest pause shorter (docs/performance.md).
  const words = ['--expose-gc', '--max-semi-space-size=4', bundle, String(agents), String(seed)];
  const { code, output } = await run(process.execPath, words, { cwd: ROOT, output: 'collect' });
  if (code !== 0) throw new Error(`a run with ${agents} agents ended with exit code ${code}:\n${output}`);
  /** @type {import('./scenario.ts').Result} */
  const result = JSON.parse(output);
  const { all } = result;
  say(
    `${agents} agents, seed ${seed}: ${all.count} events, mean ${all.mean.toFixed(4)} ms, p99 ${all.p99.toFixed(2)} ms, longest ${all.max.toFixed(1)} ms`,
  );
  return result;
}
