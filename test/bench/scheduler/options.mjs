/** The command line of `npm run bench:scheduler`. */
import { parseArgs } from 'node:util';
import { SetUpError } from '../../../dcos-package/build/progress.mjs';

export const USAGE = [
  'Usage: npm run bench:scheduler -- [options]',
  '',
  'What events cost the decision core, with many agents and with a tenth of them. Exit code 1 when a limit is broken.',
  '',
  '  --agents N   many (default 10000)',
  '  --runs N     of each size; their median counts (default 5)',
  '  --seed N     of the first run (default 1); each further run has the next one',
  '  --json       the result as JSON on standard output',
  '  --help       this text',
].join('\n');

/**
 * @typedef {object} Options
 * @property {boolean} help
 * @property {number} agents
 * @property {number} runs
 * @property {number} seed
 * @property {boolean} json
 */

/**
 * @param {readonly string[]} words
 * @returns {Options}
 * @throws a SetUpError with exit code 2 for what is not understood
 */
export function parseOptions(words) {
  const values = valuesOf(words);
  return {
    help: values.help === true,
    agents: count('--agents', values.agents ?? '10000', 100),
    runs: count('--runs', values.runs ?? '5', 1),
    seed: count('--seed', values.seed ?? '1', 0),
    json: values.json === true,
  };
}

/** @param {readonly string[]} words */
function valuesOf(words) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        agents: { type: 'string' },
        runs: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SetUpError(`${why}; see npm run bench:scheduler -- --help`, 2);
  }
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} least
 */
function count(name, text, least) {
  if (/^\d{1,7}$/.test(text) && Number(text) >= least) return Number(text);
  throw new SetUpError(
    `${name} ${text} is not a whole number from ${least} on; see npm run bench:scheduler -- --help`,
    2,
  );
}
