/** A zip file on disk: whole or not there at all, and the same bytes for the same files, in any time zone. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** The format counts from 1980, in the local time of whoever writes it. */
const MTIME = new Date(1980, 0, 1);
const LEVEL = 6;
const PLAIN_FILE = 0o100000;

/**
 * @param {readonly import('../../agent-proxy/control/tar.ts').TarEntry[]} entries
 * @param {string} file
 * @param {number} level of zlib, 0 (stored) to 9
 */
export async function writeZip(entries, file, level = LEVEL) {
  const unfinished = `${file}.${process.pid}.new`;
  await mkdir(dirname(file), { recursive: true });
  const zip = new ZipFile();
  for (const { name, isExecutable, body } of entries) {
    const mode = PLAIN_FILE | (isExecutable ? 0o755 : 0o644);
    zip.addBuffer(body, name, { mtime: MTIME, forceDosTimestamp: true, mode, compressionLevel: level });
  }
  zip.end();
  try {
    await pipeline(zip.outputStream, createWriteStream(unfinished));
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
}
