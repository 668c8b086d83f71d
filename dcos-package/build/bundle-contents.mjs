/**
 * What is in the built files, as esbuild tells it (dist/meta.json): which of them belong together, and which packages of the
 * registry went into them.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetUpError } from './progress.mjs';

/**
 * @typedef {object} Meta as esbuild's, with what is read here
 * @property {Record<string, Output>} outputs by path from the root of the checkout, `dist/…`
 *
 * @typedef {object} Output
 * @property {Record<string, unknown>} inputs
 * @property {readonly { path: string, external?: boolean }[]} [imports]
 */

/** The files of the dashboard, made apart. */
export const DASHBOARD = ['dist/dashboard/app.css', 'dist/dashboard/app.js'];

/**
 * @param {string} root with its dist/ built
 * @returns {Promise<Meta>}
 */
export async function readMeta(root) {
  return JSON.parse(await readFile(join(root, 'dist', 'meta.json'), 'utf8'));
}

/**
 * A built file and all that it loads, at once or later.
 *
 * @param {Meta} meta
 * @param {readonly string[]} entries
 * @returns {string[]} sorted
 */
export function reachable(meta, entries) {
  /** @type {Set<string>} */
  const found = new Set();
  const waiting = [...entries];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    const output = meta.outputs[name];
    if (output === undefined) throw new SetUpError(`dist/meta.json has no ${name}; remove dist/ and build again`);
    found.add(name);
    waiting.push(...(output.imports ?? []).flatMap(({ path, external }) => (external === true ? [] : [path])));
  }
  return [...found].sort();
}

/**
 * @typedef {object} BundledPackage
 * @property {string} directory from the root of the checkout
 * @property {string} name
 * @property {string} version
 * @property {string | null} license as an SPDX expression
 */

/**
 * The packages that went into these files, and no others: what nothing of is used is not in them.
 *
 * @param {string} root
 * @param {Meta} meta
 * @param {readonly string[]} outputs
 * @returns {Promise<BundledPackage[]>} sorted by name and version
 */
export async function packagesIn(root, meta, outputs) {
  const inputs = outputs.flatMap((name) => Object.keys(meta.outputs[name]?.inputs ?? {}));
  const directories = new Set(inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []));
  const packages = await Promise.all([...directories].map((directory) => describe(root, directory)));
  return packages.sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

/**
 * @param {string} root
 * @param {string} directory
 * @returns {Promise<BundledPackage>}
 */
async function describe(root, directory) {
  const { name, version, license } = JSON.parse(await readFile(join(root, directory, 'package.json'), 'utf8'));
  return { directory, name, version, license: typeof license === 'string' ? license : null };
}

/**
 * By code points: no locale of the machine has a say.
 *
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
