/**
 * Bundles the dashboard to three static files: `index.html`, `app.js`, `app.css`. Plain JavaScript, because it runs
 * before anything is built.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

/** @type {typeof import('./build.d.mts').buildDashboard} */
export async function buildDashboard({ outdir, minify = true, version }) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: { app: 'scheduler/dashboard/src/main.tsx', 'app-style': 'scheduler/dashboard/src/app.css' },
    outdir,
    write: false,
    bundle: true,
    // The same names, wherever node_modules really is.
    preserveSymlinks: true,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: ['es2022'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify,
    sourcemap: minify ? false : 'inline',
    define: { NODEMESH_VERSION: JSON.stringify(version) },
    logLevel: 'silent',
  });
  await mkdir(outdir, { recursive: true });
  const names = { 'app.js': 'app.js', 'app-style.css': 'app.css' };
  /** @type {Record<string, { inputs: Record<string, unknown> }>} */
  const outputs = {};
  let html = await readFile(join(here, 'src/index.html'), 'utf8');
  for (const [built, name] of Object.entries(names)) {
    const file = result.outputFiles.find((output) => output.path.endsWith(built));
    if (file === undefined) throw new Error(`esbuild made no ${built}`);
    await writeFile(join(outdir, name), file.contents);
    const [, made] = Object.entries(result.metafile.outputs).find(([path]) => path.endsWith(built)) ?? [];
    if (made !== undefined) outputs[name] = made;
    // A query that changes with the content: no cache in between shows the page of an older version.
    const hash = createHash('sha256').update(file.contents).digest('hex').slice(0, 12);
    html = html.replaceAll(`"${name}"`, `"${name}?${hash}"`);
  }
  await writeFile(join(outdir, 'index.html'), html);
  return outputs;
}
