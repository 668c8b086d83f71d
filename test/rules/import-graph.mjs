/**
 * The import graph of the sources: what esbuild sees when it bundles every file (values, as they are resolved in
 * earnest) together with what a scan of the text finds (types as well, and the lines).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import * as esbuild from 'esbuild';
import { importsOf } from './imports-of.mjs';

/**
 * @typedef {object} Edge
 * @property {string} from a file, relative to the root
 * @property {string} to a file relative to the root, a package's name, or `node:…`
 * @property {'file' | 'package' | 'node' | 'computed'} target
 * @property {string} form
 * @property {number} line
 */

/**
 * @typedef {object} Graph
 * @property {string[]} files
 * @property {Edge[]} edges
 * @property {{ file: string, line: number, text: string }[]} unreadable what esbuild could not resolve or parse
 */

const SOURCE = /\.[cm]?[jt]sx?$/;
// Tests may import anything, and nobody may import them; what is built or installed is not source.
const NOT_SCANNED = new Set(['test', 'docs', 'dist', 'node_modules']);

/**
 * @param {string} root
 * @returns {Promise<Graph>}
 */
export async function readGraph(root) {
  const files = await sourcesBelow(root, '');
  const known = new Set(files);
  const scanned = await Promise.all(
    files.map(async (file) => scan(file, await readFile(join(root, file), 'utf8'), known)),
  );
  const edges = scanned.flat();
  const { bundled, unreadable } = await bundledEdges(root, files);
  const seen = new Set(edges.map((edge) => `${edge.from}\0${edge.to}`));
  return { files, edges: [...edges, ...bundled.filter((edge) => !seen.has(`${edge.from}\0${edge.to}`))], unreadable };
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {Promise<string[]>}
 */
async function sourcesBelow(root, folder) {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const nested = entries.map(async (entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.name.startsWith('.') || NOT_SCANNED.has(path) || entry.name === 'node_modules') return [];
    if (entry.isDirectory()) return sourcesBelow(root, path);
    return SOURCE.test(entry.name) ? [path] : [];
  });
  return (await Promise.all(nested)).flat().sort();
}

/**
 * @param {string} file
 * @param {string} text
 * @param {ReadonlySet<string>} known
 * @returns {Edge[]}
 */
function scan(file, text, known) {
  return importsOf(text).map(({ specifier, form, line }) => ({
    from: file,
    form,
    line,
    ...resolve(file, specifier, known),
  }));
}

/**
 * @param {string} file
 * @param {string | null} specifier
 * @param {ReadonlySet<string>} known
 * @returns {Pick<Edge, 'to' | 'target'>}
 */
function resolve(file, specifier, known) {
  if (specifier === null) return { to: '', target: 'computed' };
  if (specifier.startsWith('.') || specifier.startsWith('/')) {
    const path = posix.join(posix.dirname(file), specifier);
    const candidates = [
      path,
      `${path}.ts`,
      `${path}.tsx`,
      `${path}/index.ts`,
      path.replace(/\.([cm]?)js(x?)$/, '.$1ts$2'),
    ];
    return { to: candidates.find((candidate) => known.has(candidate)) ?? path, target: 'file' };
  }
  return resolvePackage(specifier);
}

/**
 * @param {string} specifier
 * @returns {Pick<Edge, 'to' | 'target'>}
 */
function resolvePackage(specifier) {
  if (specifier.startsWith('node:')) return { to: specifier, target: 'node' };
  const parts = specifier.split('/');
  return { to: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'), target: 'package' };
}

/**
 * @param {string} root
 * @param {readonly string[]} files
 * @returns {Promise<{ bundled: Edge[], unreadable: Graph['unreadable'] }>}
 */
async function bundledEdges(root, files) {
  try {
    const { metafile } = await esbuild.build({
      absWorkingDir: root,
      // Every file, not only the entries of the build: a forbidden import counts before anybody reaches it.
      entryPoints: files.filter((file) => !/\.d\.[cm]?ts$/.test(file)),
      outdir: '.rules',
      write: false,
      bundle: true,
      splitting: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      metafile: true,
      logLevel: 'silent',
    });
    // The bundler follows the one import that leads into the tests (of their npm scripts); the rules do not.
    const inputs = Object.entries(metafile.inputs).filter(([from]) => files.includes(from));
    const bundled = inputs.flatMap(([from, { imports }]) =>
      imports.map(({ path, external, kind }) => ({
        from,
        form: kind,
        line: 1,
        ...(external === true ? resolvePackage(path) : { to: path, target: /** @type {const} */ ('file') }),
      })),
    );
    return { bundled, unreadable: [] };
  } catch (error) {
    if (!(error instanceof Error) || !('errors' in error)) throw error;
    const { errors } = /** @type {esbuild.BuildFailure} */ (error);
    const unreadable = errors.map(({ location, text }) => ({
      file: location?.file ?? '',
      line: location?.line ?? 1,
      text,
    }));
    return { bundled: [], unreadable };
  } finally {
    await esbuild.stop();
  }
}
