/**
 * Installs the dependencies that the lockfile names, unless node_modules already holds exactly these.
 */
import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './child.mjs';
import { SetUpError, say, secondsSince } from './progress.mjs';
import { digestOf, hasCode, isStamped, stamp } from './stamp.mjs';

/**
 * @param {string} root
 * @returns {Promise<'installed' | 'up to date'>}
 */
export async function installDependencies(root) {
  // `npm ci` empties node_modules first, so the stamp goes with what it vouches for.
  const stampFile = join(root, 'node_modules', '.nodemesh-install');
  const facts = [process.version, process.platform, process.arch];
  const digest = await digestOf(root, ['package-lock.json'], facts);
  if (await isStamped(stampFile, digest)) return 'up to date';

  await refuseLink(join(root, 'node_modules'));
  say('installing the dependencies (npm ci; only when the lockfile or Node.js changes) …');
  const since = performance.now();
  // engine-strict guards `npm install`. Here it would only refuse what runs: odd releases of Node.js that a test tool
  // does not list.
  const options = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error', '--engine-strict=false'];
  const [program, ...words] = npmCommand();
  const { code, output } = await run(program, [...words, 'ci', ...options], { cwd: root, output: 'stderr' });
  if (code !== 0) {
    const why = output.trim() === '' ? 'npm says why above' : output.trim();
    throw new SetUpError(
      `the dependencies could not be installed (npm ci: exit code ${code}): ${why}; is the package registry reachable?`,
    );
  }
  await stamp(stampFile, digest);
  say(`dependencies installed in ${secondsSince(since)}`);
  return 'installed';
}

/**
 * `npm ci` would empty the directory behind the link, which belongs to somebody else.
 *
 * @param {string} directory
 */
async function refuseLink(directory) {
  try {
    if (!(await lstat(directory)).isSymbolicLink()) return;
    const target = await realpath(directory);
    throw new SetUpError(
      `${directory} is a link to ${target}, which holds other dependencies than package-lock.json and this Node.js ${process.version} want; install there, or remove the link and run the command again`,
    );
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/**
 * The npm that runs this script, where one does; else the one on the path.
 *
 * @returns {[string, ...string[]]}
 */
export function npmCommand() {
  const npm = process.env['npm_execpath'];
  return npm?.endsWith('npm-cli.js') ? [process.execPath, npm] : ['npm'];
}
