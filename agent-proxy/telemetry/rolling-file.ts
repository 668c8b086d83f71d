/**
 * A log file that rolls, behind a bounded queue: what does not fit is dropped and counted, and nobody ever waits for the
 * disk. Several workers may write to one file: each appends whole lines, one of them rolls it, and the others go on with the
 * new one when they find that theirs has moved.
 */
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { nextRoll, type RollPolicy, rollSuffix } from './roll-policy.ts';

/** Characters that wait for the disk, at most: some 20,000 lines. */
const QUEUE_LIMIT = 4 * 1024 * 1024;
/** Lines wait this long for company. */
const FLUSH_MS = 50;

export interface RollingFileOptions {
  readonly path: string;
  readonly policy: RollPolicy;
  /** Go on with a file that is there. Otherwise it is emptied when it is first opened. */
  readonly append: boolean;
  /** Whether this process rolls the file: of several workers one does. */
  readonly rolls: boolean;
  /** Rolled files that are kept; −1 for all. */
  readonly rotateCount: number;
  /** ms since 1970. */
  readonly wallClock: () => number;
  /** Hears of the first of several failures in a row. */
  readonly onError: (error: Error) => void;
  readonly queueLimit?: number;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly inode: number;
  readonly since: number;
  bytes: number;
}

export class RollingFile {
  /** Lines that were lost: the queue was full, or the file could not be written. */
  dropped = 0;
  private readonly options: RollingFileOptions;
  private readonly limit: number;
  private queue: string[] = [];
  private queued = 0;
  private file: OpenFile | null = null;
  private emptied: boolean;
  private failing = false;
  private closed = false;
  private timer: NodeJS.Timeout | null = null;
  private writing: Promise<void> | null = null;

  constructor(options: RollingFileOptions) {
    this.options = options;
    this.limit = options.queueLimit ?? QUEUE_LIMIT;
    this.emptied = options.append;
  }

  /** `line` is a byte string without its line end. Never waits. */
  append(line: string): void {
    if (this.closed || this.queued + line.length > this.limit) {
      this.dropped += 1;
      return;
    }
    this.queue.push(line);
    this.queued += line.length;
    if (this.timer === null && this.writing === null) this.writeSoon();
  }

  /** Writes what is queued and closes the file. Lines that come later are dropped. */
  async close(): Promise<void> {
    this.closed = true;
    await this.flush();
    await this.file?.handle.close();
    this.file = null;
  }

  /** Writes what is queued now. */
  async flush(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    while (this.writing !== null) await this.writing;
    if (this.queue.length === 0) return;
    this.writing = this.writeQueue().finally(() => {
      this.writing = null;
      if (this.queue.length > 0 && !this.closed) this.writeSoon();
    });
    await this.writing;
  }

  private writeSoon(): void {
    this.timer ??= setTimeout(() => {
      void this.flush();
    }, FLUSH_MS).unref();
  }

  private async writeQueue(): Promise<void> {
    const lines = this.queue;
    this.queue = [];
    this.queued = 0;
    const bytes = Buffer.from(`${lines.join('\n')}\n`, 'latin1');
    try {
      const file = await this.current();
      await file.handle.appendFile(bytes);
      file.bytes += bytes.length;
      this.failing = false;
    } catch (error) {
      this.dropped += lines.length;
      if (!this.failing) this.options.onError(error instanceof Error ? error : new Error(String(error)));
      this.failing = true;
      await this.leave();
    }
  }

  /** The file to write to now: the one that is open, unless it is full or no longer the one at its path. */
  private async current(): Promise<OpenFile> {
    const { policy, path, rolls, wallClock } = this.options;
    if (this.file !== null && !(await this.isStillAt(path, this.file))) await this.leave();
    const file = this.file ?? (await this.open());
    if (!rolls) return file;
    const isFull = policy.kind === 'size' ? file.bytes >= policy.bytes : wallClock() >= nextRoll(policy, file.since);
    if (!isFull) return file;
    await this.leave();
    await this.roll(file.since);
    return this.open();
  }

  private async isStillAt(path: string, file: OpenFile): Promise<boolean> {
    try {
      const there = await stat(path);
      // What other workers have written counts too.
      file.bytes = there.size;
      return there.ino === file.inode;
    } catch {
      // Moved away or removed: opening says what is wrong, if anything is.
      return false;
    }
  }

  private async open(): Promise<OpenFile> {
    const { path, wallClock } = this.options;
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(path, 'a');
    if (!this.emptied) await handle.truncate(0);
    this.emptied = true;
    const { ino, size, mtimeMs } = await handle.stat();
    // A file of an earlier process belongs to the period in which it was last written.
    const file = { handle, inode: ino, bytes: size, since: size === 0 ? wallClock() : mtimeMs };
    this.file = file;
    return file;
  }

  private async leave(): Promise<void> {
    const { file } = this;
    this.file = null;
    await file?.handle.close().catch(this.options.onError);
  }

  /** `access.log` becomes `access-20260301.log`. */
  private async roll(since: number): Promise<void> {
    const { path, policy, rotateCount } = this.options;
    const extension = extname(path);
    const stem = path.slice(0, path.length - extension.length);
    const suffix = rollSuffix(policy, since);
    await rename(path, await freeName(`${stem}${suffix}`, extension));
    if (rotateCount >= 0) await removeOldest(stem, extension, rotateCount);
  }
}

/** The name, or with a number where two files of one period meet (a restart, two rolls in one second). */
async function freeName(stem: string, extension: string): Promise<string> {
  const taken = new Set(await readdir(dirname(stem)));
  let name = `${stem}${extension}`;
  for (let number = 1; taken.has(basename(name)); number += 1) name = `${stem}-${number}${extension}`;
  return name;
}

async function removeOldest(stem: string, extension: string, keep: number): Promise<void> {
  const folder = dirname(stem);
  const prefix = basename(stem);
  const rolled: { path: string; mtimeMs: number }[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith(extension)) continue;
    if (!/^-\d{8}(-\d{2}|-\d{6})?(-\d+)?$/.test(name.slice(prefix.length, name.length - extension.length))) continue;
    const path = join(folder, name);
    rolled.push({ path, mtimeMs: (await stat(path)).mtimeMs });
  }
  rolled.sort((a, b) => b.mtimeMs - a.mtimeMs || (a.path < b.path ? 1 : -1));
  for (const { path } of rolled.slice(keep)) await rm(path, { force: true });
}
