/**
 * A namespace of dtabs as it is kept: what it says, and what it said before. It is one value of the state store, so a
 * write is there as a whole or not at all, its history with it. A namespace that was deleted is kept too: its versions go on
 * where they were, so that no ETag ever means two dtabs, and its deletion can be reverted like any other write.
 */
import { z } from 'zod';

/** Of a namespace, besides the one of now. */
export const MAX_HISTORY = 50;
/**
 * A value of the state store has at most 512 kB, and ZooKeeper keeps its last 500 writes in memory. So the history is shorter
 * where dtabs are large; the version before is always there.
 */
const MAX_RECORD_BYTES = 128 * 1024;

/** What one write made of the namespace. */
const versionSchema = z.object({
  version: z.int().min(1),
  /** As it was written, comments and all. Null: the namespace was deleted. */
  dtab: z.string().nullable(),
  /** Milliseconds since the epoch. */
  at: z.number(),
  by: z.string(),
  /** What was done, in a few words. */
  what: z.string(),
});
export type NamespaceVersion = Readonly<z.infer<typeof versionSchema>>;

export const namespaceRecordSchema = versionSchema.extend({
  /** The versions before, the newest first. */
  history: z.array(versionSchema),
});
export type NamespaceRecord = Readonly<z.infer<typeof namespaceRecordSchema>>;

/** What a write makes of a record. The oldest versions are forgotten where there are too many, or too large ones. */
export function nextRecord(before: NamespaceRecord | null, write: Omit<NamespaceVersion, 'version'>): NamespaceRecord {
  const { dtab, at, by, what } = write;
  const current = { version: (before?.version ?? 0) + 1, dtab, at, by, what };
  const history: NamespaceVersion[] = [];
  let bytes = sizeOf(current);
  for (const each of before === null ? [] : versionsOf(before)) {
    bytes += sizeOf(each);
    if (history.length >= MAX_HISTORY || (history.length > 0 && bytes > MAX_RECORD_BYTES)) break;
    history.push(each);
  }
  return { ...current, history };
}

/** All that are known, the newest first. */
export function versionsOf({ history, ...current }: NamespaceRecord): NamespaceVersion[] {
  return [current, ...history];
}

const sizeOf = (version: NamespaceVersion): number => Buffer.byteLength(JSON.stringify(version));
