/**
 * `npm run package:proxy [-- --out DIR] [--node VERSION] [--no-runtime]`: the archive in which a proxy travels to agents,
 * and its manifest, from the built files.
 */
import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { builtArchive } from './built-archive.mjs';
import { packagesIn, readMeta } from './bundle-contents.mjs';
import { licenseNotices } from './license-notices.mjs';
import { nodeRuntime } from './node-runtime.mjs';
import { SetUpError, say, secondsSince } from './progress.mjs';
import { ROOT, setUp } from './set-up.mjs';
import { hasCode } from './stamp.mjs';

/**
 * @typedef {object} Options
 * @property {string} out
 * @property {string | undefined} node
 * @property {boolean} hasRuntime
 */

/** @param {readonly string[]} words */
export async function main(words) {
  const options = parse(words);
  await setUp({ root: ROOT, build: true });
  const { file, size, sha256, runtime } = await packageProxy(ROOT, options);
  const what = runtime === null ? "for the agents' own Node.js" : `with Node.js ${runtime.node}`;
  say(`${relative(process.cwd(), file)}: ${(size / 1e6).toFixed(1)} MB, ${what}, SHA-256 ${sha256}`);
}

/**
 * @param {string} root with its dist/ built
 * @param {Options} options
 */
export async function packageProxy(root, { out, node, hasRuntime }) {
  const { readTar } = await builtArchive(root);
  const runtime = hasRuntime ? await nodeRuntime(root, node, readTar) : null;
  const since = performance.now();
  say('packing …');
  const packed = await packageProxyWith(root, { out, runtime });
  say(`packed in ${secondsSince(since)}`);
  return packed;
}

/**
 * @param {string} root with its dist/ built
 * @param {{ out: string, runtime: import('../../scheduler/proxy/archive.ts').Runtime | null, level?: number }} wanted
 */
export async function packageProxyWith(root, { out, runtime, level }) {
  const { writeArchive } = await builtArchive(root);
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const code = await readFile(join(root, 'dist', 'proxy.mjs'));
  const notices = await licenseNotices(root, await packagesIn(root, await readMeta(root), ['dist/proxy.mjs']));
  return await writeArchive({ version, code, license: await licenseOf(root), notices, runtime }, out, level);
}

/** @param {string} root */
async function licenseOf(root) {
  try {
    return await readFile(join(root, 'LICENSE'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/**
 * @param {readonly string[]} words
 * @returns {Options}
 */
function parse(words) {
  try {
    const { values } = parseArgs({
      args: [...words],
      allowNegative: true,
      options: { out: { type: 'string' }, node: { type: 'string' }, runtime: { type: 'boolean', default: true } },
    });
    if (values.node !== undefined && values.runtime === false) {
      throw new SetUpError('--node and --no-runtime exclude each other', 2);
    }
    const out = resolve(values.out ?? join(ROOT, 'dist', 'package'));
    return { out, node: values.node, hasRuntime: values.runtime !== false };
  } catch (error) {
    if (error instanceof SetUpError) throw error;
    throw new SetUpError(`npm run package:proxy: ${error instanceof Error ? error.message : String(error)}`, 2);
  }
}
