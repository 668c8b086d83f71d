/**
 * What the scheduler serves below `/artifacts/`: archives of the proxy as they stand on disk, and for each a small one with
 * its code alone, for upgrades in place. Names hold a digest, so that no fetcher's cache ever has an older build under one.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CODE_FILE, type ProxyCode, readCode, sha256Of } from '../../agent-proxy/control/code-archive.ts';
import { SUPERVISOR_PROTOCOL } from '../../agent-proxy/control/wire-words.ts';
import { archiveName, codeArchive, HOST_NODE, type Manifest, manifestFileOf, manifestSchema } from './archive.ts';

const CHUNK_BYTES = 256 * 1024;

export interface ProxyArchive {
  readonly manifest: Manifest;
  /** Path below the scheduler's URL, of the whole. */
  readonly path: string;
  /** The code alone. */
  readonly code: { readonly path: string; readonly sha256: string };
  /** The archive at `path` has other code: a task unpacks that at `code` over it. */
  readonly isLaidOver?: true;
}

/** What one path below `/artifacts/` has. */
export interface Artifact {
  readonly size: number;
  read(): Readable | Buffer;
}

export class ProxyArtifacts {
  /** The first is what proxies are to be; the others are for those that are not there yet. */
  readonly archives: readonly [ProxyArchive, ...ProxyArchive[]];
  readonly #artifacts: Map<string, Artifact>;
  readonly #files: readonly FileHandle[];

  constructor(loaded: readonly [Loaded, ...Loaded[]]) {
    const [first, ...others] = loaded;
    this.archives = [first.archive, ...others.map(({ archive }) => archive)];
    this.#artifacts = new Map(loaded.flatMap(({ artifacts }) => artifacts));
    this.#files = loaded.flatMap(({ file }) => file ?? []);
  }

  get wanted(): ProxyArchive {
    return this.archives[0];
  }

  /** By its path as in {@link ProxyArchive}; there are no others. */
  at(path: string): Artifact | undefined {
    return this.#artifacts.get(path);
  }

