/**
 * Frames as bytes: RecordIO (`<decimal length>\n<json>`), cut so that no record is above the limit at which a proxy's
 * event loop would notice it.
 */
import { type Frame, MAX_RECORD_BYTES } from '../../agent-proxy/control/contract.ts';

/** Room for a frame's own fields (type, epoch, revisions) and the length in front of it. */
const ENVELOPE_BYTES = 512;
const NEWLINE = 0x0a;
/** What the entries of one record may take together. */
export const RECORD_BUDGET = MAX_RECORD_BYTES - ENVELOPE_BYTES;

export function encodeText(json: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(json)}\n${json}`);
}

export function encodeBytes(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]);
}

/** The content of one encoded record. */
export function decodedRecord(record: Buffer): Buffer {
  return record.subarray(record.indexOf(NEWLINE) + 1);
}

export function encodeFrame(frame: Frame): Buffer {
  return encodeText(JSON.stringify(frame));
}

/** Entries in groups of at most `budget` bytes, in order. An entry above the budget stands alone. */
export function packBySize<T>(entries: Iterable<T>, bytesOf: (entry: T) => number, budget = RECORD_BUDGET): T[][] {
  const groups: T[][] = [];
  let current: T[] = [];
  let size = 0;
  for (const entry of entries) {
    const bytes = bytesOf(entry) + 1;
    if (current.length > 0 && size + bytes > budget) {
      groups.push(current);
      current = [];
      size = 0;
    }
    current.push(entry);
    size += bytes;
  }
  if (current.length > 0) groups.push(current);
  return groups;
}
