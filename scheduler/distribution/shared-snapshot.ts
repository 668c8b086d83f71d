/**
 * One snapshot for all who need one: its records are shared, and each is compressed once, when the first proxy that takes
 * compressed records comes to it. What is written together is put together once, too.
 */
import { gzipSync } from 'node:zlib';
import { decodedRecord, encodeBytes } from './records.ts';

/** Below it compression saves nothing that anybody would notice. */
const WORTH_BYTES = 1_024;
/** Repetition is what there is to save, and the fastest level finds it. */
const LEVEL = 1;
/** So much is handed to a connection at a time, at most: it is what a connection may hold in memory. */
const PIECE_BYTES = 64 * 1024;
/** Records that are compressed in one go: about half a millisecond each. */
const RECORDS_A_PIECE = 8;

export type Encoding = 'plain' | 'gzip';

export class SharedSnapshot {
  readonly revision: number;
  readonly #records: readonly Buffer[];
  readonly #zipped: Buffer[] = [];
  /** How many records are in `#zipped`. */
  #zippedRecords = 0;

  constructor(revision: number, records: readonly Buffer[]) {
    this.revision = revision;
    this.#records = records;
  }

  /** The pieces in order, each of whole records; undefined after the last. */
  piece(index: number, encoding: Encoding): Buffer | undefined {
    if (encoding === 'plain') return this.#records[index];
    while (index >= this.#zipped.length && this.#zippedRecords < this.#records.length) this.#zipNext();
    return this.#zipped[index];
  }

  #zipNext(): void {
    const parts: Buffer[] = [];
    let bytes = 0;
    while (parts.length < RECORDS_A_PIECE) {
      const record = this.#records[this.#zippedRecords];
      if (record === undefined) break;
      const part = zip(record);
      if (parts.length > 0 && bytes + part.length > PIECE_BYTES) break;
      parts.push(part);
      bytes += part.length;
      this.#zippedRecords += 1;
    }
    this.#zipped.push(Buffer.concat(parts));
  }
}

function zip(record: Buffer): Buffer {
  if (record.length < WORTH_BYTES) return record;
  return encodeBytes(gzipSync(decodedRecord(record), { level: LEVEL }));
}
