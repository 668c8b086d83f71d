/**
 * `npm run test:mesos`: the end-to-end stories against a Mesos cluster that is already running. What it is doing goes to
 * standard error; the last line of standard output is JSON.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageProxy } from '../../dcos-package/build/package-proxy.mjs';
import { SetUpError, say } from '../../dcos-package/build/progress.mjs';
import { ROOT, setUp } from '../../dcos-package/build/set-up.mjs';
import { withBundle } from '../setup/with-bundle.mjs';
import { parseOptions, USAGE } from './options.mjs';

/** In the place of an archive: the build, with the agents' own Node.js. */
const HOST_NODE = 'host-node';

/** @param {readonly string[]} words */
export async function main(words) {
  const options = parseOptions(words);
  if (options === null) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  await setUp({ root: ROOT, build: true });
  const dist = join(ROOT, 'dist');
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const archive = options.archive === null ? await packaged() : options.archive;
  const { run } = await load();
  const interruption = new AbortController();
  const interrupt = () => {
    say('test:mesos: interrupted; taking everything away first');
    interruption.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const stories = await run(options, {
      command: join(dist, 'nodemesh.mjs'),
      archive: archive === HOST_NODE ? HOST_NODE : resolve(archive),
      signal: interruption.signal,
      say: (line) => say(`test:mesos: ${line}`),
      dist,
      version,
    });
    process.stdout.write(`${JSON.stringify({ stories })}\n`);
    const failed = stories.filter(({ result }) => result === 'failed').map(({ name }) => name);
    if (failed.length > 0) throw new SetUpError(`test:mesos: failed: ${failed.join(', ')}`);
    if (interruption.signal.aborted) throw new SetUpError('test:mesos: interrupted', 130);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/**
 * An archive with its own Node.js, since agents of a real cluster have none: the one that is released, or where there is no
 * way to the package registry, the one that runs this. It does for agents of the same kind of machine.
 */
async function packaged() {
  const out = join(ROOT, 'dist', 'package');
  // Soon to be known.
  process.env['npm_config_fetch_retries'] ??= '0';
  process.env['npm_config_fetch_timeout'] ??= '60000';
  try {
    return (await packageProxy(ROOT, { out, node: undefined, hasRuntime: true })).file;
  } catch (error) {
    say(`test:mesos: ${error instanceof Error ? error.message : String(error)}`);
    say(`test:mesos: packing this machine's own Node.js ${process.versions.node} instead`);
    return await packagedWithThisNode();
  }
}

async function packagedWithThisNode() {
  /** @type {typeof import('../../scheduler/proxy/archive.ts')} */
  const { writeArchive } = await import(pathToFileURL(join(ROOT, 'dist', 'archive.mjs')).href);
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const runtime = {
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    binary: await readFile(process.execPath),
    license: Buffer.from('Node.js: see https://github.com/nodejs/node/blob/main/LICENSE\n'),
  };
  const code = await readFile(join(ROOT, 'dist', 'proxy.mjs'));
  const { file } = await writeArchive({ version, code, license: null, runtime }, join(ROOT, '.nodemesh', 'stories'));
  return file;
}

/** @returns {Promise<typeof import('./run.ts')>} */
function load() {
  const entry = join(ROOT, 'test/mesos/run.ts');
  return withBundle(entry, join(ROOT, '.nodemesh', 'stories'), (bundle) => import(pathToFileURL(bundle).href));
}
