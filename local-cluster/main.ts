/** `nodemesh local`: a whole mesh on one machine, from the words of the command line to Ctrl-C. */
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { banner } from './banner.ts';
import { LocalCluster } from './cluster.ts';
import { GUARDIAN_WORD, guard, killMarked, startGuardian } from './guardian.ts';
import { type LocalOptions, parseLocalOptions } from './options.ts';
import { Progress } from './progress.ts';
import { waitUntilReady } from './readiness.ts';

/** How this command was started. */
export interface MainContext {
  readonly version: string;
  /** The directory of the built files. */
  readonly dist: string;
  /** Arguments after the Node binary that run this command again. */
  readonly relaunch: readonly string[];
}

const READY_TIMEOUT_MS = 60_000;
/** A scheduler that ends this often before the cluster was ever ready will not come up by itself. */
const HOPELESS_DEATHS = 3;

/** @throws commander's errors for usage; an Error with one clear line for a taken port, a broken directory, no readiness. */
export async function main(args: readonly string[], context: MainContext): Promise<void> {
  const [word, mark, directory] = args;
  if (word === GUARDIAN_WORD && mark !== undefined && directory !== undefined) return guard(mark, directory);
  const options = parseLocalOptions(args);
  const state = await stateDirectory(options.state);
  const interrupted = interruption();
  try {
    await runCluster(options, state, context, interrupted);
  } finally {
    if (options.state === null) await rm(state, { recursive: true, force: true });
  }
}

async function runCluster(
  options: LocalOptions,
  directory: string,
  context: MainContext,
  interrupted: Promise<void>,
): Promise<void> {
  const progress = new Progress(process.stderr);
  const clusterMark = randomUUID();
  startGuardian(context.relaunch, clusterMark, options.state === null ? directory : null);
  const cluster = new LocalCluster({
    options,
    directory,
    dist: context.dist,
    mark: clusterMark,
    // A smaller space for young objects makes the longest pause shorter (docs/performance.md).
    schedulerCommand: ['--max-semi-space-size=4', ...context.relaunch.slice(0, -1), 'scheduler'],
    note: (text) => progress.note(text),
  });
  try {
    const ready = bringUp(cluster, directory, progress);
    const outcome = await Promise.race([ready.then(() => 'ready' as const), interrupted.then(() => 'stop' as const)]);
    progress.end();
    if (outcome === 'ready') {
      announce(cluster, options, progress.seconds());
      cluster.startLoad();
      await interrupted;
    } else {
      // Being torn down: what it still complains about is of no interest.
      ready.catch(() => undefined);
    }
    progress.note('stopping …');
    await cluster.stop();
    progress.note('stopped');
  } finally {
    progress.end();
    await cluster.stop();
    await killMarked(clusterMark);
  }
}

async function bringUp(cluster: LocalCluster, directory: string, progress: Progress): Promise<void> {
  await cluster.requirePorts();
  progress.show('starting Mesos, its agents and Marathon');
  await cluster.start();
  await waitUntilReady({
    mesos: cluster.mesos,
    marathon: cluster.marathonUrl,
    scheduler: cluster.scheduler,
    nodes: () => cluster.nodes(),
    apps: cluster.demoInstances(),
    timeoutMs: READY_TIMEOUT_MS,
    progress: (text) => progress.show(text),
    hopeless: () => (cluster.schedulerFailures() < HOPELESS_DEATHS ? null : 'the scheduler does not start'),
  }).catch(async (error: Error) => {
    const last = await lastLine(join(directory, 'logs', 'scheduler.stderr.log'));
    throw new Error(last === null ? error.message : `${error.message}; the scheduler's last words: ${last}`);
  });
}

function announce(cluster: LocalCluster, options: LocalOptions, seconds: string): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(cluster.document())}\n`);
    return;
  }
  const colour = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
  process.stdout.write(banner(cluster.document(), seconds, options.demo, colour));
}

/** Resolves at the first SIGINT or SIGTERM; further ones change nothing, the guardian sees to the rest. */
function interruption(): Promise<void> {
  return new Promise((resolveSignal) => {
    process.on('SIGINT', () => resolveSignal());
    process.on('SIGTERM', () => resolveSignal());
  });
}

/** @throws an Error that names the directory and says what is wrong with it. */
async function stateDirectory(wish: string | null): Promise<string> {
  if (wish === null) return mkdtemp(join(tmpdir(), 'nodemesh-local-'));
  const directory = resolve(wish);
  try {
    await makeDirectory(directory);
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Error(
      `cannot keep state in ${directory} (${cause}); choose a directory that can be written with --state`,
    );
  }
  return directory;
}

/** As `mkdir -p`; Node's own never returns where a parent cannot be made (below /proc, for one). */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path);
  }
}

/** The last line of a log, or null if there is none. */
async function lastLine(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').at(-1) || null;
}
