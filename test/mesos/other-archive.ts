/** A second build of the proxy, for an upgrade: the same program and the same Node.js, and another digest. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { CODE_FILE, sha256Of } from '../../agent-proxy/control/code-archive.ts';
import { readTar } from '../../agent-proxy/control/tar.ts';
import { HOST_NODE, manifestFileOf, manifestSchema, writeArchive } from '../../scheduler/proxy/archive.ts';

const MOST_BYTES = 512 * 1024 * 1024;

/** Writes it below `directory`. `archive` is a file, or the code in `dist` for the agents' own Node.js. */
export async function otherArchive(
  archive: string,
  { directory, dist, version }: { directory: string; dist: string; version: string },
): Promise<{ file: string; codeSha256: string }> {
  const contents = archive === HOST_NODE ? await contentsOfBuild(dist) : await contentsOf(archive);
  const code = Buffer.concat([contents.code, Buffer.from('\n// Another build.\n')]);
  const { file } = await writeArchive({ ...contents, version: `${version}-next`, code }, directory);
  return { file, codeSha256: sha256Of(code) };
}

async function contentsOfBuild(dist: string) {
  return { code: await readFile(`${dist}/${CODE_FILE}`), license: null, runtime: null };
}

async function contentsOf(archive: string) {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(manifestFileOf(archive), 'utf8')));
  const names = [CODE_FILE, 'LICENSE', 'LICENSE.nodejs', 'bin/node'];
  const files = await readTar(createReadStream(archive).pipe(createGunzip()), names, {
    file: MOST_BYTES,
    archive: MOST_BYTES,
  });
  const code = files.get(CODE_FILE);
  if (code === undefined) throw new Error(`the archive ${archive} has no ${CODE_FILE}`);
  const [binary, license] = [files.get('bin/node'), files.get('LICENSE.nodejs')];
  const runtime =
    manifest.runtime === null || binary === undefined || license === undefined
      ? null
      : { node: manifest.runtime.node, platform: manifest.platform, binary, license };
  return { code, license: files.get('LICENSE') ?? null, runtime };
}
