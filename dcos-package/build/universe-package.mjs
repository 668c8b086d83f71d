/**
 * The documents for the catalog of DC/OS, made of dcos-package/universe/: its four files with digests and URLs in them, and
 * `repo.json`, a repository of this one package for `dcos package repo add`.
 */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetUpError } from './progress.mjs';

/**
 * @typedef {object} Published
 * @property {string} version
 * @property {string} baseUrl without a slash at its end
 * @property {ReadonlyMap<string, string>} digests SHA-256 of each file that was made, by its name
 */

const SOURCES = 'dcos-package/universe';
const FILES = ['package.json', 'config.json', 'marathon.json.mustache', 'resource.json'];
const DIGEST = /@SHA256:([^@]+)@/g;

/**
 * @param {string} root
 * @param {string} out
 * @param {Published} published
 * @returns {Promise<string[]>} the names of what was written
 */
export async function packageUniverse(root, out, published) {
  await mkdir(join(out, 'universe'), { recursive: true });
  /** @type {Record<string, string>} */
  const texts = {};
  for (const name of FILES) {
    const source = await readFile(join(root, SOURCES, name), 'utf8');
    texts[name] = name === 'resource.json' ? resourceOf(source, published) : fill(source, published);
    await writeFile(join(out, 'universe', name), texts[name]);
  }
  await writeFile(join(out, 'repo.json'), `${JSON.stringify(repositoryOf(texts, published.version), null, 2)}\n`);
  const icons = (await readdir(join(root, SOURCES))).filter((name) => name.endsWith('.png')).sort();
  for (const name of icons) await copyFile(join(root, SOURCES, name), join(out, name));
  return [...FILES.map((name) => `universe/${name}`), 'repo.json', ...icons];
}

/**
 * @param {string} source
 * @param {Published} published
 * @throws where a file is spoken of that was not made
 */
function fill(source, { version, baseUrl, digests }) {
  return source
    .replaceAll('@VERSION@', version)
    .replaceAll('@BASE_URL@', baseUrl)
    .replaceAll(DIGEST, (_, name) => {
      const digest = digests.get(name);
      if (digest !== undefined) return digest;
      throw new SetUpError(`${SOURCES} speaks of ${name}, which was not made; mend it, or the list of what is made`);
    });
}

/**
 * Plugins that were not made are left out of it.
 *
 * @param {string} source
 * @param {Published} published
 */
function resourceOf(source, published) {
  const resource = JSON.parse(source);
  const binaries = Object.entries(resource.cli?.binaries ?? {}).filter(([, binary]) =>
    [...JSON.stringify(binary).matchAll(DIGEST)].every(([, name = '']) => published.digests.has(name)),
  );
  const { cli: _, ...others } = resource;
  const kept = binaries.length === 0 ? others : { ...others, cli: { binaries: Object.fromEntries(binaries) } };
  return `${fill(JSON.stringify(kept, null, 2), published)}\n`;
}

/**
 * A repository as Cosmos reads it (the Universe's v4-repo-schema.json). It is served with the media type
 * `application/vnd.dcos.universe.repo+json;charset=utf-8;version=v4`, and refused with another.
 *
 * @param {Record<string, string>} texts
 * @param {string} version
 */
function repositoryOf(texts, version) {
  const parsed = (/** @type {string} */ name) => JSON.parse(texts[name] ?? '');
  const template = Buffer.from(texts['marathon.json.mustache'] ?? '').toString('base64');
  const about = { ...parsed('package.json'), releaseVersion: releaseOf(version), config: parsed('config.json') };
  return {
    packages: [{ ...about, marathon: { v2AppMustacheTemplate: template }, resource: parsed('resource.json') }],
  };
}

/**
 * Catalogs order packages by a whole number: 1.2.3 is 1002003.
 *
 * @param {string} version
 */
function releaseOf(version) {
  const [, major, minor, patch] = /^(\d+)\.(\d{1,3})\.(\d{1,3})(?:-.*)?$/.exec(version) ?? [];
  if (patch === undefined) throw new SetUpError(`package.json: the version ${version} is none like 1.2.3`);
  return Number(major) * 1_000_000 + Number(minor) * 1_000 + Number(patch);
}
