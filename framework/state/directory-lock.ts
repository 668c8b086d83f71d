/**
 * Keeps a second scheduler out of a state directory: a lock file with the pid of its owner. A process that was killed
 * leaves its lock behind, so a lock counts only as long as that very process lives.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, describing, writeDurably } from './files.ts';
import { StateStoreError } from './state-store.ts';

const LOCK = '.lock';
const ATTEMPTS = 5;

const lockSchema = z.object({
  pid: z.number().int().positive(),
  /** When the process began, in the kernel's words: a pid alone is used again (in a container it is nearly always the same). */
  started: z.string().nullable(),
  token: z.string(),
});
type LockContent = z.infer<typeof lockSchema>;

export interface DirectoryLock {
  release(): Promise<void>;
}

/** @throws {StateStoreError} when a live process holds the lock. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = join(directory, LOCK);
  const mine: LockContent = { pid: process.pid, started: await startOf(process.pid), token: randomUUID() };
  const draft = join(directory, `.tmp-lock-${mine.token}`);
  const advice = 'make the directory writable for this user, or name another one';
  await describing(`cannot write to state directory ${directory}`, advice, () => writeDurably(draft, JSON.stringify(mine)));
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      // A link is made whole or not at all, so nobody ever reads half a lock.
      const taken = await link(draft, path).then(
        () => true,
        (error: unknown) => {
          if (codeOf(error) === 'EEXIST') return false;
          throw error;
        },
      );
      if (taken) return { release: () => release(path, mine) };
      await removeIfStale(directory, path, mine);
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new StateStoreError(`state directory ${directory} is being locked by others again and again; stop all but one`);
}

async function removeIfStale(directory: string, path: string, mine: LockContent): Promise<void> {
  const found = await readLock(path);
  if (found === 'gone') return;
  if (found !== 'damaged' && (await alive(found))) {
    throw new StateStoreError(
      `state directory ${directory} is in use by process ${found.pid}; ` +
        'only one scheduler may use it: stop that one, or name another directory',
    );
  }
  // Moved aside, not deleted: if somebody else was quicker and this is their fresh lock, it goes back.
  const aside = `${path}-${mine.token}`;
  const moved = await rename(path, aside).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    },
  );
  if (!moved) return;
  const took = await readLock(aside);
  const same = took === found || (typeof took === 'object' && typeof found === 'object' && took.token === found.token);
  if (!same) await link(aside, path).catch(ignoreExisting);
  await unlink(aside);
}

async function release(path: string, mine: LockContent): Promise<void> {
  const found = await readLock(path);
  if (typeof found === 'object' && found.token === mine.token) await rm(path, { force: true });
}

async function readLock(path: string): Promise<LockContent | 'gone' | 'damaged'> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'gone';
    throw new StateStoreError(`cannot read the lock ${path}; delete it if no scheduler runs`, { cause: error });
  }
  try {
    return lockSchema.parse(JSON.parse(text));
  } catch {
    // Not written by us, or by a disk that lost it: it names nobody who could hold it.
    return 'damaged';
  }
}

async function alive(lock: LockContent): Promise<boolean> {
  try {
    process.kill(lock.pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  const started = await startOf(lock.pid);
  return lock.started === null || started === lock.started;
}

/** `<boot>/<ticks>` of a live process; null where there is no /proc, `dead` for a zombie. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const [text, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // The second field is the command in parentheses, and may itself hold spaces and parentheses (proc(5)).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : `${boot.trim()}/${fields[19] ?? ''}`;
  } catch {
    // Not Linux, or the process ended just now: the pid alone must do.
    return null;
  }
}

function ignoreExisting(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error;
}
