/**
 * The fetcher's cache: one download for each URI however many tasks ask for it at once, never refreshed, as in Mesos.
 * The least recently used files go when there are too many.
 */
import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

interface Entry {
  readonly path: string;
  readonly download: Promise<void>;
  /** Tasks that copy or unpack it right now; such a file is not evicted. */
  users: number;
}

const MAX_FILES = 64;

export class FetchCache {
  private readonly directory: string;
  /** Most recently used last. */
  private readonly entries = new Map<string, Entry>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Downloads unless that was done before, and lends the file to `use`. */
  async use(
    uri: string,
    download: (path: string) => Promise<void>,
    use: (path: string) => Promise<void>,
  ): Promise<void> {
    const entry = this.entries.get(uri) ?? this.begin(uri, download);
    this.entries.delete(uri);
    this.entries.set(uri, entry);
    entry.users++;
    try {
      await entry.download;
      await use(entry.path);
    } finally {
      entry.users--;
    }
    await this.evict();
  }

  private begin(uri: string, download: (path: string) => Promise<void>): Entry {
    const path = join(this.directory, createHash('sha256').update(uri).digest('hex'));
    const entry: Entry = { path, users: 0, download: this.downloadTo(path, download) };
    entry.download.catch(() => {
      // The tasks that wait see the error; the next one tries anew.
      if (this.entries.get(uri) === entry) this.entries.delete(uri);
    });
    return entry;
  }

  private async downloadTo(path: string, download: (path: string) => Promise<void>): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    await download(path);
  }

  private async evict(): Promise<void> {
    for (const [uri, entry] of this.entries) {
      if (this.entries.size <= MAX_FILES) return;
      if (entry.users > 0) continue;
      this.entries.delete(uri);
      await rm(entry.path, { force: true });
    }
  }
}
