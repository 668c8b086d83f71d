/**
 * What every npm script does first: dependencies and, where wanted, the build; each skipped when it is up to date.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from './install.mjs';
import { withLock } from './lock.mjs';
import { SetUpError, say, secondsSince } from './progress.mjs';
import { digestOf, hasCode, isStamped, stamp } from './stamp.mjs';

/** The root of the checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** All that the built files are made from: the parts, the build itself, and the versions of what is bundled. */
const SOURCES = [
  'nodemesh.ts',
  'agent-proxy',
  'framework',
  'local-cluster',
  'scheduler',
  'dcos-package/build',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

/** Where the digest of the sources is kept: in the built directory, so that both come and go together. */
const BUILD_STAMP = '.nodemesh-build';

/**
 * @typedef {object} SetUp
 * @property {string} root
 * @property {boolean} build whether the built files are wanted too
 */

/**
 * @typedef {object} Outcome
 * @property {'installed' | 'up to date'} dependencies
 * @property {'built' | 'up to date' | 'not wanted'} build
 */

/**
 * @param {SetUp} wanted
 * @returns {Promise<Outcome>}
 */
export async function setUp({ root, build }) {
  const lock = join(root, '.nodemesh', 'set-up.lock');
  return await withLock(
    lock,
    async () => ({
      dependencies: await installDependencies(root),
      build: build ? await buildUnlessUpToDate(root) : 'not wanted',
    }),
    say,
  );
}

/**
 * @param {string} root
 * @returns {Promise<'built' | 'up to date'>}
 */
async function buildUnlessUpToDate(root) {
  const digest = await digestOf(root, SOURCES);
  const stampFile = join(root, 'dist', BUILD_STAMP);
  // Loaded late: its dependencies are there only after the installation.
  const { bundle, missingOutputs } = await loadBundler();
  if ((await isStamped(stampFile, digest)) && (await missingOutputs(root)).length === 0) return 'up to date';
  say('building dist/ …');
  const since = performance.now();
  await bundle(root, (directory) => stamp(join(directory, BUILD_STAMP), digest));
  say(`built in ${secondsSince(since)}`);
  return 'built';
}

async function loadBundler() {
  try {
    return await import('./bundle.mjs');
  } catch (error) {
    if (hasCode(error, 'ERR_MODULE_NOT_FOUND')) {
      throw new SetUpError('node_modules is not whole; remove it (rm -r node_modules) and run the command again');
    }
    throw error;
  }
}
