/**
 * Sees to it that nothing outlives the cluster. A second process waits at the other end of a pipe; when the cluster's
 * process is gone, however it went, the pipe closes and the guardian kills every process that carries the cluster's
 * mark in its environment. The mark is inherited, so no list has to be kept and none can be out of date.
 */
import { spawn } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The environment variable that marks each process of a cluster. */
export const CLUSTER_MARK = 'NODEMESH_LOCAL_CLUSTER';
/** The hidden word that makes `nodemesh local` the guardian. */
export const GUARDIAN_WORD = 'guardian';

/** A process can fork while we look; so look again until a look finds nobody, but not for ever. */
const SWEEPS = 40;
const PAUSE_MS = 25;

/** Process ids whose environment carries the mark. Linux only, as Mesos agents are. */
export async function markedProcesses(mark: string): Promise<number[]> {
  const wanted = Buffer.from(`${CLUSTER_MARK}=${mark}`);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const marked = await Promise.all(
    pids.map(async (pid) => {
      // A process that ended meanwhile, or another user's, is not ours.
      const environment = await readFile(`/proc/${pid}/environ`).catch(() => Buffer.alloc(0));
      return environment.includes(wanted);
    }),
  );
  return pids.filter((pid, index) => marked[index] === true && pid !== process.pid);
}

/** SIGKILL for all that carry the mark, until none is left. */
export async function killMarked(mark: string): Promise<void> {
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const pids = await markedProcesses(mark);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await sleep(PAUSE_MS);
  }
}

/** The guardian's own main: waits for the pipe on standard input to close. `directory` is removed in the end, or `-`. */
export async function guard(mark: string, directory: string): Promise<void> {
  // Ctrl-C reaches the whole process group of the terminal: the guardian must be the last to go.
  const stay = (): void => undefined;
  process.on('SIGINT', stay);
  process.on('SIGTERM', stay);
  process.stdin.resume();
  await new Promise<void>((resolve) => {
    process.stdin.once('end', resolve);
    process.stdin.once('error', () => resolve());
  });
  await killMarked(mark);
  if (directory !== '-') await rm(directory, { recursive: true, force: true });
}

/** Starts the guardian; it ends by itself when this process does. */
export function startGuardian(relaunch: readonly string[], mark: string, directory: string | null): void {
  const environment = { ...process.env };
  delete environment[CLUSTER_MARK];
  const child = spawn(process.execPath, [...relaunch, GUARDIAN_WORD, mark, directory ?? '-'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: environment,
  });
  child.unref();
  // Neither the child nor the pipe to it may keep this process alive.
  if (child.stdin instanceof Socket) child.stdin.unref();
}
