/**
 * Notifications of directories, each watched once for however many want to know. A writer that changes a thousand files
 * makes thousands of them: they are gathered for a moment, and only who wants to know of a name that changed hears of it.
 */
import { type FSWatcher, type Stats, statfsSync, watch } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { REST_MS, Slice } from '../timing/slices.ts';

/** A directory as it was found: another one in its place has another identity. */
export interface Directory {
  readonly path: string;
  readonly identity: string;
  /** The entry of it that matters; null where all of them do. */
  readonly name: string | null;
}

/** Inode numbers are used again, so the time of birth belongs to the identity. */
export function directoryOf(path: string, { dev, ino, birthtimeMs }: Stats, name: string | null): Directory {
  return { path, name, identity: `${dev}:${ino}:${birthtimeMs}` };
}

/** Writers make several changes in a row, and many files may change at once. */
export const SETTLE_MS = 30;
/**
 * Looks at files at a time: a thousand at once would keep the event loop and the threads of the file system to themselves.
 * Requests wait for the first look at a name; each look takes a dozen turns of the loop, and turns are long under load.
 */
const MOST_LOOKS = { awaited: 64, again: 4 } as const;

/**
 * In which directories something has to happen before this file is another. A link changes in its own directory, where the
 * links that it leads by may stand beside it (as of a mounted ConfigMap), and the file that it leads to in another. Rejects
 * where the file is not there.
 */
export async function directoriesOf(file: string): Promise<Directory[]> {
  const { isLink, target } = (await lstat(file)).isSymbolicLink()
    ? { isLink: true, target: await realpath(file) }
    : { isLink: false, target: file };
  const own = dirname(target);
  const directories = [directoryOf(own, await stat(own), basename(target))];
  if (isLink) directories.push(directoryOf(dirname(file), await stat(dirname(file)), null));
  return directories;
}

/** Who wants to know of a directory. */
export interface Watcher {
  /** The entry that matters to it may have changed. */
  happened(): void;
}

/** What asked for its turn to do something short. */
export interface Turn {
  turn(): void;
}

/** A directory that is watched. */
export interface Watch {
  /** What is in it comes from memory, or from a disk of this machine: no server is asked. */
  readonly isLocal: boolean;
}

/** statfs(2): ext, XFS, btrfs, tmpfs, ramfs, overlayfs, ZFS, F2FS. */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x858458f6, 0x794c7630, 0x2fc12fc1, 0xf2f52010,
]);

type Listeners = Set<Watcher>;

/** One directory that is watched. */
class Watched implements Watch {
  readonly isLocal: boolean;
  readonly key: string;
  /** By the name of the entry that matters; null: any. */
  private readonly listeners = new Map<string | null, Listeners>();
  private readonly watcher: FSWatcher;
  /** Names that changed since the last telling; `any` where it is not known which. */
  private readonly changed = new Set<string>();
  private isAny = false;
  private timer: NodeJS.Timeout | null = null;

  /** Throws where it cannot be watched. */
  constructor(key: string, path: string) {
    this.key = key;
    this.isLocal = LOCAL_FILE_SYSTEMS.has(statfsSync(path).type);
    this.watcher = watch(path, { persistent: false }, (_event, name) => this.happened(name));
    // The directory went away, or the system took the watch back: whoever listens looks again, and sees.
    this.watcher.on('error', () => this.happened(null));
  }

  get isUsed(): boolean {
    return this.listeners.size > 0;
  }

  add(name: string | null, listener: Watcher): void {
    const listeners = this.listeners.get(name);
    if (listeners === undefined) this.listeners.set(name, new Set([listener]));
    else listeners.add(listener);
  }

  remove(name: string | null, listener: Watcher): void {
    const listeners = this.listeners.get(name);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.listeners.delete(name);
  }

  close(): void {
    this.watcher.close();
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private happened(name: string | null): void {
    // Names that nobody wants to know of would fill memory for nothing.
    if (name === null) this.isAny = true;
    else if (this.listeners.has(name) || this.listeners.has(null)) this.changed.add(name);
    else return;
    // Events without end do not put it off.
    this.timer ??= setTimeout(() => this.tell(), SETTLE_MS).unref();
  }

  private tell(): void {
    this.timer = null;
    const told: Listeners[] = this.isAny
      ? [...this.listeners.values()]
      : [null, ...this.changed].flatMap((name) => this.listeners.get(name) ?? []);
    this.isAny = false;
    this.changed.clear();
    for (const listeners of told) for (const listener of [...listeners]) listener.happened();
  }
}

/** Looks, a few at a time. */
class Lane {
  private readonly most: number;
  /** Those that wait for their turn: each watch of files has one at most. */
  private readonly waiting = new Set<() => Promise<void>>();
  private looking = 0;

  constructor(most: number) {
    this.most = most;
  }

  add(look: () => Promise<void>): void {
    this.waiting.add(look);
    this.goOn();
  }

  private goOn(): void {
    for (const look of this.waiting) {
      if (this.looking >= this.most) return;
      this.waiting.delete(look);
      this.looking += 1;
      void look().then(() => {
        this.looking -= 1;
        this.goOn();
      });
    }
  }
}

/** Short turns, in slices of time between which the loop serves requests. */
class Turns {
  private readonly waiting = new Set<Turn>();
  private readonly slice = new Slice(() => performance.now());
  private isUnderWay = false;

  add(turn: Turn): void {
    this.waiting.add(turn);
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    setImmediate(() => this.goOn());
  }

  private goOn(): void {
    this.slice.begin();
    for (const turn of this.waiting) {
      this.waiting.delete(turn);
      turn.turn();
      if (this.slice.isOver) break;
    }
    this.isUnderWay = this.waiting.size > 0;
    if (this.isUnderWay) setTimeout(() => this.goOn(), REST_MS);
  }
}

export class DirectoryWatches {
  private readonly turns = new Turns();
  private readonly watches = new Map<string, Watched>();
  private readonly lanes = { awaited: new Lane(MOST_LOOKS.awaited), again: new Lane(MOST_LOOKS.again) };

  get size(): number {
    return this.watches.size;
  }

  /** Null when the directory cannot be watched. */
  watch({ path, identity, name }: Directory, watcher: Watcher): Watch | null {
    const watched = this.watched(`${identity} ${path}`, path);
    if (watched === null) return null;
    watched.add(name, watcher);
    return watched;
  }

  /** Ends what `watch` began. */
  unwatch(watch: Watch, { name }: Directory, watcher: Watcher): void {
    if (!(watch instanceof Watched)) return;
    watch.remove(name, watcher);
    if (watch.isUsed || this.watches.get(watch.key) !== watch) return;
    watch.close();
    this.watches.delete(watch.key);
  }

  /** Has its turn soon, together with all that ask for one. */
  inTurn(turn: Turn): void {
    this.turns.add(turn);
  }

  /** Does it as soon as no more than a few others of its kind are done. `look` never rejects. */
  whenFree(look: () => Promise<void>, kind: keyof typeof MOST_LOOKS): void {
    this.lanes[kind].add(look);
  }

  private watched(key: string, path: string): Watched | null {
    const known = this.watches.get(key);
    if (known !== undefined) return known;
    try {
      const watched = new Watched(key, path);
      this.watches.set(key, watched);
      return watched;
    } catch {
      // Gone since it was looked at, or no watches are left: looking now and then has to do.
      return null;
    }
  }
}
