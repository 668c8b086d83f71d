/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import { SetUpError } from '../../dcos-package/build/progress.mjs';
import { SCENARIOS } from './scenarios.mjs';

export const USAGE = [
  'Usage: npm run bench -- [options]',
  '',
  '  --scenario NAME   one scenario, or several with commas; all; short (default: short, less than 5 minutes)',
  '  --rounds N        rounds of each scenario (default 3)',
  '  --seconds N       of one measurement (default 5)',
  '  --proxy NAME      only these proxies, with commas; what they are compared with has to be among them. Only here:',
  '                    forwarder, what the kernel costs any proxy (needs a C compiler)',
  '  --json            the result as JSON on standard output',
  '  --dist DIR        the built files to measure, as they are (default: dist/, built first where it is not up to date)',
  '  --print-configs   write the configurations of all proxies and end',
  '  --help            this text',
  '',
  'Scenarios (* in short):',
  ...SCENARIOS.map(({ name, what, isShort }) => `  ${isShort ? '*' : ' '} ${name.padEnd(18)} ${what}`),
].join('\n');

/**
 * @typedef {object} Options
 * @property {'run' | 'print-configs' | 'help'} action
 * @property {readonly import('./scenarios.mjs').Scenario[]} scenarios
 * @property {number} rounds
 * @property {number} seconds
 * @property {readonly string[] | null} proxies null: all
 * @property {boolean} json
 * @property {string | null} dist
 */

/**
 * @param {readonly string[]} words
 * @returns {Options}
 * @throws a SetUpError with exit code 2 for what is not understood
 */
export function parseOptions(words) {
  const values = valuesOf(words);
  return {
    action: values.help ? 'help' : values['print-configs'] ? 'print-configs' : 'run',
    scenarios: scenariosNamed(values.scenario ?? 'short'),
    rounds: count('--rounds', values.rounds ?? '3'),
    seconds: count('--seconds', values.seconds ?? '5'),
    proxies: values.proxy?.split(',') ?? null,
    json: values.json === true,
    dist: values.dist ?? null,
  };
}

/** @param {readonly string[]} words */
function valuesOf(words) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        scenario: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        proxy: { type: 'string' },
        json: { type: 'boolean' },
        dist: { type: 'string' },
        'print-configs': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    throw new SetUpError(`${error instanceof Error ? error.message : String(error)}; see npm run bench -- --help`, 2);
  }
}

/** @param {string} names */
function scenariosNamed(names) {
  if (names === 'all') return SCENARIOS;
  if (names === 'short') return SCENARIOS.filter((scenario) => scenario.isShort);
  return names.split(',').map((name) => {
    const scenario = SCENARIOS.find((each) => each.name === name);
    if (scenario === undefined) {
      const known = SCENARIOS.map((each) => each.name).join(', ');
      throw new SetUpError(`--scenario: there is no '${name}'; there are ${known}, all and short`, 2);
    }
    return scenario;
  });
}

/**
 * @param {string} option
 * @param {string} text
 */
function count(option, text) {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new SetUpError(`${option}: '${text}' is not a number from 1 to 9999`, 2);
  return Number(text);
}
