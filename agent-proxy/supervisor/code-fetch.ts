/**
 * Brings the code of an upgrade onto this node: fetches the archive, checks it, unpacks it into a directory of its own.
 * Done by a process of its own, which then ends, so that a supervisor stays as small as it is and never waits for a disk.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CODE_FILE, type ProxyCode, readCode } from '../control/code-archive.ts';
import type { Upgrade } from '../control/contract.ts';
import { SUPERVISOR_PROTOCOL } from '../control/wire-words.ts';

/** An archive with a Node.js in it has 45 MB. */
const MAX_ARCHIVE_BYTES = 256 * 1024 * 1024;
/** A server that sends nothing for so long sends nothing more. */
const STALL_MS = 10_000;

/** What the process of its own says at its end. */
export type FetchedCode =
  | { readonly kind: 'ok'; readonly file: string }
  | { readonly kind: 'failed'; readonly reason: string };

export type WantedCode = Pick<Upgrade, 'url' | 'sha256' | 'codeSha256'>;

/** The file to run, below `directory`. @throws an Error that says why it cannot be had. */
export async function fetchCode({ url, sha256, codeSha256 }: WantedCode, directory: string): Promise<string> {
  const target = join(directory, codeSha256);
  const unfinished = `${target}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o755 });
  try {
    const archive = join(unfinished, 'archive.tar.gz');
    const got = await download(url, archive);
    if (got !== sha256) throw new Error(`the archive ${url} has the SHA-256 ${got}, and ${sha256} is wanted`);
    const code = await unpack(archive, url);
    if (code.sha256 !== codeSha256) {
      throw new Error(`the code in ${url} has the SHA-256 ${code.sha256}, and ${codeSha256} is wanted`);
    }
    if (code.supervisor !== SUPERVISOR_PROTOCOL) {
      const need = `a supervisor of protocol ${code.supervisor}, and this task's has ${SUPERVISOR_PROTOCOL}`;
      throw new Error(`version ${code.version} needs ${need}: it needs a new task`);
    }
    await rm(archive);
    await writeFile(join(unfinished, CODE_FILE), code.bytes, { mode: 0o755 });
    await rm(target, { recursive: true, force: true });
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  return join(target, CODE_FILE);
}

/** Writes what the URL has to a file; its SHA-256. */
async function download(url: string, file: string): Promise<string> {
  const response = await answerOf(url);
  const hash = createHash('sha256');
  let bytes = 0;
  const checked = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > MAX_ARCHIVE_BYTES) throw new Error(`the archive ${url} has more than ${MAX_ARCHIVE_BYTES} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    await pipeline(response, checked, createWriteStream(file));
  } catch (error) {
    throw new Error(`the archive ${url} did not come to its end: ${reasonOf(error)}`, { cause: error });
  }
  return hash.digest('hex');
}

function answerOf(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const failed = (why: string): void => reject(new Error(`the archive ${url} cannot be fetched: ${why}`));
    // Not the global `fetch`, which refuses servers on ports that browsers think bad.
    const get = url.startsWith('https:') ? getHttps : getHttp;
    const outgoing = get(url, { agent: false, timeout: STALL_MS }, (response) => {
      if (response.statusCode === 200) {
        resolve(response);
        return;
      }
      response.destroy();
      failed(`the server answered ${response.statusCode}`);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`nothing came for ${STALL_MS} ms`)));
    outgoing.on('error', (error) => failed(error.message));
  });
}

async function unpack(archive: string, url: string): Promise<ProxyCode> {
  const file = createReadStream(archive);
  const unpacked = createGunzip();
  // Its errors come out of `unpacked`; and what is not read to its end is ended here.
  const flow = pipeline(file, unpacked).catch(() => undefined);
  try {
    return await readCode(unpacked);
  } catch (error) {
    throw new Error(`the archive ${url} cannot be unpacked: ${reasonOf(error)}`, { cause: error });
  } finally {
    file.destroy();
    unpacked.destroy();
    await flow;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Says to the parent how it ended. */
export async function fetchForParent(wanted: WantedCode, directory: string): Promise<void> {
  const answer = await fetchCode(wanted, directory).then(
    (file): FetchedCode => ({ kind: 'ok', file }),
    (error: unknown): FetchedCode => ({ kind: 'failed', reason: reasonOf(error) }),
  );
  await new Promise<void>((resolve) => {
    if (process.send === undefined) throw new Error('--fetch-code is internal: it answers the supervisor');
    process.send(answer, undefined, undefined, () => resolve());
  });
}
