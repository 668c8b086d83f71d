/**
 * A state store in a directory, for one machine: each key is a small JSON file, replaced atomically. Versions are read
 * back from the disk before every write, so that even a scheduler that got past the lock is noticed.
 */
import { readdir, readFile, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { codeOf, describing, makeDirectory, replaceDurably, syncDirectory } from './files.ts';
import { checkedKey } from './keys.ts';
import { type StateStore, StateStoreError, VersionConflict, type Versioned } from './state-store.ts';

const SUFFIX = '.json';
/** Keys never begin with a dot, so such names are ours. */
const TEMPORARY = '.tmp-';
const ADVICE = 'make it readable and writable for this user, or name another directory';

const fileSchema = z.object({ version: z.number().int().positive(), value: z.unknown() });

/**
 * Opens (and makes, if need be) the directory and locks it; `close` gives the lock back. Every file is read once, so that
 * a damaged one is found now and not in the middle of the work.
 * @throws {StateStoreError} when the directory cannot be used, or another live process uses it.
 */
export async function openFileStore(directory: string): Promise<StateStore> {
  await describing(`state directory ${directory} cannot be used`, 'name another one or mend it', () =>
    makeDirectory(directory),
  );
  const lock = await lockDirectory(directory);
  const store = new FileStore(directory, lock);
  try {
    await store.check();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

class FileStore implements StateStore {
  readonly #directory: string;
  readonly #lock: DirectoryLock;
  /** The last operation of each key: those of one key follow each other, those of different keys may overlap. */
  readonly #tails = new Map<string, Promise<unknown>>();
  #closed = false;
  #temporaries = 0;

  constructor(directory: string, lock: DirectoryLock) {
    this.#directory = directory;
    this.#lock = lock;
  }

  get(key: string): Promise<Versioned | null> {
    return this.#inTurn(key, (path) => read(path));
  }

  put(key: string, value: unknown, expected: number | null): Promise<number> {
    return this.#inTurn(key, async (path) => {
      await expectVersion(key, path, expected);
      const version = (expected ?? 0) + 1;
      this.#temporaries += 1;
      const temporary = join(dirname(path), `${TEMPORARY}${this.#temporaries}`);
      const text = `${JSON.stringify({ version, value })}\n`;
      await describing(`cannot write ${path}`, ADVICE, () => replaceDurably(path, temporary, text));
      return version;
    });
  }

  delete(key: string, expected: number): Promise<void> {
    return this.#inTurn(key, async (path) => {
      await expectVersion(key, path, expected);
      await describing(`cannot delete ${path}`, ADVICE, async () => {
        await unlink(path);
        await syncDirectory(dirname(path));
      });
    });
  }

  async list(prefix: string): Promise<string[]> {
    this.#assertOpen();
    const entries = await entriesOf(join(this.#directory, checkedKey(prefix)));
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(SUFFIX) && !entry.name.startsWith('.'))
      .map((entry) => `${prefix}/${entry.name.slice(0, -SUFFIX.length)}`)
      .sort();
  }

  async clear(): Promise<void> {
    this.#assertOpen();
    await Promise.allSettled(this.#tails.values());
    await removeFiles(this.#directory);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#tails.values());
    await this.#lock.release();
  }

  /** Reads all, and sweeps away what a crash left half-written. */
  async check(folder = this.#directory): Promise<void> {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await this.check(path);
      else if (entry.name.startsWith(TEMPORARY)) await rm(path, { force: true });
      else if (entry.name.endsWith(SUFFIX) && !entry.name.startsWith('.')) await read(path);
    }
  }

  #inTurn<T>(key: string, work: (path: string) => Promise<T>): Promise<T> {
    this.#assertOpen();
    const path = join(this.#directory, checkedKey(key)) + SUFFIX;
    const before = this.#tails.get(key) ?? Promise.resolve();
    const turn = (): Promise<T> => work(path);
    // Whether the one before failed is the business of its own caller.
    const result = before.then(turn, turn);
    this.#tails.set(key, result);
    const clean = (): void => {
      if (this.#tails.get(key) === result) this.#tails.delete(key);
    };
    result.then(clean, clean);
    return result;
  }

  #assertOpen(): void {
    if (this.#closed) throw new StateStoreError(`the state store in ${this.#directory} is closed already`);
  }
}

async function read(path: string): Promise<Versioned | null> {
  const text = await describing(`cannot read ${path}`, ADVICE, () =>
    readFile(path, 'utf8').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    }),
  );
  if (text === null) return null;
  try {
    const { version, value } = fileSchema.parse(JSON.parse(text));
    return { version, value };
  } catch (error) {
    const damage = text === '' ? 'it is empty' : 'it is not the JSON that was written';
    throw new StateStoreError(
      `state file ${path} is damaged: ${damage}; put a copy from a backup there, or delete the file to forget what it said`,
      { cause: error },
    );
  }
}

/** All files of keys, and the folders that are empty then; locks stay. */
async function removeFiles(folder: string): Promise<void> {
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      await removeFiles(path);
      await describing(`cannot delete ${path}`, ADVICE, () => rm(path, { recursive: true, force: true }));
    } else if (entry.name.endsWith(SUFFIX) && !entry.name.startsWith('.')) {
      await describing(`cannot delete ${path}`, ADVICE, () => rm(path, { force: true }));
    }
  }
  await syncDirectory(folder);
}

async function expectVersion(key: string, path: string, expected: number | null): Promise<void> {
  const found = (await read(path))?.version ?? null;
  if (found !== expected) throw new VersionConflict(key, expected, found);
}

function entriesOf(folder: string) {
  return describing(`cannot read ${folder}`, ADVICE, () =>
    readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }),
  );
}
