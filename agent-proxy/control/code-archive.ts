/**
 * What is in an archive of the proxy, as far as its code goes: one file, and a `package.json` that says which version it is
 * and which supervisor it needs. Read by the scheduler, which hands archives out, and by a supervisor, which gets one.
 */
import { createHash } from 'node:crypto';
import { readTar, type TarEntry } from './tar.ts';

export const CODE_FILE = 'proxy.mjs';
const PACKAGE_FILE = 'package.json';

/** A bundle of the proxy has less than one MB, and a Node.js binary that may stand before it 130. */
const LIMITS = { file: 32 * 1024 * 1024, archive: 512 * 1024 * 1024 } as const;

export interface ProxyCode {
  readonly version: string;
  /** The `SUPERVISOR_PROTOCOL` that it was built with. */
  readonly supervisor: number;
  readonly bytes: Buffer;
  /** Of `bytes`, hexadecimal. */
  readonly sha256: string;
}

/** The entries that hold the code, in the order in which they stand. */
export function codeEntries({ version, supervisor, bytes }: Omit<ProxyCode, 'sha256'>): TarEntry[] {
  const about = { name: 'nodemesh-proxy', version, private: true, type: 'module', nodemesh: { supervisor } };
  return [
    { name: PACKAGE_FILE, isExecutable: false, body: Buffer.from(`${JSON.stringify(about, null, 2)}\n`) },
    { name: CODE_FILE, isExecutable: true, body: bytes },
  ];
}

/** Reads no further than the code. @throws where the chunks (unpacked) are no archive, or none of the proxy. */
export async function readCode(chunks: AsyncIterable<Buffer>): Promise<ProxyCode> {
  const files = await readTar(chunks, [PACKAGE_FILE, CODE_FILE], LIMITS);
  const bytes = files.get(CODE_FILE);
  const about = files.get(PACKAGE_FILE);
  if (bytes === undefined || about === undefined) {
    throw new Error(`the archive lacks ${bytes === undefined ? CODE_FILE : PACKAGE_FILE}`);
  }
  return { ...parseAbout(about.toString('utf8')), bytes, sha256: sha256Of(bytes) };
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function parseAbout(text: string): { version: string; supervisor: number } {
  const about: unknown = JSON.parse(text);
  if (typeof about === 'object' && about !== null && 'version' in about && 'nodemesh' in about) {
    const { version, nodemesh } = about;
    if (typeof version === 'string' && typeof nodemesh === 'object' && nodemesh !== null && 'supervisor' in nodemesh) {
      const { supervisor } = nodemesh;
      if (typeof supervisor === 'number') return { version, supervisor };
    }
  }
  throw new Error(`the ${PACKAGE_FILE} in the archive is none of the proxy`);
}
