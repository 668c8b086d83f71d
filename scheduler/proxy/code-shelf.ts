/**
 * The code of the last versions, kept in the state store: an update of the package brings the archive of its own version
 * alone, and the way back must not end there. Code is a few hundred kilobytes; its Node.js comes from an archive that has
 * the same one.
 */
import { z } from 'zod';
import { sha256Of } from '../../agent-proxy/control/code-archive.ts';
import type { StateStore } from '../../framework/index.ts';
import type { ProxyArchive, ProxyArtifacts } from './artifacts.ts';

const PREFIX = 'scheduler/code';
const MOST_KEPT = 6;
/** ZooKeeper takes less than 1 MB in one node, and base64 makes it a third more. */
const MOST_BYTES = 700_000;

const storedSchema = z.object({
  version: z.string(),
  supervisor: z.int().positive(),
  /** Of the program; {@link ProxyArchive.code} has that of the small archive around it. */
  codeSha256: z.string(),
  /** When it was last wanted. Milliseconds since the epoch. */
  at: z.number(),
  archive: z.string(),
});

export interface ShelvedCode {
  readonly version: string;
  readonly supervisor: number;
  readonly codeSha256: string;
  readonly code: ProxyArchive['code'];
  readonly size: number;
}

type Artifacts = Pick<ProxyArtifacts, 'archives' | 'at' | 'lend'>;

/**
 * Puts the code of the wanted archive there, and has those of before served. @throws {StateStoreError}
 */
export async function openShelf(store: StateStore, artifacts: Artifacts, now: number): Promise<ShelvedCode[]> {
  const [wanted] = artifacts.archives;
  const bytes = artifacts.at(wanted.code.path)?.read();
  const key = keyOf(wanted.manifest.code.sha256);
  if (Buffer.isBuffer(bytes) && bytes.length <= MOST_BYTES) {
    const { version, supervisor, code } = wanted.manifest;
    const value = { version, supervisor, codeSha256: code.sha256, at: now, archive: bytes.toString('base64') };
    await store.put(key, value, (await store.get(key))?.version ?? null);
  }
  const shelved: { key: string; version: number; at: number; code: ShelvedCode; bytes: Buffer }[] = [];
  for (const one of await store.list(PREFIX)) {
    const stored = await store.get(one);
    const parsed = storedSchema.safeParse(stored?.value);
    if (stored === null || !parsed.success) continue;
    const { archive, at, ...about } = parsed.data;
    const content = Buffer.from(archive, 'base64');
    const sha256 = sha256Of(content);
    const path = `/artifacts/nodemesh-proxy-${about.version}-code-${sha256.slice(0, 12)}.tar.gz`;
    const code = { ...about, code: { path, sha256 }, size: content.length };
    shelved.push({ key: one, version: stored.version, at, code, bytes: content });
  }
  shelved.sort((a, b) => b.at - a.at);
  for (const { key: old, version } of shelved.slice(MOST_KEPT)) await store.delete(old, version);
  const kept = shelved.slice(0, MOST_KEPT);
  for (const { code, bytes: content } of kept) artifacts.lend(code.code.path, content);
  return kept.map(({ code }) => code);
}

/** The archive that this code makes together with one at hand: its Node.js, and the code laid over it. */
export function withCode(
  archive: ProxyArchive,
  { version, supervisor, codeSha256, code, size }: ShelvedCode,
): ProxyArchive {
  const { manifest } = archive;
  const about = { version, supervisor, code: { ...manifest.code, sha256: codeSha256 } };
  // Without a Node.js of its own the code is all that there is.
  if (manifest.runtime === null) {
    return { manifest: { ...manifest, ...about, sha256: code.sha256, size }, path: code.path, code };
  }
  return { manifest: { ...manifest, ...about }, path: archive.path, code, isLaidOver: true };
}

const keyOf = (codeSha256: string): string => `${PREFIX}/${codeSha256.slice(0, 16)}`;
