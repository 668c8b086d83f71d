/**
 * `nodemesh proxy`: the supervisor of one node's proxy, or one of the processes that it starts (`--worker`, `--check`,
 * `--fetch-code`). Each loads what it needs and nothing else: the supervisor has neither the data path nor the schema.
 */
import { join } from 'node:path';
import type { WantedConfig } from './config/check.ts';
import { lowLimitWarning, openFileLimit } from './config/open-files.ts';
import { type CommonSpec, configSpec, controlListeners, parseCommand, type Source, USAGE } from './config/options.ts';
import type { GivenConfig, ProxySpec } from './config/spec.ts';
import { CodeStore } from './supervisor/code-store.ts';
import { readConfig } from './supervisor/config-reader.ts';
import { keptConfig, withJsonFile } from './supervisor/last-config.ts';
import { supervise } from './supervisor/supervisor.ts';
import { BoundedLog } from './telemetry/log.ts';

export interface MainContext {
  readonly version: string;
  /** The directory of the built files. */
  readonly dist: string;
  /** Arguments after process.execPath that run this same command again. */
  readonly relaunch: readonly string[];
}

/**
 * Resolves when the proxy has stopped. Throws an Error with `exitCode` 2 for bad usage, 1 for a configuration that cannot
 * be used; one with `lines` is told by these lines as they are.
 */
export async function main(args: readonly string[], context: MainContext): Promise<void> {
  const command = parseCommand(args, process.env, context.version);
  switch (command.kind) {
    case 'help':
      process.stdout.write(`${USAGE}\n`);
      return;
    case 'worker': {
      const { work } = await import('./worker.ts');
      await work(context.version);
      return;
    }
    case 'check':
    case 'check-mesh': {
      const { checkFile, checkMeshFile, tellParent } = await import('./config/check.ts');
      await tellParent(command.kind === 'check' ? checkFile(command.file) : checkMeshFile(command.file));
      return;
    }
    case 'fetch-code': {
      const { fetchForParent } = await import('./supervisor/code-fetch.ts');
      await fetchForParent(command.wanted, command.directory);
      return;
    }
    case 'validate': {
      const { warnings } = await readConfig(checkWords(command.file, context));
      for (const warning of warnings) process.stderr.write(`${nameOf(command.file)}: ${warning}\n`);
      process.stdout.write(`${nameOf(command.file)} is valid\n`);
      return;
    }
    case 'run':
      await run(command.source, command.workers, context);
      return;
  }
}

async function run(source: Source, workers: number, context: MainContext): Promise<void> {
  const log = new BoundedLog();
  const warning = lowLimitWarning(openFileLimit());
  if (warning !== null) log.warn(warning);
  try {
    const launch = [...context.relaunch, '--worker'];
    const spec =
      source.kind === 'scheduler'
        ? await withKeptConfig(source.spec, launch, log)
        : await specOf(source.file, source.common, context, log);
    await supervise({
      ...{ spec, workers, log, launch, meshSpec },
      codes: new CodeStore(join(spec.dataDir, 'code'), context.relaunch),
      reread: () => reread(source, context, log),
    });
  } finally {
    log.close();
  }
}

/** What a scheduler gave last, if it still does: where it does not, a scheduler will say what to do. */
async function withKeptConfig(spec: ProxySpec, launch: readonly string[], log: BoundedLog): Promise<ProxySpec> {
  const kept = keptConfig(spec.dataDir);
  if (kept === null) return spec;
  try {
    return await meshSpec(spec, kept, launch);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.warn('the configuration on disk cannot be used', { revision: kept.revision, why });
    return spec;
  }
}

/**
 * What a proxy is under a configuration of its scheduler, by the code that workers run. Rejects with an Error that says why
 * it cannot be used.
 */
async function meshSpec(spec: ProxySpec, given: GivenConfig, launch: readonly string[]): Promise<ProxySpec> {
  const { mesh } = spec;
  if (mesh === null) throw new Error('a proxy without a scheduler has its own configuration');
  const wanted: WantedConfig = { document: given.document, listen: mesh.listen };
  const { config } = await withJsonFile(spec.dataDir, wanted, (file) =>
    readConfig([...launch.filter((word) => word !== '--worker'), '--check-mesh', '--', file]),
  );
  const { listeners, ...rest } = configSpec(config);
  const all = [...listeners, ...controlListeners(mesh.nodeIp, mesh.listen)];
  return { ...spec, ...rest, listeners: all, mesh: { ...mesh, config: given } };
}

async function reread(source: Source, context: MainContext, log: BoundedLog): Promise<ProxySpec> {
  if (source.kind === 'scheduler') throw new Error('under a scheduler there is no CONFIG to read again');
  if (source.file === '-') throw new Error('the configuration came from standard input, which cannot be read again');
  return await specOf(source.file, source.common, context, log);
}

async function specOf(file: string, common: CommonSpec, context: MainContext, log: BoundedLog): Promise<ProxySpec> {
  const { config, warnings } = await readConfig(checkWords(file, context));
  for (const warning of warnings) log.warn(`${nameOf(file)}: ${warning}`);
  return { ...common, mesh: null, ...configSpec(config) };
}

function checkWords(file: string, { relaunch }: MainContext): string[] {
  // A file's name may begin with a dash.
  return [...relaunch, '--check', '--', file];
}

function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}
