/**
 * Work that depends on files: done at the start, again soon after something happened in one of the directories that it
 * looked at, and again now and then, because notifications do not exist on every file system and for directories that are
 * not there yet.
 */
import { type FSWatcher, type Stats, watch } from 'node:fs';
import type { Unsubscribe } from '../routing/activity.ts';

/** A directory as it was found: another one in its place has another identity. */
export interface Directory {
  readonly path: string;
  readonly identity: string;
}

/** Inode numbers are used again, so the time of birth belongs to the identity. */
export function directoryOf(path: string, { dev, ino, birthtimeMs }: Stats): Directory {
  return { path, identity: `${dev}:${ino}:${birthtimeMs}` };
}

/** Looks at files. Returns the directories in which something has to happen before the outcome can be another. */
export type Look = () => Promise<readonly Directory[]>;

/** Writers make several changes in a row, and many files may change at once. */
const SETTLE_MS = 30;
/** How often to look anyway, where every directory is watched. */
const SLOW_MS = 30_000;
/** How often to look where one is not: it does not exist, or watches are used up. */
const FAST_MS = 2_000;

interface Watch {
  readonly watcher: FSWatcher;
  readonly listeners: Set<() => void>;
}

/** Watches each directory once, for however many want to know. */
export class DirectoryWatches {
  private readonly watches = new Map<string, Watch>();

  get size(): number {
    return this.watches.size;
  }

  /** Null when the directory cannot be watched. */
  watch({ path, identity }: Directory, listener: () => void): Unsubscribe | null {
    const key = `${identity} ${path}`;
    let entry = this.watches.get(key);
    if (entry === undefined) {
      const listeners = new Set<() => void>();
      const watcher = openWatcher(path, () => {
        for (const each of [...listeners]) each();
      });
      if (watcher === null) return null;
      entry = { watcher, listeners };
      this.watches.set(key, entry);
    }
    const { watcher, listeners } = entry;
    listeners.add(listener);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      watcher.close();
      this.watches.delete(key);
    };
  }
}

function openWatcher(path: string, happened: () => void): FSWatcher | null {
  try {
    const watcher = watch(path, { persistent: false }, happened);
    // The directory went away, or the system took the watch back: whoever listens looks again, and sees.
    watcher.on('error', happened);
    return watcher;
  } catch {
    // Gone since it was looked at, or no watches are left: looking now and then has to do.
    return null;
  }
}

/** Does the work once it is started, until it is stopped. */
export class FolderWatch {
  private readonly watches: DirectoryWatches;
  private readonly look: Look;
  private readonly watched = new Map<string, Unsubscribe>();
  private timer: NodeJS.Timeout | null = null;
  private dueAt = 0;
  private running = false;
  private again = false;
  private active = false;
  private readonly happened = (): void => this.schedule(SETTLE_MS);

  /** A look that rejects counts as one that found no directory: it is soon made again. */
  constructor(watches: DirectoryWatches, look: Look) {
    this.watches = watches;
    this.look = look;
  }

  /** Returns how to stop. */
  start(): Unsubscribe {
    this.active = true;
    this.run();
    return () => {
      this.active = false;
      if (this.timer !== null) clearTimeout(this.timer);
      this.timer = null;
      this.watchOnly([]);
    };
  }

  private run(): void {
    if (this.running) {
      this.again = true;
      return;
    }
    this.running = true;
    this.look().then(
      (directories) => this.done(directories),
      () => this.done([]),
    );
  }

  private done(directories: readonly Directory[]): void {
    this.running = false;
    if (!this.active) return;
    const watched = this.watchOnly(directories);
    if (this.again) {
      this.again = false;
      this.run();
      return;
    }
    // Something may have happened between the look and the watch: a directory that is new is looked at once more.
    this.schedule({ new: SETTLE_MS, all: SLOW_MS, some: FAST_MS }[watched]);
  }

  /** What is due earlier stays: events without end do not put it off. */
  private schedule(delayMs: number): void {
    if (!this.active) return;
    const at = performance.now() + delayMs;
    if (this.timer !== null) {
      if (this.dueAt <= at) return;
      clearTimeout(this.timer);
    }
    this.dueAt = at;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.run();
    }, delayMs).unref();
  }

  private watchOnly(directories: readonly Directory[]): 'all' | 'new' | 'some' {
    const wanted = new Map(directories.map((directory) => [`${directory.identity} ${directory.path}`, directory]));
    for (const [key, stop] of this.watched) {
      if (wanted.has(key)) continue;
      stop();
      this.watched.delete(key);
    }
    let added = false;
    let missing = directories.length === 0;
    for (const [key, directory] of wanted) {
      if (this.watched.has(key)) continue;
      const stop = this.watches.watch(directory, this.happened);
      if (stop === null) {
        missing = true;
      } else {
        this.watched.set(key, stop);
        added = true;
      }
    }
    if (added) return 'new';
    return missing ? 'some' : 'all';
  }
}
