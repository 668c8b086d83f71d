/**
 * `npm run simulate`: the framework's core against a model of Mesos, ZooKeeper and the proxies in which everything goes wrong.
 * The table of what happened goes to standard output; a seed that fails ends it, with the one command that repeats it.
 */
import { say } from '../../dcos-package/build/progress.mjs';
import { ROOT, setUp } from '../../dcos-package/build/set-up.mjs';
import { loadSimulation } from './bundle.mjs';
import { parseOptions, USAGE } from './options.mjs';

/** With fewer seeds than this, that something never happened says nothing. */
const ENOUGH_SEEDS = 500;
const SAY_EVERY = 100;

/** @param {readonly string[]} words */
export async function main(words) {
  const { help, seeds, from } = parseOptions(words);
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  await setUp({ root: ROOT, build: false });
  const { runSeeds, EXPECTED } = await loadSimulation();
  const esbuild = await import('esbuild');
  await esbuild.stop();
  const before = process.cpuUsage();
  const run = runSeeds({
    from,
    seeds,
    done: ({ seed }) => {
      if ((seed - from + 1) % SAY_EVERY === 0) say(`${seed - from + 1} of ${seeds} seeds`);
    },
  });
  const { user, system } = process.cpuUsage(before);
  const { failure, tally } = run;
  if (failure !== null) {
    process.stdout.write(`${failure.violation?.lines.join('\n')}\n\n${failure.violation?.what}\n`);
    process.stdout.write(`seed ${failure.seed} fails: npm run simulate -- --from ${failure.seed} --seeds 1\n`);
    process.exitCode = 1;
    return;
  }
  process.stdout.write(`${tally.table(EXPECTED)}\n\n`);
  const seconds = ((user + system) / 1e6).toFixed(1);
  process.stdout.write(
    `${run.seeds} seeds, ${run.steps} steps in bad times (at least ${run.leastSteps} in a seed, and ${run.leastFaultKinds} ` +
      `kinds of fault), ${seconds} s of CPU\n`,
  );
  const missing = tally.missing(EXPECTED);
  if (missing.length === 0) return;
  process.stdout.write(`never happened:\n${missing.map((one) => `  ${one}\n`).join('')}`);
  if (seeds >= ENOUGH_SEEDS) process.exitCode = 1;
}
