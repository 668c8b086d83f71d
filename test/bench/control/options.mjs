/** The command line of `npm run bench:control`. */
import { parseArgs } from 'node:util';
import { SetUpError } from '../../../dcos-package/build/progress.mjs';

export const USAGE = [
  'Usage: npm run bench:control -- [options]',
  '',
  'One scheduler and thousands of simulated proxies: how fast a change reaches them all, and how all of them come back at',
  'once. Exit code 1 when a limit is broken.',
  '',
  '  --proxies N    many (default 10000); a run with 100 goes before',
  '  --processes N  that the proxies are shared among (default 4)',
  '  --apps N       of Marathon (default 1000)',
  '  --tasks N      of each app (default 10)',
  '  --runs N       their median counts (default 5)',
  '  --changes N    of Marathon in each run (default 20)',
  '  --json         the result as JSON on standard output',
  '  --help         this text',
].join('\n');

/**
 * @typedef {object} Options
 * @property {boolean} help
 * @property {number} proxies
 * @property {number} processes
 * @property {number} apps
 * @property {number} tasks
 * @property {number} runs
 * @property {number} changes
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
    proxies: count('--proxies', values.proxies ?? '10000', 100),
    processes: count('--processes', values.processes ?? '4', 1),
    apps: count('--apps', values.apps ?? '1000', 1),
    tasks: count('--tasks', values.tasks ?? '10', 1),
    runs: count('--runs', values.runs ?? '5', 1),
    changes: count('--changes', values.changes ?? '20', 1),
    json: values.json === true,
  };
}

/** @param {readonly string[]} words */
function valuesOf(words) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        proxies: { type: 'string' },
        processes: { type: 'string' },
        apps: { type: 'string' },
        tasks: { type: 'string' },
        runs: { type: 'string' },
        changes: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SetUpError(`${why}; see npm run bench:control -- --help`, 2);
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
    `${name} ${text} is not a whole number from ${least} on; see npm run bench:control -- --help`,
    2,
  );
}
