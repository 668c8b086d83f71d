/**
 * Finds the module behind an npm script, runs it in this very process (so that its pid is the one that people see and
 * signal), and turns what it throws into one line and an exit code.
 */
'use strict';

/** @type {Record<string, () => Promise<{ main(words: readonly string[]): Promise<void> }>>} */
const SCRIPTS = {
  start: () => import('./start.mjs'),
  build: () => import('./build.mjs'),
  package: () => import('./package.mjs'),
  'package:check': () => import('./package-check.mjs'),
  'package:proxy': () => import('./package-proxy.mjs'),
  check: () => import('../../test/setup/check.mjs'),
  test: () => import('../../test/setup/test.mjs'),
  bench: () => import('../../test/bench/main.mjs'),
  'bench:scheduler': () => import('../../test/bench/scheduler/main.mjs'),
  'bench:control': () => import('../../test/bench/control/main.mjs'),
  'test:mesos': () => import('../../test/mesos/main.mjs'),
  soak: () => import('../../test/soak/main.mjs'),
  fuzz: () => import('../../test/fuzz/main.mjs'),
  docs: () => import('../../test/docs/main.mjs'),
  simulate: () => import('../../test/simulation/main.mjs'),
};

/**
 * @param {string | undefined} name
 * @param {readonly string[]} words
 * @returns {Promise<void>}
 */
async function load(name, words) {
  const script = name !== undefined && Object.hasOwn(SCRIPTS, name) ? SCRIPTS[name] : undefined;
  if (script === undefined) {
    process.stderr.write(`usage: npm start, npm test, or npm run ${Object.keys(SCRIPTS).join('|')}\n`);
    process.exitCode = 2;
    return;
  }
  try {
    const module = await script();
    await module.main(words);
  } catch (error) {
    process.stderr.write(`nodemesh: ${describe(error)}\n`);
    process.exitCode = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : 1;
  }
}

/**
 * Faults that people can mend carry an `exitCode`, or are the system's own (a full disk, a missing permission), and need
 * no stack trace; the others are our bugs and do.
 *
 * @param {unknown} error
 * @returns {string}
 */
function describe(error) {
  if (!(error instanceof Error)) return String(error);
  return 'exitCode' in error || 'syscall' in error ? error.message : (error.stack ?? error.message);
}

exports.load = load;
