/**
 * Makes dist/ from the sources: the command with one lazily loaded chunk for each part, the proxy and the demo app as
 * one file each (they are shipped to agents), what packs the proxy's archive, and the dashboard. It is made aside and renamed into place, so that an
 * interrupted build leaves nothing half done.
 */
import { existsSync } from 'node:fs';
import { access, chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { SetUpError } from './progress.mjs';

const SOURCES = {
  command: 'nodemesh.ts',
  archive: 'scheduler/proxy/archive.ts',
  proxy: 'agent-proxy/standalone.ts',
  demo: 'local-cluster/demo/app.ts',
  dashboard: 'scheduler/dashboard/build.mjs',
};

const OUTPUTS = ['nodemesh.mjs', 'archive.mjs', 'proxy.mjs', 'demo.mjs', 'dashboard/index.html'];

// Beside dist/ and at its depth, so that the relative paths in source maps stay true after the renaming.
const BUILDING = '.dist-building';
const REPLACED = '.dist-replaced';

// CommonJS dependencies `require` Node's own modules, which an ES module has no function for.
const BANNER = [
  '#!/usr/bin/env node',
  "import { createRequire as __nodemeshCreateRequire } from 'node:module';",
  'const require = __nodemeshCreateRequire(import.meta.url);',
].join('\n');

// zod brings its messages in fifty languages, 300 kB that every proxy would carry and parse; English is enough.
/** @type {esbuild.Plugin} */
const ENGLISH_ONLY = {
  name: 'english-only',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/**
 * @param {string} root
 * @returns {Promise<string[]>} the built files that are not there
 */
export async function missingOutputs(root) {
  const checks = OUTPUTS.map(async (name) => {
    try {
      await access(join(root, 'dist', name));
      return [];
    } catch {
      return [name];
    }
  });
  return (await Promise.all(checks)).flat();
}

/**
 * @param {string} root
 * @param {(directory: string) => Promise<void>} seal called with the finished directory before it becomes dist/
 * @returns {Promise<void>}
 */
export async function bundle(root, seal) {
  const missing = Object.values(SOURCES).filter((source) => !existsSync(join(root, source)));
  if (missing.length > 0) throw new SetUpError(`cannot build: ${missing.join(', ')} is missing from this checkout`);

  const directory = join(root, BUILDING);
  await rm(directory, { recursive: true, force: true });
  try {
    const version = await versionOf(root);
    const meta = await buildScripts(root, directory, version);
    Object.assign(meta.outputs, await makeDashboard(root, join(directory, 'dashboard'), version));
    await writeFile(join(directory, 'meta.json'), JSON.stringify(meta, null, 1));
    for (const name of ['nodemesh.mjs', 'proxy.mjs', 'demo.mjs']) await chmod(join(directory, name), 0o755);
    await seal(directory);
  } finally {
    // Its service process would otherwise live as long as the cluster that `npm start` turns into.
    await esbuild.stop();
  }
  await replace(join(root, 'dist'), directory, join(root, REPLACED));
}

/**
 * @param {string} root
 * @param {string} directory
 * @param {string} version
 * @returns {Promise<esbuild.Metafile>}
 */
async function buildScripts(root, directory, version) {
  /** @satisfies {esbuild.BuildOptions} */
  const common = {
    absWorkingDir: root,
    outdir: directory,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outExtension: { '.js': '.mjs' },
    banner: { js: BANNER },
    define: { 'process.env.NODEMESH_VERSION': JSON.stringify(version) },
    // The names in what is built, and the hashes in its names, are the same wherever node_modules really is.
    preserveSymlinks: true,
    sourcemap: 'linked',
    // Maps point to the sources of the checkout; their text need not be in them twice.
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    plugins: [ENGLISH_ONLY],
    logLevel: 'silent',
  };
  // Names stay (no minifyIdentifiers): a profile or a stack trace from an agent has to be readable.
  const alone = { ...common, minifyWhitespace: true, minifySyntax: true };
  const chunked = { ...common, splitting: true, chunkNames: '[name]-[hash]' };
  const results = await explained(() =>
    Promise.all([
      esbuild.build({ ...chunked, entryPoints: { nodemesh: SOURCES.command, archive: SOURCES.archive } }),
      esbuild.build({ ...alone, entryPoints: { proxy: SOURCES.proxy } }),
      esbuild.build({ ...alone, entryPoints: { demo: SOURCES.demo } }),
    ]),
  );
  const meta = {
    inputs: Object.assign({}, ...results.map((result) => result.metafile.inputs)),
    outputs: Object.assign({}, ...results.map((result) => result.metafile.outputs)),
  };
  // Tools that read it see dist/, where the files end up.
  return JSON.parse(JSON.stringify(meta).replaceAll(`"${BUILDING}/`, '"dist/'));
}

/**
 * @template T
 * @param {() => Promise<T>} work something that calls esbuild
 * @returns {Promise<T>}
 */
async function explained(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !('errors' in error)) throw error;
    const faults = /** @type {esbuild.BuildFailure} */ (error).errors.map((fault) => {
      const at = fault.location;
      return `  ${at === null ? '' : `${at.file}:${at.line}: `}${fault.text}`;
    });
    throw new SetUpError(`the sources do not build:\n${faults.join('\n')}`);
  }
}

/**
 * @param {string} root
 * @param {string} outdir
 * @param {string} version
 */
async function makeDashboard(root, outdir, version) {
  // Not a static import: this file has to load, and to say what is missing, before the dashboard is there.
  /** @type {typeof import('../../scheduler/dashboard/build.d.mts')} */
  const { buildDashboard } = await import(pathToFileURL(join(root, SOURCES.dashboard)).href);
  const outputs = await explained(() => buildDashboard({ outdir, version }));
  return Object.fromEntries(Object.entries(outputs).map(([name, output]) => [`dist/dashboard/${name}`, output]));
}

/**
 * @param {string} root
 * @returns {Promise<string>}
 */
async function versionOf(root) {
  /** @type {unknown} */
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  throw new SetUpError('cannot build: package.json has no version');
}

/**
 * @param {string} dist
 * @param {string} fresh
 * @param {string} aside
 */
async function replace(dist, fresh, aside) {
  await rm(aside, { recursive: true, force: true });
  if (existsSync(dist)) await rename(dist, aside);
  await rename(fresh, dist);
  await rm(aside, { recursive: true, force: true });
}
