/** Unpacks what the fetcher brought, with the machine's own tools, as Mesos does. */
import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const TAR = ['.tar', '.tar.gz', '.tgz', '.tar.bz2', '.tbz2', '.tar.xz', '.txz'];
const ZIP = '.zip';
/** Mesos' fetcher runs as the agent does, and not as the task. */
const TOOLS = '/usr/local/bin:/usr/bin:/bin';
/** Long enough for anything that a laptop's cluster runs. */
const TIMEOUT_MS = 120_000;

/** By its name alone. */
export function isArchive(path: string): boolean {
  const name = basename(path).toLowerCase();
  return name.endsWith(ZIP) || TAR.some((ending) => name.endsWith(ending));
}

/**
 * Unpacks the archive at `path` into `directory`; `named` is the name that says what kind it is, since a cached file has
 * none of its own.
 * @throws an Error that names the tool if it is missing or fails.
 */
export async function extract(path: string, named: string, directory: string, signal: AbortSignal): Promise<void> {
  const zip = named.toLowerCase().endsWith(ZIP);
  const [tool, args] = zip ? ['unzip', ['-o', '-q', path, '-d', directory]] : ['tar', ['-C', directory, '-xf', path]];
  try {
    await run(tool, args, { signal, timeout: TIMEOUT_MS, env: { ...process.env, PATH: process.env['PATH'] || TOOLS } });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Error(`${tool} is not installed, so ${basename(named)} cannot be unpacked`);
    throw new Error(`${tool} could not unpack ${basename(named)}: ${message}`);
  }
}
