/** Brings a task's URIs into its sandbox before it starts: download, cache, unpack, make executable. */
import { createWriteStream } from 'node:fs';
import { appendFile, chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { Agent, interceptors, request } from 'undici';
import type { CommandUri } from '../../framework/mesos-http-client/messages.ts';
import { extract, isArchive } from './extract.ts';
import { FetchCache } from './fetch-cache.ts';

/** Mesos' `--fetcher_stall_timeout`: how long a download may bring nothing. */
const STALL_MS = 60_000;
const MAX_REDIRECTIONS = 5;

export class Fetcher {
  private readonly cache: FetchCache;
  /** Not the global `fetch`, which refuses servers on ports that browsers think bad. */
  private readonly http = new Agent({
    headersTimeout: STALL_MS,
    bodyTimeout: STALL_MS,
    connect: { timeout: STALL_MS },
  });
  private readonly dispatcher = this.http.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTIONS }));
  private readonly closed = new AbortController();

  constructor(cacheDirectory: string) {
    this.cache = new FetchCache(cacheDirectory);
  }

  /**
   * Fetches one after the other, as Mesos does. Why it failed is written to the sandbox's stderr.
   * @throws an Error when one cannot be had, or `signal` is aborted.
   */
  async fetchAll(uris: readonly CommandUri[], sandbox: string, signal: AbortSignal): Promise<void> {
    for (const uri of uris) {
      try {
        await this.fetch(uri, sandbox, signal);
      } catch (error) {
        await appendFile(join(sandbox, 'stderr'), `Failed to fetch '${uri.value}': ${reasonOf(error)}\n`);
        throw error;
      }
    }
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    this.closed.abort(new Error('the agent was shut down'));
    await this.http.destroy();
  }

  private async fetch(uri: CommandUri, sandbox: string, signal: AbortSignal): Promise<void> {
    const target = targetOf(uri, sandbox);
    const unpack = !uri.executable && (uri.extract ?? true) && isArchive(target);
    await mkdir(dirname(target), { recursive: true });
    if (uri.cache) {
      // Nobody's own signal: others may wait for the same download.
      const use = async (cached: string): Promise<void> => {
        signal.throwIfAborted();
        if (unpack) await extract(cached, target, sandbox, signal);
        else await copyFile(cached, target);
      };
      await this.cache.use(uri.value, (path) => this.download(uri.value, path, this.closed.signal), use);
    } else {
      await this.download(uri.value, target, signal);
      if (unpack) await extract(target, target, sandbox, signal);
    }
    if (uri.executable) await chmod(target, 0o755);
  }

  private async download(uri: string, path: string, signal: AbortSignal): Promise<void> {
    try {
      if (isHttp(uri)) await this.downloadHttp(uri, path, signal);
      else if (uri.startsWith('file://')) await copyFile(fileURLToPath(uri), path);
      else if (uri.startsWith('/')) await copyFile(uri, path);
      else throw new Error('only http, https and file URIs, and absolute paths, can be fetched here');
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  private async downloadHttp(uri: string, path: string, signal: AbortSignal): Promise<void> {
    const { statusCode, body } = await request(uri, { dispatcher: this.dispatcher, signal });
    if (statusCode !== 200) {
      await body.dump();
      throw new Error(`the server answered ${statusCode}`);
    }
    await pipeline(body, createWriteStream(path));
  }
}

/** Where a URI goes. @throws for a name that leads out of the sandbox, or none at all. */
function targetOf(uri: CommandUri, sandbox: string): string {
  const name = uri.output_file ?? basename(isHttp(uri.value) ? new URL(uri.value).pathname : uri.value);
  const target = resolve(sandbox, name);
  const inside = relative(sandbox, target);
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || resolve(name) === name) {
    throw new Error(`'${name}' is no file name inside the sandbox`);
  }
  return target;
}

function isHttp(uri: string): boolean {
  return /^https?:\/\//i.test(uri);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
