/** The words of `npm run simulate`. */
import { parseArgs } from 'node:util';
import { SetUpError } from '../../dcos-package/build/progress.mjs';

export const USAGE = `usage: npm run simulate -- [--seeds N] [--from N]
  --seeds N   so many seeds, one after the other (default 1000)
  --from N    the first of them (default 1)`;

/**
 * @param {readonly string[]} words
 * @returns {{ help: boolean, seeds: number, from: number }}
 */
export function parseOptions(words) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: { seeds: { type: 'string' }, from: { type: 'string' }, help: { type: 'boolean' } },
    });
    const { seeds = '1000', from = '1', help = false } = values;
    return { help, seeds: whole('--seeds', seeds), from: whole('--from', from) };
  } catch (error) {
    throw new SetUpError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, 2);
  }
}

/**
 * @param {string} option
 * @param {string} text
 */
function whole(option, text) {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`${option} takes a whole number from 1 on, not '${text}'`);
  return number;
}
