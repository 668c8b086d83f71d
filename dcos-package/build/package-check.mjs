/**
 * `npm run package:check`: makes the release twice, of two copies of this checkout in different directories, in different time
 * zones, locales and umasks, and holds every file of one against the other. The copies share the dependencies.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CHECKSUMS, sha256OfFile } from './checksums.mjs';
import { run } from './child.mjs';
import { SetUpError, say, secondsSince } from './progress.mjs';
import { ROOT, setUp } from './set-up.mjs';

const BASE_URL = 'https://nodemesh.example/check';

/** What no build is made of, or what it makes. */
const NOT_COPIED = ['node_modules', 'dist', '.git', '.nodemesh'];

const SURROUNDINGS = [
  { directory: 'one', umask: '022', env: { TZ: 'UTC', LC_ALL: 'C' } },
  { directory: 'deeper/down/another one', umask: '077', env: { TZ: 'Asia/Tokyo', LC_ALL: 'tr_TR.UTF-8' } },
];

/** @param {readonly string[]} words */
export async function main(words) {
  if (words.length > 0) throw new SetUpError(`npm run package:check takes no words, and got '${words.join(' ')}'`, 2);
  await setUp({ root: ROOT, build: false });
  const place = await mkdtemp(join(tmpdir(), 'nodemesh-package-check-'));
  try {
    /** @type {string[]} */
    const made = [];
    for (const surroundings of SURROUNDINGS) made.push(await packIn(place, surroundings));
    const [one = '', two = ''] = made;
    const files = await filesIn(one);
    const differences = await differencesOf(one, two);
    for (const difference of differences) process.stdout.write(`${difference}\n`);
    if (differences.length > 0) throw new SetUpError(`${differences.length} of ${files.length} files differ`);
    process.stdout.write(await readFile(join(one, CHECKSUMS), 'utf8'));
    say(`${files.length} files are the same in both`);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/**
 * @param {string} place
 * @param {typeof SURROUNDINGS[number]} surroundings
 * @returns {Promise<string>} the directory of the release
 */
async function packIn(place, { directory, umask, env }) {
  const since = performance.now();
  const checkout = join(place, directory);
  await mkdir(checkout, { recursive: true });
  for (const name of await readdir(ROOT)) {
    if (NOT_COPIED.includes(name) || name.startsWith('.dist-')) continue;
    await cp(join(ROOT, name), join(checkout, name), { recursive: true, filter: (from) => isCopied(from) });
  }
  await symlink(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
  const command = 'umask "$1"; shift; exec "$@"';
  const script = [process.execPath, 'dcos-package/build/run.cjs', 'package', '--base-url', BASE_URL];
  const { code } = await run('/bin/sh', ['-c', command, 'sh', umask, ...script], {
    ...{ cwd: checkout, output: 'stderr', env: { ...process.env, ...env } },
  });
  if (code !== 0) throw new SetUpError(`the release could not be made in ${checkout} (exit code ${code})`);
  say(`made in ${checkout} in ${secondsSince(since)}`);
  return join(checkout, 'dist', 'package');
}

/** @param {string} file */
function isCopied(file) {
  return !NOT_COPIED.includes(basename(file));
}

/**
 * @param {string} one
 * @param {string} two
 * @returns {Promise<string[]>} a line for each file that differs
 */
async function differencesOf(one, two) {
  const names = [...new Set([...(await filesIn(one)), ...(await filesIn(two))])].sort();
  const lines = names.map(async (name) => {
    const sums = await Promise.all([one, two].map((directory) => sumOf(join(directory, name))));
    return sums[0] === sums[1] ? [] : [`${name}: ${sums.join(' and ')}`];
  });
  return (await Promise.all(lines)).flat();
}

/** @param {string} file */
async function sumOf(file) {
  try {
    return await sha256OfFile(file);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** @param {string} directory */
async function filesIn(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
