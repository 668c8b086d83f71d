/** The command line of `npm run fuzz`. */
import { parseArgs } from 'node:util';
import { SetUpError } from '../../dcos-package/build/progress.mjs';

export const USAGE = [
  'Usage: npm run fuzz -- [options]',
  '',
  '  --seconds N   how long it looks for a fault (default 60)',
  '  --seed N      what it tries follows from this number (default: another one each time; it is printed)',
  '  --help        this text',
].join('\n');

/**
 * @typedef {object} Options
 * @property {boolean} help
 * @property {number} seconds
 * @property {number | null} seed null: any
 */

/**
 * @param {readonly string[]} words
 * @returns {Options}
 * @throws a SetUpError with exit code 2 for what is not understood
 */
export function parseOptions(words) {
  const { help, seconds, seed } = valuesOf(words);
  return {
    help: help === true,
    seconds: whole('--seconds', seconds ?? '60'),
    seed: seed === undefined ? null : whole('--seed', seed),
  };
}

/** @param {readonly string[]} words */
function valuesOf(words) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: { seconds: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean' } },
    });
    return values;
  } catch (error) {
    throw new SetUpError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, 2);
  }
}

/**
 * @param {string} option
 * @param {string} text
 */
function whole(option, text) {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new SetUpError(`${option} takes a whole number from 1 on, not ${text}`, 2);
}
