/**
 * The archive in which a proxy travels to an agent, and the manifest beside it: `nodemesh-proxy-<version>-<platform>.tar.gz`
 * with the code, the licences and a Node.js to run it with. The same files make the same bytes. Used by the scheduler, and
 * by `npm run package:proxy` as a built file.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { CODE_FILE, codeEntries, sha256Of } from '../../agent-proxy/control/code-archive.ts';
import { type TarEntry, tarOf } from '../../agent-proxy/control/tar.ts';
import { SUPERVISOR_PROTOCOL } from '../../agent-proxy/control/wire-words.ts';
import { PROXY_START, startScript } from './start-script.ts';
import { GZIP_LEVEL, writeTarball } from './tarball.ts';

// What packs an archive also takes one apart (that of Node.js), and packs the scheduler's.
export { readTar } from '../../agent-proxy/control/tar.ts';
export { startScript } from './start-script.ts';
export { writeTarball } from './tarball.ts';

/** In the place of a platform: an archive without a Node.js, which runs with that of the agent. */
export const HOST_NODE = 'host-node';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal');

export const manifestSchema = z.object({
  version: z.string().min(1),
  /** As Node.js calls it, e.g. `linux-x64`; or {@link HOST_NODE}. */
  platform: z.string().min(1),
  /** Of the archive. */
  sha256,
  /** Of the archive, bytes. */
  size: z.int().positive(),
  /** `SUPERVISOR_PROTOCOL` of the code: tasks of another number are launched anew. */
  supervisor: z.int().positive(),
  /** The Node.js in it: its version, and the digest of its binary. */
  runtime: z.object({ node: z.string(), sha256 }).nullable(),
  code: z.object({ file: z.literal(CODE_FILE), sha256 }),
});
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;

/** A Node.js binary with its licence. */
export interface Runtime {
  readonly node: string;
  readonly platform: string;
  readonly binary: Buffer;
  readonly license: Buffer;
}

export interface ProxyContents {
  readonly version: string;
  readonly code: Buffer;
  readonly license: Buffer | null;
  /** The licences of what is bundled into the code. */
  readonly notices?: Buffer;
  readonly runtime: Runtime | null;
}

export function archiveName({ version, platform }: Pick<Manifest, 'version' | 'platform'>): string {
  return `nodemesh-proxy-${version}-${platform}.tar.gz`;
}

export function manifestFileOf(archive: string): string {
  return `${archive}.json`;
}

/** Writes the archive and its manifest into a directory, both or none. @param level of zlib */
export async function writeArchive(
  contents: ProxyContents,
  directory: string,
  level?: number,
): Promise<Manifest & { file: string }> {
  const { version, code, runtime } = contents;
  const platform = runtime?.platform ?? HOST_NODE;
  const file = join(directory, archiveName({ version, platform }));
  // An archive without its manifest is none; one beside another's would be refused by its digest.
  await rm(manifestFileOf(file), { force: true });
  const { sha256, size } = await writeTarball(entriesOf(contents), file, level);
  const manifest: Manifest = {
    ...{ version, platform, sha256, size, supervisor: SUPERVISOR_PROTOCOL },
    runtime: runtime === null ? null : { node: runtime.node, sha256: sha256Of(runtime.binary) },
    code: { file: CODE_FILE, sha256: sha256Of(code) },
  };
  await writeFile(manifestFileOf(file), `${JSON.stringify(manifest, null, 2)}\n`);
  return { ...manifest, file };
}

/** The code comes first: who wants only that reads no further. */
function entriesOf({ version, code, license, notices, runtime }: ProxyContents): TarEntry[] {
  const plain = (name: string, body: Buffer): TarEntry => ({ name, isExecutable: false, body });
  const program = (name: string, body: Buffer): TarEntry => ({ name, isExecutable: true, body });
  return [
    ...codeEntries({ version, supervisor: SUPERVISOR_PROTOCOL, bytes: code }),
    ...(license === null ? [] : [plain('LICENSE', license)]),
    ...(notices === undefined ? [] : [plain('LICENSE.dependencies', notices)]),
    ...(runtime === null
      ? []
      : [
          plain('LICENSE.nodejs', runtime.license),
          program(PROXY_START, Buffer.from(startScript({ script: `../${CODE_FILE}` }))),
          program('bin/node', runtime.binary),
        ]),
  ];
}

/** An archive of the code alone, a few hundred kB: what an upgrade in place fetches, and what runs with the agent's Node.js. */
export function codeArchive(version: string, supervisor: number, code: Buffer): Buffer {
  return gzipSync(Buffer.concat([...tarOf(codeEntries({ version, supervisor, bytes: code }))]), { level: GZIP_LEVEL });
}
