/**
 * `npm run check`: format and lint, types, dependency rules, dead code. Its parts run side by side; each gets one line,
 * and every part that found something shows all of it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../dcos-package/build/child.mjs';
import { SetUpError, secondsSince } from '../../dcos-package/build/progress.mjs';
import { ROOT, setUp } from '../../dcos-package/build/set-up.mjs';

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {readonly string[]} command
 */

const DASHBOARD = 'scheduler/dashboard/tsconfig.json';

/**
 * @param {string} root
 * @returns {readonly Part[]}
 */
function parts(root) {
  const tool = (/** @type {string} */ name) => join(root, 'node_modules', '.bin', name);
  return [
    { name: 'format and lint', command: [tool('biome'), 'check', '--error-on-warnings', '--max-diagnostics=200', '.'] },
    { name: 'types', command: [tool('tsc'), '--project', '.'] },
    ...(existsSync(join(root, DASHBOARD))
      ? [{ name: 'types of the dashboard', command: [tool('tsc'), '--noEmit', '--project', DASHBOARD] }]
      : []),
    { name: 'dependency rules', command: [process.execPath, join(root, 'test/rules/check-imports.mjs')] },
    { name: 'dead code', command: [tool('knip'), '--config', '.knip.json', '--no-progress'] },
  ];
}

/**
 * @param {string} root
 * @returns {Promise<boolean>} whether all is well
 */
export async function check(root) {
  const runs = parts(root).map(async ({ name, command: [program = '', ...words] }) => {
    const since = performance.now();
    const { code, output } = await run(program, words, { cwd: root, output: 'collect' });
    const verdict = code === 0 ? 'ok' : `failed (exit code ${code})`;
    process.stdout.write(`check: ${name}: ${verdict}, ${secondsSince(since)}\n`);
    return { name, code, output };
  });
  const failed = (await Promise.all(runs)).filter((result) => result.code !== 0);
  for (const { name, output } of failed) process.stdout.write(`\n--- ${name} ---\n${output.trim()}\n`);
  return failed.length === 0;
}

/** @param {readonly string[]} words */
export async function main(words) {
  if (words.length > 0) throw new SetUpError(`npm run check takes no words, and got '${words.join(' ')}'`, 2);
  await setUp({ root: ROOT, build: false });
  if (!(await check(ROOT))) process.exitCode = 1;
}
