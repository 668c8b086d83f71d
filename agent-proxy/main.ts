/** `nodemesh proxy`: the supervisor of one node's proxy, or (`--worker`, internal) the worker that it runs. */
import { parseCommand, USAGE } from './config/options.ts';
import { supervise } from './supervisor/supervisor.ts';
import { BoundedLog } from './telemetry/log.ts';

export interface MainContext {
  readonly version: string;
  /** The directory of the built files. */
  readonly dist: string;
  /** Arguments after process.execPath that run this same command again. */
  readonly relaunch: readonly string[];
}

/** Resolves when the proxy has stopped. Throws an Error with `exitCode` 2 for bad usage. */
export async function main(args: readonly string[], context: MainContext): Promise<void> {
  const command = await parseCommand(args, process.env, context.version);
  switch (command.kind) {
    case 'help':
      process.stdout.write(`${USAGE}\n`);
      return;
    case 'worker': {
      // Loaded only by the worker: the supervisor stays small.
      const { work } = await import('./worker.ts');
      await work();
      return;
    }
    case 'run': {
      const log = new BoundedLog();
      try {
        await supervise({ spec: command.spec, launch: [...context.relaunch, '--worker'], log });
      } finally {
        log.close();
      }
      return;
    }
  }
}
