/** Looking into sandboxes over HTTP: listing and paged reading, of what lies in the work directory only. */
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { HttpError } from './http-answer.ts';

/** As `/files/browse` shows it. */
export interface FileEntry {
  readonly path: string;
  readonly nlink: number;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Mesos pages by at most 16 memory pages. */
const MAX_READ_BYTES = 16 * 4096;

export class AgentFiles {
  private readonly workDir: string;

  constructor(workDir: string) {
    this.workDir = workDir;
  }

  async browse(path: string): Promise<FileEntry[]> {
    const directory = await this.inside(path);
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR') throw new HttpError(400, `'${path}' is not a directory`);
      throw error;
    });
    const entries = await Promise.all(names.sort().map((name) => this.entry(join(path, name), join(directory, name))));
    return entries.filter((entry) => entry !== null);
  }

  /** Without an offset, or with -1: only how long the file is, in `offset`, as in Mesos. */
  async read(path: string, offset: number, length: number): Promise<{ data: Buffer; offset: number; size: number }> {
    const name = await this.inside(path);
    const file = await open(name, 'r');
    try {
      const about = await file.stat();
      if (!about.isFile()) throw new HttpError(400, `'${path}' is not a file`);
      if (offset < 0) return { data: Buffer.alloc(0), offset: about.size, size: about.size };
      const bytes = Math.max(0, Math.min(length, MAX_READ_BYTES, about.size - offset));
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, offset);
      return { data: buffer.subarray(0, bytesRead), offset, size: about.size };
    } finally {
      await file.close();
    }
  }

  /** The real path. @throws {HttpError} 404 for what is not there or not ours to show, links included. */
  private async inside(path: string): Promise<string> {
    const missing = new HttpError(404, `There is no file or directory '${path}'`);
    const root = await realpath(join(this.workDir, 'slaves')).catch(() => {
      throw missing;
    });
    const real = await realpath(path).catch(() => {
      throw missing;
    });
    if (real !== root && !real.startsWith(root + sep)) throw missing;
    return real;
  }

  private async entry(shown: string, real: string): Promise<FileEntry | null> {
    try {
      const about = await stat(real);
      const { nlink, size, mode, uid, gid } = about;
      return { path: shown, nlink, size, mtime: Math.floor(about.mtimeMs / 1000), mode, uid, gid };
    } catch (error) {
      // Removed since it was listed, or a link to nowhere.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }
}
