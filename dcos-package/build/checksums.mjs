/** Digests of files, and the file that `sha256sum -c` holds them against. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export const CHECKSUMS = 'SHA256SUMS';

/** @param {string} file */
export async function sha256OfFile(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/**
 * @param {string} directory
 * @param {readonly string[]} names
 * @returns {Promise<{ name: string, size: number, sha256: string }[]>} sorted by name
 */
export async function writeChecksums(directory, names) {
  const files = [];
  for (const name of [...names].sort()) {
    const file = join(directory, name);
    files.push({ name, size: (await stat(file)).size, sha256: await sha256OfFile(file) });
  }
  await writeFile(join(directory, CHECKSUMS), files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''));
  return files;
}
