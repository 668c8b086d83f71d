/**
 * A gzipped tar on disk, with its digest: whole or not there at all, and the same bytes for the same files. Whatever the
 * project ships to a host is written here.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type TarEntry, tarOf } from '../../agent-proxy/control/tar.ts';

/** A Node.js binary gets no smaller by more work. */
export const GZIP_LEVEL = 6;

export interface Tarball {
  readonly file: string;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** @param level of zlib, 0 (stored) to 9 */
export async function writeTarball(entries: readonly TarEntry[], file: string, level = GZIP_LEVEL): Promise<Tarball> {
  const unfinished = `${file}.${process.pid}.new`;
  await mkdir(dirname(file), { recursive: true });
  const hash = createHash('sha256');
  let size = 0;
  const measured = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  try {
    await pipeline(Readable.from(tarOf(entries)), createGzip({ level }), measured, createWriteStream(unfinished));
    await rename(unfinished, file);
    return { file, sha256: hash.digest('hex'), size };
  } finally {
    await rm(unfinished, { force: true });
  }
}
