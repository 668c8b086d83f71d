/**
 * The archive with which the scheduler, the dashboard and the command line come to a host:
 * `nodemesh-scheduler-<version>-<platform>.tar.gz`, with a Node.js to run them. In it stand the manifests of the proxy's
 * archives that were packed with it, so that an archive which comes another way is known by its digest.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { builtArchive } from './built-archive.mjs';
import { DASHBOARD, packagesIn, reachable, readMeta } from './bundle-contents.mjs';
import { licenseNotices } from './license-notices.mjs';

/**
 * @typedef {import('../../agent-proxy/control/tar.ts').TarEntry} TarEntry
 * @typedef {import('../../scheduler/proxy/archive.ts').Runtime} Runtime
 *
 * @typedef {object} Wanted
 * @property {string} out the directory
 * @property {Runtime} runtime
 * @property {readonly string[]} manifests those of the proxy's archives, as files
 * @property {number} [level] of zlib
 */

/** The directory in the archive, whatever the version: what starts it need not know that. */
const DIRECTORY = 'nodemesh-scheduler';

/** The built files that the archive has, from the root of the checkout. @param {import('./bundle-contents.mjs').Meta} meta */
export function schedulerOutputs(meta) {
  return [...reachable(meta, ['dist/nodemesh.mjs', 'dist/proxy.mjs', 'dist/demo.mjs']), ...DASHBOARD];
}

/**
 * @param {string} root with its dist/ built
 * @param {Wanted} wanted
 * @returns {Promise<import('../../scheduler/proxy/tarball.ts').Tarball>}
 */
export async function packageScheduler(root, { out, runtime, manifests, level }) {
  const { startScript, writeTarball } = await builtArchive(root);
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const script = startScript({ script: '../lib/nodemesh.mjs' });
  const entries = [
    program('bin/nodemesh', Buffer.from(script)),
    ...(await commandEntries(root, runtime)),
    ...(await Promise.all(manifests.map(async (file) => plain(`lib/package/${basename(file)}`, await readFile(file))))),
    program('bin/node', runtime.binary),
  ];
  return await writeTarball(
    entries.map((entry) => ({ ...entry, name: `${DIRECTORY}/${entry.name}` })),
    join(out, `nodemesh-scheduler-${version}-${runtime.platform}.tar.gz`),
    level,
  );
}

/**
 * The command with all its parts, and every licence: what the plugin of the `dcos` command carries too.
 *
 * @param {string} root
 * @param {Pick<Runtime, 'license'>} runtime
 * @returns {Promise<TarEntry[]>}
 */
export async function commandEntries(root, runtime) {
  const meta = await readMeta(root);
  const outputs = schedulerOutputs(meta);
  const notices = await licenseNotices(root, await packagesIn(root, meta, outputs));
  const files = await Promise.all(
    [...outputs, ...(await pagesOf(root))].map(async (name) =>
      plain(name.replace(/^dist\//, 'lib/'), await readFile(join(root, name))),
    ),
  );
  return [
    plain('LICENSE', await readFile(join(root, 'LICENSE'))),
    plain('LICENSE.dependencies', notices),
    plain('LICENSE.nodejs', runtime.license),
    ...files,
  ];
}

/**
 * The dashboard's files that esbuild does not make.
 *
 * @param {string} root
 */
async function pagesOf(root) {
  const names = await readdir(join(root, 'dist', 'dashboard'));
  return names
    .map((name) => `dist/dashboard/${name}`)
    .filter((name) => !DASHBOARD.includes(name))
    .sort();
}

/**
 * @param {string} name
 * @param {Buffer} body
 * @returns {TarEntry}
 */
export function plain(name, body) {
  return { name, isExecutable: false, body };
}

/**
 * @param {string} name
 * @param {Buffer} body
 * @returns {TarEntry}
 */
export function program(name, body) {
  return { name, isExecutable: true, body };
}
