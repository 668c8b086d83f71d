/**
 * Files that survive a crash: written aside, flushed, renamed, and the directory flushed too. And the words for what can
 * go wrong with them.
 */
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StateStoreError } from './state-store.ts';

/** Puts `text` at `path` by way of `temporary` (same directory): after a crash the file is the old one or the new one, whole. */
export async function replaceDurably(path: string, temporary: string, text: string): Promise<void> {
  const directory = dirname(path);
  await makeDirectory(directory);
  await writeDurably(temporary, text);
  await rename(temporary, path);
  await syncDirectory(directory);
}

/** As `mkdir -p`. Node's own recursive mkdir never returns where a parent cannot be made (below /proc, for one). */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path).catch((again: unknown) => {
      if (codeOf(again) !== 'EEXIST') throw again;
    });
  }
}

/** Writes a file and waits until it is on the disk. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename or an unlink is durable only when the directory is. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The system's error code (`ENOENT`), if it is such an error. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Why a path cannot be used, in words. */
export function whyUnusable(error: unknown): string {
  switch (codeOf(error)) {
    case 'EEXIST':
    case 'ENOTDIR':
      return 'a file is in the place of a directory';
    case 'EISDIR':
      return 'a directory is in the place of a file';
    case 'ENOENT':
      return 'it does not exist and cannot be made';
    case 'EACCES':
    case 'EPERM':
      return 'this user has no permission';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** Runs `work`; what the file system refuses becomes a StateStoreError that says what was tried and why it failed. */
export async function describing<T>(attempt: string, advice: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StateStoreError) throw error;
    throw new StateStoreError(`${attempt}: ${whyUnusable(error)}; ${advice}`, { cause: error });
  }
}
