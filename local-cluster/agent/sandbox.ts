/** A task's own directory, laid out as a Mesos agent does it, and its two log files, which never grow without bound. */
import { type FileHandle, mkdir, open, rm, rmdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface SandboxOwner {
  readonly agentId: string;
  readonly frameworkId: string;
  /** A command task's executor has the task's id. */
  readonly taskId: string;
  readonly containerId: string;
}

const LOG_NAMES = ['stdout', 'stderr'] as const;

/** Ids that would lead out of the work directory are made harmless; a master refuses them anyway. */
export function sandboxPath(workDir: string, owner: SandboxOwner): string {
  const [agent, framework, executor, run] = [owner.agentId, owner.frameworkId, owner.taskId, owner.containerId].map(
    (id) => (/^\.{0,2}$/.test(id) ? `_${id}` : id.replaceAll(/[/\0]/g, '_')),
  ) as [string, string, string, string];
  return join(workDir, 'slaves', agent, 'frameworks', framework, 'executors', executor, 'runs', run);
}

export async function createSandbox(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await Promise.all(LOG_NAMES.map((name) => writeFile(join(directory, name), '', { flag: 'a' })));
  const latest = join(dirname(directory), 'latest');
  await rm(latest, { force: true });
  await symlink(directory, latest);
}

/** Appending, so that the file can be cut under a process that writes to it. */
export async function openLogs(directory: string): Promise<{ stdout: FileHandle; stderr: FileHandle }> {
  const [stdout, stderr] = await Promise.all([
    open(join(directory, 'stdout'), 'a'),
    open(join(directory, 'stderr'), 'a'),
  ]);
  return { stdout, stderr };
}

/** Moves the end of a log that is longer than `maxBytes` to `<name>.1` and begins it anew. */
export async function rotateLogs(directory: string, maxBytes: number): Promise<void> {
  for (const name of LOG_NAMES) {
    const path = join(directory, name);
    const { size } = await stat(path);
    if (size <= maxBytes) continue;
    await writeFile(`${path}.1`, await readTail(path, size, Math.floor(maxBytes / 2)));
    await truncate(path, 0);
  }
}

async function readTail(path: string, size: number, bytes: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, size - bytes);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Removes one run, and the executor's directory if that was its only one. */
export async function removeSandbox(directory: string): Promise<void> {
  const runs = dirname(directory);
  await rm(directory, { recursive: true, force: true });
  try {
    await rm(join(runs, 'latest'), { force: true });
    await rmdir(runs);
    await rmdir(dirname(runs));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
  }
}
