/**
 * Stamps: a file beside some made thing that holds the digest of what it was made from. Contents are compared, not
 * times, because a fresh clone gives every file the time of the clone.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const NEVER_A_SOURCE = new Set(['node_modules', 'dist', '.git', '.nodemesh']);

/**
 * The digest of some files and folders (with all that is below them), names included. What does not exist is left out,
 * so that its coming changes the digest.
 *
 * @param {string} root
 * @param {readonly string[]} paths relative to `root`
 * @param {readonly string[]} facts what else the result depends on
 * @returns {Promise<string>}
 */
export async function digestOf(root, paths, facts = []) {
  const hash = createHash('sha256');
  for (const fact of facts) hash.update(`${fact}\0`);
  for (const path of paths) {
    for (const file of await filesBelow(root, path)) {
      const content = await readFile(join(root, file));
      hash.update(`${file}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @param {string} path
 * @returns {Promise<string[]>} sorted, relative to `root`
 */
async function filesBelow(root, path) {
  try {
    const entries = await readdir(join(root, path), { withFileTypes: true });
    const below = entries
      .filter((entry) => !NEVER_A_SOURCE.has(entry.name))
      .map((entry) => (entry.isDirectory() ? filesBelow(root, join(path, entry.name)) : [join(path, entry.name)]));
    return (await Promise.all(below)).flat().sort();
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) return [path];
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/**
 * @param {string} file
 * @param {string} digest
 * @returns {Promise<boolean>}
 */
export async function isStamped(file, digest) {
  try {
    return (await readFile(file, 'utf8')).trim() === digest;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/**
 * @param {string} file
 * @param {string} digest
 */
export async function stamp(file, digest) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${digest}\n`);
}

/**
 * @param {unknown} error
 * @param {readonly string[]} codes
 */
export function hasCode(error, ...codes) {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
