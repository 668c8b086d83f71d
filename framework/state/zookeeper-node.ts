/** A key's node in ZooKeeper: its value as JSON, with the name of the write that put it there. */
import { z } from 'zod';
import type { NodeData, Stat } from '../zookeeper/protocol.ts';
import { StateStoreError } from './state-store.ts';

/** A server takes 1 MB (jute.maxbuffer), keeps all of it in memory, and is usually shared with Mesos itself. */
const MAX_BYTES = 512 * 1024;

const schema = z.object({ write: z.string(), value: z.unknown() });

export interface Found {
  /** Which write it was, so that a writer whose answer was lost recognises its own. */
  readonly write: string;
  readonly value: unknown;
  readonly stat: Stat;
}

/** @throws {StateStoreError} when it is too large for a node */
export function encodeNode(key: string, write: string, value: unknown): Buffer {
  const data = Buffer.from(JSON.stringify({ write, value }));
  if (data.length <= MAX_BYTES) return data;
  throw new StateStoreError(
    `the value of state key ${key} has ${data.length} bytes, and no node of ours in ZooKeeper may have more than ` +
      `${MAX_BYTES}: it has to be kept in several keys`,
  );
}

/** Null for a node without data, which is only there for those below it. @throws {StateStoreError} for anybody else's */
export function decodeNode(path: string, { data, stat }: NodeData): Found | null {
  if (data.length === 0) return null;
  try {
    return { ...schema.parse(JSON.parse(data.toString())), stat };
  } catch (error) {
    throw new StateStoreError(
      `the node ${path} in ZooKeeper is damaged: it is not the JSON that was written; write it again from a backup, ` +
        'or delete it to forget what it said',
      { cause: error },
    );
  }
}

/** A key's version: the transaction of its last write. The upper half counts the ensemble's leaders, the lower their writes. */
export function versionOf(stat: Stat): number {
  if (stat.mzxid <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(stat.mzxid);
  throw new StateStoreError(
    'this ZooKeeper ensemble has had two million leaders, and its transactions have too many digits',
  );
}
