/**
 * All files of a release, in one directory: archives of the scheduler and the proxy, plugins of the `dcos` command, the
 * documents for the catalog, Dockerfiles, a bill of materials, and the checksums of all that. The same sources, Node.js and
 * base URL make the same bytes.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packagesIn, readMeta } from './bundle-contents.mjs';
import { sha256OfFile, writeChecksums } from './checksums.mjs';
import { NotToBeHad } from './node-runtime.mjs';
import { PLUGINS, packagePlugin, pluginName } from './package-plugin.mjs';
import { packageProxyWith } from './package-proxy.mjs';
import { packageScheduler, schedulerOutputs } from './package-scheduler.mjs';
import { SetUpError, say, secondsSince } from './progress.mjs';
import { sbomOf } from './sbom.mjs';
import { packageUniverse } from './universe-package.mjs';

/**
 * @typedef {import('./node-runtime.mjs').Platform} Platform
 * @typedef {import('./sbom.mjs').Shipped} Shipped
 * @typedef {import('../../scheduler/proxy/archive.ts').Runtime} Runtime
 *
 * @typedef {object} Wanted
 * @property {string} out the directory
 * @property {string} baseUrl without a slash at its end
 * @property {readonly Platform[]} platforms
 * @property {(platform: Platform) => Promise<Runtime>} runtimeFor throws NotToBeHad where there is none
 * @property {number} [level] of zlib
 *
 * @typedef {object} Release
 * @property {readonly { name: string, size: number, sha256: string }[]} files
 * @property {readonly { platform: Platform, names: readonly string[], why: string }[]} leftOut
 */

/** What an archive may have: agents and desktops fetch it. */
const LARGEST = 60_000_000;

/** DC/OS runs on it; the rest is for other hosts, or for desktops. */
const NEEDED = 'linux-x64';

/**
 * @param {string} root with its dist/ built
 * @param {Wanted} wanted
 * @returns {Promise<Release>}
 */
export async function release(root, { out, baseUrl, platforms, runtimeFor, level }) {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  await mkdir(out, { recursive: true });
  /** @type {Shipped[]} */
  const archives = [];
  /** @type {string[]} */
  const names = [];
  /** @type {{ platform: Platform, names: readonly string[], why: string }[]} */
  const leftOut = [];
  for (const platform of platforms) {
    try {
      const runtime = await runtimeFor(platform);
      const made = await archivesFor(root, { out, version, runtime, ...(level === undefined ? {} : { level }) });
      archives.push(...made.archives);
      names.push(...made.names);
    } catch (error) {
      if (!(error instanceof NotToBeHad) || platform === NEEDED) throw error;
      leftOut.push({ platform, names: namesFor(platform, version), why: error.message });
    }
  }
  const digests = new Map(archives.map(({ name, sha256 }) => [name, sha256]));
  names.push(...(await packageUniverse(root, out, { version, baseUrl, digests })));
  names.push(...(await writeDockerfiles(root, out, version)));
  names.push(await writeSbom(root, out, version, archives));
  const files = await writeChecksums(out, names);
  refuseLarge(files);
  return { files, leftOut };
}

/** @param {readonly { name: string, size: number }[]} files */
export function refuseLarge(files) {
  const large = files.filter(({ size }) => size >= LARGEST);
  if (large.length === 0) return;
  const which = large.map(({ name, size }) => `${name} (${(size / 1e6).toFixed(1)} MB)`).join(', ');
  throw new SetUpError(`too large, an archive may have less than 60 MB: ${which}; find out what was bundled into it`);
}

/**
 * @param {string} root
 * @param {{ out: string, version: string, runtime: Runtime, level?: number }} wanted
 * @returns {Promise<{ archives: Shipped[], names: string[] }>}
 */
async function archivesFor(root, { out, version, runtime, ...level }) {
  const since = performance.now();
  const { platform } = runtime;
  say(`packing for ${platform}, with Node.js ${runtime.node} …`);
  const meta = await readMeta(root);
  const binary = createHash('sha256').update(runtime.binary).digest('hex');
  const contents = { runtime: { node: runtime.node, platform, sha256: binary } };
  const command = { ...contents, packages: await packagesIn(root, meta, schedulerOutputs(meta)) };
  /** @type {Shipped[]} */
  const archives = [];
  const names = namesFor(platform, version);
  if (isForHosts(platform)) {
    const proxy = await packageProxyWith(root, { out, runtime, ...level });
    const packages = await packagesIn(root, meta, ['dist/proxy.mjs']);
    archives.push({ ...contents, packages, name: proxyName(version, platform), sha256: proxy.sha256 });
    const scheduler = await packageScheduler(root, { out, runtime, manifests: [`${proxy.file}.json`], ...level });
    archives.push({ ...command, name: schedulerName(version, platform), sha256: scheduler.sha256 });
  }
  const plugin = PLUGINS[platform];
  if (plugin !== undefined) {
    const file = await packagePlugin(root, { out, plugin, runtime, ...level });
    archives.push({ ...command, name: pluginName(plugin), sha256: await sha256OfFile(file) });
  }
  say(`packed for ${platform} in ${secondsSince(since)}`);
  return { archives, names };
}

/** @param {string} platform */
function isForHosts(platform) {
  return platform.startsWith('linux-');
}

/**
 * @param {string} version
 * @param {string} platform
 */
function proxyName(version, platform) {
  return `nodemesh-proxy-${version}-${platform}.tar.gz`;
}

/**
 * @param {string} version
 * @param {string} platform
 */
function schedulerName(version, platform) {
  return `nodemesh-scheduler-${version}-${platform}.tar.gz`;
}

/**
 * @param {string} platform
 * @param {string} version
 * @returns {string[]}
 */
function namesFor(platform, version) {
  const plugin = PLUGINS[platform];
  const proxy = proxyName(version, platform);
  return [
    ...(isForHosts(platform) ? [schedulerName(version, platform), proxy, `${proxy}.json`] : []),
    ...(plugin === undefined ? [] : [pluginName(plugin)]),
  ];
}

/**
 * @param {string} root
 * @param {string} out
 * @param {string} version
 */
async function writeDockerfiles(root, out, version) {
  const sources = join(root, 'dcos-package', 'docker');
  await mkdir(join(out, 'docker'), { recursive: true });
  const names = (await readdir(sources)).filter((name) => name.endsWith('.Dockerfile')).sort();
  for (const name of names) {
    const text = await readFile(join(sources, name), 'utf8');
    await writeFile(join(out, 'docker', name), text.replaceAll('@VERSION@', version));
  }
  return names.map((name) => `docker/${name}`);
}

/**
 * @param {string} root
 * @param {string} out
 * @param {string} version
 * @param {readonly Shipped[]} archives
 */
async function writeSbom(root, out, version, archives) {
  const { packages: locked } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const name = `nodemesh-${version}.cdx.json`;
  await writeFile(join(out, name), `${JSON.stringify(sbomOf({ version, archives, locked }), null, 2)}\n`);
  return name;
}
