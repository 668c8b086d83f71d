/**
 * Work that depends on files: done at the start, again soon after something happened in one of the directories that it
 * looked at, and again now and then, because notifications do not exist on every file system and for directories that are
 * not there yet.
 */
import type { Unsubscribe } from '../routing/activity.ts';
import { type Directory, type DirectoryWatches, SETTLE_MS, type Watch, type Watcher } from './directory-watches.ts';

/** Looks at files. Returns the directories in which something has to happen before the outcome can be another. */
export type Look = () => Promise<readonly Directory[]>;

/**
 * Looks only whether what the last look found is different now, at once; false where that takes a look. Done after a
 * notification of a file system of this machine: what was written a moment ago is in memory, and reading it takes less than
 * one of the many hand-overs to the threads of the file system. A thousand files may change at once.
 */
export type Glance = () => boolean;

/** How often to look anyway, where every directory is watched. */
const SLOW_MS = 30_000;
/** How often to look where one is not: it does not exist, or watches are used up. */
const FAST_MS = 2_000;

/** Does the work once it is started, until it is stopped. */
export class RepeatedLook implements Watcher {
  private readonly watches: DirectoryWatches;
  private readonly look: Look;
  private readonly glance: Glance | null;
  /** One or two: there is such an object for each name. */
  private watched: readonly WatchedDirectory[] = [];
  private timer: NodeJS.Timeout | null = null;
  private dueAt = 0;
  private running = false;
  private again = false;
  private active = false;
  private isGlanceDue = false;

  /** A look that rejects counts as one that found no directory: it is soon made again. */
  constructor(watches: DirectoryWatches, look: Look, glance: Glance | null = null) {
    this.watches = watches;
    this.look = look;
    this.glance = glance;
  }

  /** Returns how to stop. */
  start(): Unsubscribe {
    this.active = true;
    this.run('awaited');
    return () => {
      this.active = false;
      if (this.timer !== null) clearTimeout(this.timer);
      this.timer = null;
      this.watchOnly([]);
    };
  }

  /** Something changed in a directory that is watched. */
  happened(): void {
    if (this.running || this.glance === null || !this.watched.every(({ watch }) => watch.isLocal)) this.run();
    else if (!this.isGlanceDue) {
      this.isGlanceDue = true;
      this.watches.inTurn(this);
    }
  }

  /** Its turn to glance. */
  turn(): void {
    this.isGlanceDue = false;
    if (this.active && (this.running || this.glance?.() !== true)) this.run();
  }

  private run(kind: 'awaited' | 'again' = 'again'): void {
    if (this.running) {
      this.again = true;
      return;
    }
    this.running = true;
    this.watches.whenFree(
      () =>
        this.look().then(
          (directories) => this.done(directories),
          () => this.done([]),
        ),
      kind,
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
    this.timer = setTimeout(lookAgain, delayMs, this).unref();
  }

  /** Its time has come. */
  timedOut(): void {
    this.timer = null;
    this.run();
  }

  private watchOnly(directories: readonly Directory[]): 'all' | 'new' | 'some' {
    const before = this.watched;
    const watched: WatchedDirectory[] = [];
    let added = false;
    let missing = directories.length === 0;
    for (const directory of directories) {
      if (watched.some((one) => isSame(one.directory, directory))) continue;
      const known = before.find((one) => isSame(one.directory, directory));
      const watch = known?.watch ?? this.watches.watch(directory, this);
      if (watch === null) missing = true;
      else watched.push(known ?? { directory, watch });
      if (known === undefined && watch !== null) added = true;
    }
    for (const one of before) if (!watched.includes(one)) this.watches.unwatch(one.watch, one.directory, this);
    // Without the room that a list keeps for more.
    this.watched = [...watched];
    if (added) return 'new';
    return missing ? 'some' : 'all';
  }
}

function lookAgain(look: RepeatedLook): void {
  look.timedOut();
}

interface WatchedDirectory {
  readonly directory: Directory;
  readonly watch: Watch;
}

function isSame(a: Directory, b: Directory): boolean {
  return a.identity === b.identity && a.path === b.path && a.name === b.name;
}
