/** What reads and writes archives is code of the scheduler; the package is made with it as it was built. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @param {string} root with its dist/ built
 * @returns {Promise<typeof import('../../scheduler/proxy/archive.ts')>}
 */
export async function builtArchive(root) {
  return await import(pathToFileURL(join(root, 'dist', 'archive.mjs')).href);
}
