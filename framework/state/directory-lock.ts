/**
 * Keeps a second scheduler out of a state directory: a lock file with the pid of its owner. A process that was killed
 * leaves its lock behind, so a lock counts only as long as that very process lives.
 *
 * Lock files are numbered and the highest one counts. Who takes over makes the next number, which only one can make, and
 * numbers never fall: so nobody ever has to delete a lock of which he cannot be sure that it is still the one he judged.
 */
import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, describing, writeDurably } from './files.ts';
import { StateStoreError } from './state-store.ts';

const NAME = /^\.lock-(\d+)$/;
const ATTEMPTS = 50;

const lockSchema = z.object({
  /** Null: given back. */
  pid: z.number().int().positive().nullable(),
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
  const mine: LockContent = { pid: process.pid, started: await startOf(process.pid), token: randomUUID() };
  const draft = join(directory, `.lock-draft-${mine.token}`);
  const advice = 'make the directory writable for this user, or name another one';
  return await describing(`cannot lock state directory ${directory}`, advice, async () => {
    await writeDurably(draft, JSON.stringify(mine));
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const number = await take(directory, draft);
        if (number !== null) return { release: () => release(directory, number, mine) };
      }
    } finally {
      await rm(draft, { force: true });
    }
    throw new StateStoreError(
      `state directory ${directory} is being locked by others again and again; stop all but one`,
    );
  });
}

/** The number of the lock that was taken, or null when somebody else was quicker. */
async function take(directory: string, draft: string): Promise<number | null> {
  const highest = (await numbersIn(directory)).at(-1) ?? 0;
  const holder = highest === 0 ? null : await readLock(pathOf(directory, highest));
  if (holder !== null && holder.pid !== null && (await alive(holder.pid, holder.started))) {
    throw new StateStoreError(
      `state directory ${directory} is in use by process ${holder.pid}; ` +
        'only one scheduler may use it: stop that one, or name another directory',
    );
  }
  const number = highest + 1;
  try {
    // A link is made whole or not at all, so nobody ever reads half a lock.
    await link(draft, pathOf(directory, number));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return null;
    throw error;
  }
  const numbers = await numbersIn(directory);
  if (numbers.at(-1) !== number) {
    // What was judged above had been taken over long ago.
    await rm(pathOf(directory, number), { force: true });
    return null;
  }
  for (const older of numbers) if (older < number) await rm(pathOf(directory, older), { force: true });
  return number;
}

/** The file stays, so that the numbers go on. */
async function release(directory: string, number: number, mine: LockContent): Promise<void> {
  const path = pathOf(directory, number);
  if ((await readLock(path))?.token !== mine.token) return;
  const draft = join(directory, `.lock-draft-${mine.token}`);
  await writeDurably(draft, JSON.stringify({ ...mine, pid: null }));
  await rename(draft, path);
}

const pathOf = (directory: string, number: number): string => join(directory, `.lock-${number}`);

async function numbersIn(directory: string): Promise<number[]> {
  const numbers = (await readdir(directory)).map((name) => Number(NAME.exec(name)?.[1] ?? 0));
  return numbers.filter((number) => number > 0).sort((a, b) => a - b);
}

async function readLock(path: string): Promise<LockContent | null> {
  try {
    return lockSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    // Taken over just now, or not written by us: it names nobody who could hold it.
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

async function alive(pid: number, startedThen: string | null): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // There is such a process, of another user.
    return codeOf(error) === 'EPERM';
  }
  const started = await startOf(pid);
  return started !== 'dead' && (startedThen === null || started === null || started === startedThen);
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
