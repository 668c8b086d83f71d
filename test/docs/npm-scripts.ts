/** The npm scripts and their options, from package.json and the sources: what a script takes stands in its own `parseArgs`. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../../dcos-package/build/set-up.mjs';

const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const SHORT = ['start', 'test'];

/** What is wrong with `npm <words>`; null: nothing, or nothing that can be told from here. */
export function npmFaultOf(words: readonly string[]): string | null {
  const [verb, ...rest] = words;
  const name = verb === 'run' ? rest.shift() : verb;
  if (name === undefined || (verb !== 'run' && !SHORT.includes(name))) return null;
  if (!Object.hasOwn(scripts, name)) return `there is no script ${name}; there are ${Object.keys(scripts).join(', ')}`;
  const [dashes, ...given] = rest;
  if (dashes !== undefined && dashes !== '--') return `npm itself would take ${dashes}; put -- before it`;
  const known = optionsOf(name);
  if (known === null) return null;
  // What stands behind another -- is for somebody else.
  const own = given.includes('--') ? given.slice(0, given.indexOf('--')) : given;
  const unknown = own.find((word) => /^--[a-z]/.test(word) && !known.includes(word.replace(/^--(?:no-)?|=.*$/g, '')));
  if (unknown === undefined) return null;
  return `npm run ${name} has no option ${unknown}; it has ${known.map((option) => `--${option}`).join(', ')}`;
}

/** Null where the script does not read options by `parseArgs`. */
function optionsOf(script: string): readonly string[] | null {
  const load = readFileSync(join(ROOT, 'dcos-package/build/load.cjs'), 'utf8');
  const [, path] = new RegExp(`'?${script}'?: \\(\\) => import\\('([^']+)'\\)`).exec(load) ?? [];
  if (path === undefined) return null;
  const file = join(ROOT, 'dcos-package/build', path);
  const sources = [file, join(dirname(file), 'options.mjs')].filter((each) => existsSync(each));
  const options = sources.flatMap((source) =>
    [...readFileSync(source, 'utf8').matchAll(/'?([a-z][a-z-]*)'?: \{ type: '(?:string|boolean)'/g)].map(
      ([, option = '']) => option,
    ),
  );
  return options.length === 0 ? null : options;
}
