/** A proxy as its own processes: the supervisor that a test starts, and the workers that it starts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { useTempDir } from '../../fixtures/proxy.ts';

export interface Task {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** The processes that the supervisor has, oldest first. */
  children(): Promise<number[]>;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
}

export interface TaskOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  /** Nobody reads standard output. */
  readonly isDeaf?: boolean;
}

/** Runs `node <words>` until the test is over. */
export function useTask(words: readonly string[], { env = {}, stdin, isDeaf = false }: TaskOptions = {}): Task {
  const child = spawn(process.execPath, [...words], {
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  if (!isDeaf) child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  if (stdin !== undefined) child.stdin?.end(stdin);
  // `close`: all that it wrote was read.
  const exited = once(child, isDeaf ? 'exit' : 'close').then(([code]) => code as number | null);
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await exited;
  });
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    children: () => childrenOf(child.pid ?? 0),
    exited,
  };
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

export interface StandaloneTask extends Task {
  readonly file: string;
  /** Writes the file anew, and has it read; resolves when the supervisor has said what became of it. */
  reload(config: string): Promise<void>;
}

/** A proxy without a scheduler, once all of its workers listen. */
export async function useStandalone(
  bundle: string,
  config: string,
  { workers = 1 }: { readonly workers?: number } = {},
): Promise<StandaloneTask> {
  const directory = await useTempDir();
  const file = join(directory, 'linkerd.yaml');
  await writeFile(file, config);
  const task = useTask([bundle, file, '--data-dir', join(directory, 'state'), '--workers', String(workers)]);
  const count = (pattern: RegExp): number => task.stdout().match(pattern)?.length ?? 0;
  await eventually('all workers listen', () => count(/worker listening/g) >= workers || failed(task));
  return Object.assign(task, {
    file,
    async reload(changed: string) {
      const before = count(RELOADED);
      await writeFile(file, changed);
      task.process.kill('SIGHUP');
      await eventually('it says what became of the configuration', () => count(RELOADED) > before, 15_000);
    },
  });
}

const RELOADED = /configuration (not )?reloaded/g;

function failed({ process: child, stderr }: Task): false {
  if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}: ${stderr()}`);
  return false;
}
