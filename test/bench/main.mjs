/**
 * `npm run bench`: nodemesh beside HAProxy, nginx and a bare `node:http` proxy, each in turn on the same core. What it
 * is doing goes to standard error, the result to standard output.
 */
import { join, resolve } from 'node:path';
import { say } from '../../dcos-package/build/progress.mjs';
import { ROOT, setUp } from '../../dcos-package/build/set-up.mjs';
import { BENCH_NEEDS, ensureSystemPackages } from '../setup/system-packages.mjs';
import { allowedCpus, assignCores, moveTo } from './cores.mjs';
import { contest } from './kinds/contest.mjs';
import { disturbance } from './kinds/disturbance.mjs';
import { halfRate } from './kinds/half-rate.mjs';
import { slowInstance } from './kinds/slow-instance.mjs';
import { soak } from './kinds/soak.mjs';
import { judge } from './lines.mjs';
import { describeMachine } from './machine.mjs';
import { parseOptions, USAGE } from './options.mjs';
import { configurationsOf } from './print-configs.mjs';
import { Stage } from './processes/stage.mjs';
import { proxiesNamed } from './proxies/index.mjs';
import { report } from './report.mjs';

/** @param {readonly string[]} words */
export async function main(words) {
  const options = parseOptions(words);
  const dist = resolve(options.dist ?? join(ROOT, 'dist'));
  const proxies = proxiesNamed(options.proxies);
  if (options.action === 'help') process.stdout.write(`${USAGE}\n`);
  else if (options.action === 'print-configs') process.stdout.write(configurationsOf(proxies, dist));
  else await run(options, proxies, dist);
}

/**
 * @param {import('./options.mjs').Options} options
 * @param {readonly import('./types.ts').ProxyForm[]} proxies
 * @param {string} dist
 */
async function run(options, proxies, dist) {
  await setUp({ root: ROOT, build: options.dist === null });
  await ensureSystemPackages({ needs: BENCH_NEEDS, purpose: 'the bench' });
  const cores = assignCores(allowedCpus());
  if (cores.proxy === cores.clients) say('there is one CPU only: proxies share it with clients and backend');
  moveTo(cores.clients);
  for (const { name, what } of proxies) say(`${name}: ${what}`);
  say('their configurations: npm run bench -- --print-configs');

  const stage = await Stage.open();
  const endBySignal = () => stage.close().finally(() => process.exit(130));
  process.once('SIGINT', endBySignal).once('SIGTERM', endBySignal);
  /** @type {string[]} */
  const notes = [];
  const note = (/** @type {string} */ line) => {
    if (notes.includes(line)) return;
    say(line);
    notes.push(line);
  };
  const { rounds, seconds } = options;
  const context = { stage, cores, rounds, seconds, dist, proxies, say, note };
  /** @type {import('./types.ts').Row[]} */
  const rows = [];
  /** @type {Record<string, number>} */
  const figures = {};
  try {
    for (const scenario of options.scenarios) {
      say(`${scenario.name}: ${scenario.what}`);
      const outcome = await measure(context, scenario);
      rows.push(...outcome.rows);
      Object.assign(figures, outcome.figures);
    }
  } finally {
    process.off('SIGINT', endBySignal).off('SIGTERM', endBySignal);
    await stage.close();
  }
  const result = { machine: describeMachine(cores), rounds, rows, lines: judge({ rows, figures }), notes };
  process.stdout.write(`${options.json ? JSON.stringify(result, null, 2) : report(result)}\n`);
}

/**
 * @param {import('./entrant.mjs').Context} context
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @returns {Promise<import('./types.ts').Outcome>}
 */
async function measure(context, scenario) {
  switch (scenario.kind) {
    case 'contest':
      return await contest(context, scenario);
    case 'half-rate':
      return await halfRate(context, scenario);
    case 'disturbance':
      return await disturbance(context, scenario);
    case 'slow-instance':
      return await slowInstance(context, scenario);
    case 'soak':
      return await soak(context, scenario);
  }
}
