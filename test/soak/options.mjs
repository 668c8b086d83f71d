/** The command line of `npm run soak`. */
import { parseArgs } from 'node:util';
import { SetUpError } from '../../dcos-package/build/progress.mjs';

export const USAGE = [
  'Usage: npm run soak -- [options]',
  '',
  'The local cluster under load, with everything in it failing at random. Exit code 1 when a promise is broken.',
  '',
  '  --minutes N   how long (default 10)',
  '  --seed N      of the dice (default: another one each time)',
  '  --agents N    (default 4)',
  '  --rps N       requests a second, of each of the two loads (default 50)',
  '  --json        the result as JSON on standard output',
  '  --help        this text',
].join('\n');

/**
 * @param {readonly string[]} words
 * @returns {(import('./types.ts').Options & { json: boolean }) | null} null: help is wanted
 * @throws a SetUpError with exit code 2 for what is not understood
 */
export function parseOptions(words) {
  const values = valuesOf(words);
  if (values.help) return null;
  return {
    minutes: number('--minutes', values.minutes ?? '10', 0.1, 1440),
    seed: values.seed === undefined ? 1 + Math.floor(Math.random() * 1e6) : number('--seed', values.seed, 0, 2 ** 31),
    agents: Math.round(number('--agents', values.agents ?? '4', 2, 50)),
    rps: number('--rps', values.rps ?? '50', 1, 2000),
    json: values.json === true,
  };
}

/** @param {readonly string[]} words */
function valuesOf(words) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        minutes: { type: 'string' },
        seed: { type: 'string' },
        agents: { type: 'string' },
        rps: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    throw new SetUpError(`${error instanceof Error ? error.message : String(error)}; see npm run soak -- --help`, 2);
  }
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} least
 * @param {number} most
 */
function number(name, text, least, most) {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new SetUpError(`${name} ${text} is not a number from ${least} to ${most}; see npm run soak -- --help`, 2);
}