  /** Serves this as well. */
  lend(path: string, bytes: Buffer): void {
    if (!this.#artifacts.has(path)) this.#artifacts.set(path, inMemory(bytes));
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }
}

interface Loaded {
  readonly archive: ProxyArchive;
  readonly artifacts: readonly (readonly [string, Artifact])[];
  readonly file: FileHandle | null;
}

export interface ArtifactSources {
  /** The directory of the built files. */
  readonly dist: string;
  /** Of the build in `dist`. */
  readonly version: string;
  /**
   * Archives with their manifests beside them or in `dist/package`, or {@link HOST_NODE} for the code in `dist`, to be run with
   * the agents' own Node.js. None: the newest in `dist/package`, or else {@link HOST_NODE}.
   */
  readonly files: readonly string[];
}

/** @throws with one sentence where an archive is not what its manifest says, or the build is not there. */
export async function loadArtifacts({ dist, version, files }: ArtifactSources): Promise<ProxyArtifacts> {
  const sources = files.length > 0 ? files : [(await newestIn(join(dist, 'package'))) ?? HOST_NODE];
  const loaded: Loaded[] = [];
  try {
    for (const source of sources) {
      loaded.push(source === HOST_NODE ? await loadBuild(dist, version) : await loadFile(source, dist));
    }
  } catch (error) {
    await Promise.all(loaded.map(({ file }) => file?.close()));
    throw error;
  }
  const [first, ...others] = loaded;
  if (first === undefined) throw new Error('there is no archive of the proxy to serve');
  return new ProxyArtifacts([first, ...others]);
}

/** The archive for agents like this machine whose manifest was written last. */
async function newestIn(directory: string): Promise<string | null> {
  const names = await namesIn(directory);
  const platforms = [`${process.platform}-${process.arch}`, HOST_NODE];
  let newest: { readonly file: string; readonly at: number } | null = null;
  for (const name of names
    .filter((each) => platforms.some((platform) => each.endsWith(`-${platform}.tar.gz`)))
    .sort()) {
    const file = join(directory, name);
    const at = await stat(manifestFileOf(file)).then(
      ({ mtimeMs }) => mtimeMs,
      () => null,
    );
    if (at !== null && (newest === null || at > newest.at)) newest = { file, at };
  }
  return newest?.file ?? null;
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

async function loadBuild(dist: string, version: string): Promise<Loaded> {
  const path = join(dist, CODE_FILE);
  let code: Buffer;
  try {
    code = await readFile(path);
  } catch (error) {
    throw new Error(`the proxy's file ${path} cannot be read; build it with npm run build`, { cause: error });
  }
  const bytes = codeArchive(version, SUPERVISOR_PROTOCOL, code);
  const sha256 = sha256Of(bytes);
  const manifest: Manifest = {
    ...{ version, platform: HOST_NODE, sha256, size: bytes.length, supervisor: SUPERVISOR_PROTOCOL, runtime: null },
    code: { file: CODE_FILE, sha256: sha256Of(code) },
  };
  const at = pathOf(manifest, sha256);
  return {
    archive: { manifest, path: at, code: { path: at, sha256 } },
    artifacts: [[at, inMemory(bytes)]],
    file: null,
  };
}

async function loadFile(path: string, dist: string): Promise<Loaded> {
  // Held open: what is served is what was checked, also when a new build takes its place.
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`the archive ${path} cannot be read (${error.code})`, { cause: error });
  });
  try {
    const measured = await measure(file);
    const { manifest, from } = await manifestOf(path, measured, join(dist, 'package'));
    const code = await codeIn(file, path);
    if (code.sha256 !== manifest.code.sha256 || code.supervisor !== manifest.supervisor) {
      throw new Error(`the code in ${path} is not what ${from} says; ${REMEDY}`);
    }
    const alone = codeArchive(code.version, code.supervisor, code.bytes);
    const codeSha256 = sha256Of(alone);
    const archive: ProxyArchive = {
      manifest,
      path: pathOf(manifest, manifest.sha256),
      code: { path: pathOf({ version: manifest.version, platform: 'code' }, codeSha256), sha256: codeSha256 },
    };
    const whole: Artifact = { size: manifest.size, read: () => readFrom(file) };
    return {
      archive,
      artifacts: [
        [archive.path, whole],
        [archive.code.path, inMemory(alone)],
      ],
      file,
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

const REMEDY = 'make both with npm run package:proxy';

interface Measured {
  readonly sha256: string;
  readonly size: number;
}

/**
 * The manifest beside the archive; or, where there is none (a fetcher brought the archive alone), the one that came with this
 * scheduler for an archive of this digest.
 */
async function manifestOf(
  path: string,
  measured: Measured,
  packages: string,
): Promise<{ manifest: Manifest; from: string }> {
  const beside = manifestFileOf(path);
  const candidates = (await namesIn(packages)).filter((name) => name.endsWith('.tar.gz.json')).sort();
  for (const from of [beside, ...candidates.map((name) => join(packages, name))]) {
    const manifest = await readManifest(from);
    if (manifest?.sha256 === measured.sha256 && manifest.size === measured.size) return { manifest, from };
    if (manifest !== null && from === beside) {
      throw new Error(`the archive ${path} is not the one that ${from} describes; ${REMEDY}`);
    }
  }
  if (candidates.length === 0) throw new Error(`the manifest ${beside} cannot be read (ENOENT); ${REMEDY}`);
  const known = candidates.map((name) => name.slice(0, -'.json'.length)).join(', ');
  throw new Error(
    `the archive ${path} has no manifest beside it, and its SHA-256 ${measured.sha256} is that of no archive that came with this scheduler (${known}); fetch the one that was released with it, or ${REMEDY}`,
  );
}

/** Null: there is none. */
async function readManifest(file: string): Promise<Manifest | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new Error(`the manifest ${file} cannot be read (${error.code}); ${REMEDY}`, { cause: error });
  });
  if (text === null) return null;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`the manifest ${file} is no JSON; ${REMEDY}`, { cause: error });
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`the manifest ${file} is not one of ours: ${issue?.path.join('.')}: ${issue?.message}; ${REMEDY}`);
}

async function measure(file: FileHandle): Promise<Measured> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of readFrom(file)) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), size };
}

async function codeIn(file: FileHandle, path: string): Promise<ProxyCode> {
  const packed = readFrom(file);
  const unpacked = createGunzip();
  // Its errors come out of `unpacked`; what stands behind the code is not read.
  const flow = pipeline(packed, unpacked).catch(() => undefined);
  try {
    return await readCode(unpacked);
  } catch (error) {
    throw new Error(`the archive ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    packed.destroy();
    unpacked.destroy();
    await flow;
  }
}

/** From its beginning, whoever else reads it. Node's own streams would close the file, or leave a listener each on it. */
function readFrom(file: FileHandle): Readable {
  return Readable.from(chunksOf(file));
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function inMemory(bytes: Buffer): Artifact {
  return { size: bytes.length, read: () => bytes };
}

function pathOf(named: Pick<Manifest, 'version' | 'platform'>, sha256: string): string {
  return `/artifacts/${archiveName(named).replace(/\.tar\.gz$/, '')}-${sha256.slice(0, 12)}.tar.gz`;
}
