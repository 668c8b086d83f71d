/**
 * `npm run package [-- --base-url URL] [--out DIR] [--platform NAME]…`: everything that a release consists of, from the built
 * files (docs/releases.md).
 */
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { builtArchive } from './built-archive.mjs';
import { CHECKSUMS } from './checksums.mjs';
import { nodeRuntime, PINNED } from './node-runtime.mjs';
import { SetUpError, say, secondsSince } from './progress.mjs';
import { release } from './release.mjs';
import { ROOT, setUp } from './set-up.mjs';

/** @typedef {import('./node-runtime.mjs').Platform} Platform */

/** A name that nobody has (RFC 2606): what is fetched from there is not to be had by accident. */
const NOWHERE = 'https://nodemesh.example';

/** @type {readonly Platform[]} */
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'win-x64'];

/** @param {readonly string[]} words */
export async function main(words) {
  const { out, baseUrl, platforms } = parse(words);
  await setUp({ root: ROOT, build: true });
  const { readTar } = await builtArchive(ROOT);
  const since = performance.now();
  const runtimeFor = (/** @type {Platform} */ platform) => nodeRuntime(ROOT, undefined, readTar, platform);
  const { files, leftOut } = await release(ROOT, { out, baseUrl: baseUrl ?? NOWHERE, platforms, runtimeFor });
  const where = relative(process.cwd(), out) || '.';
  for (const { name, size, sha256 } of files) {
    const amount = size >= 1e6 ? `${(size / 1e6).toFixed(1)} MB` : `${Math.ceil(size / 1e3)} kB`;
    process.stdout.write(`${sha256}  ${amount.padStart(8)}  ${join(where, name)}\n`);
  }
  for (const { names, why } of leftOut) say(`left out: ${names.join(', ')}: ${why}`);
  say(`${files.length} files in ${where}, and ${CHECKSUMS} over them, in ${secondsSince(since)}`);
  if (baseUrl === undefined) {
    say(`the URLs in repo.json begin with ${NOWHERE}: pack with --base-url URL, where the files will be served`);
  }
}

/**
 * @param {readonly string[]} words
 * @returns {{ out: string, baseUrl: string | undefined, platforms: readonly Platform[] }}
 */
function parse(words) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        out: { type: 'string' },
        'base-url': { type: 'string' },
        platform: { type: 'string', multiple: true },
      },
    });
    return {
      out: resolve(values.out ?? join(ROOT, 'dist', 'package')),
      baseUrl: values['base-url'] === undefined ? undefined : baseUrlOf(values['base-url']),
      platforms: values.platform === undefined ? PLATFORMS : platformsOf(values.platform),
    };
  } catch (error) {
    if (error instanceof SetUpError) throw error;
    throw new SetUpError(`npm run package: ${error instanceof Error ? error.message : String(error)}`, 2);
  }
}

/** @param {string} text */
function baseUrlOf(text) {
  // It stands between quotes in JSON, and in what Marathon and browsers fetch.
  if (!/^https?:\/\/[\w.:@[\]-]+(?:\/[\w.~%/-]*)?$/.test(text)) {
    throw new SetUpError(`npm run package: --base-url '${text}' is no URL like https://host/nodemesh/1.2.3`, 2);
  }
  return text.replace(/\/+$/, '');
}

/**
 * @param {readonly string[]} names
 * @returns {readonly Platform[]}
 */
function platformsOf(names) {
  const unknown = names.find((name) => !Object.hasOwn(PINNED, name));
  if (unknown !== undefined) {
    throw new SetUpError(`npm run package: --platform '${unknown}' is none of ${PLATFORMS.join(', ')}`, 2);
  }
  if (!names.includes('linux-x64')) {
    throw new SetUpError('npm run package: --platform linux-x64 is needed: the package for DC/OS is made of it', 2);
  }
  return PLATFORMS.filter((platform) => names.includes(platform));
}
