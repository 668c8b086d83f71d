/**
 * RecordIO, the framing of Mesos' event streams: the length of a record in decimal digits, a line feed, the bytes of the
 * record, and at once the next length. Chunk boundaries mean nothing.
 *
 * Behaves as Mesos' own decoder (3rdparty/stout/include/stout/recordio.hpp), with limits that it lacks. This file stands
 * on its own: it imports nothing.
 */

/** What the decoder refuses. There is no way to find the next record after it: the stream must be opened anew. */
export class RecordIoError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RecordIoError';
  }
}

export interface RecordIoLimits {
  /** The longest record in bytes. A full cluster's offers can be several megabytes. */
  readonly maxRecordBytes: number;
}

const DEFAULT_LIMITS: RecordIoLimits = { maxRecordBytes: 64 * 1024 * 1024 };
/** The digits of 2^64 - 1: more can be no length. */
const MAX_HEADER_DIGITS = 20;
const LINE_FEED = 0x0a;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** Cuts a stream of bytes into records. */
export class RecordIoDecoder {
  readonly #limits: RecordIoLimits;
  #header = '';
  /** Bytes of the record in progress that are still to come; null while a header is read. */
  #missing: number | null = null;
  #parts: Uint8Array[] = [];
  #poison: RecordIoError | null = null;
  #empty = 0;

  constructor(limits: RecordIoLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Records of length 0 so far. They are promised never to come, mean nothing, and are skipped. */
  get emptyRecords(): number {
    return this.#empty;
  }

  /** True where a stream may end: not within a header or a record. */
  get atBoundary(): boolean {
    return this.#missing === null && this.#header === '';
  }

  /**
   * The records that `chunk` completes. A record within one chunk is a view of it: read it before the chunk's memory is
   * used again.
   * @throws {RecordIoError} now and at every later call, once the framing is broken.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#poison !== null) throw this.#poison;
    const records: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#missing === null) {
        at = this.#readHeader(chunk, at);
      } else {
        const end = Math.min(chunk.length, at + this.#missing);
        this.#missing -= end - at;
        // What stays for later must not be a view of memory that somebody else may use again.
        this.#parts.push(this.#missing === 0 ? chunk.subarray(at, end) : new Uint8Array(chunk.subarray(at, end)));
        at = end;
        if (this.#missing === 0) records.push(this.#takeRecord());
      }
    }
    return records;
  }

  #readHeader(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte === LINE_FEED) {
        this.#endHeader();
        return at + 1;
      }
      if (byte < DIGIT_0 || byte > DIGIT_9) {
        throw this.#poisoned(
          `the length of a record has the byte 0x${byte.toString(16).padStart(2, '0')}, not a digit`,
        );
      }
      this.#header += String.fromCharCode(byte);
      if (this.#header.length > MAX_HEADER_DIGITS) {
        throw this.#poisoned(`the length of a record has more than ${MAX_HEADER_DIGITS} digits`);
      }
    }
    return chunk.length;
  }

  #endHeader(): void {
    // A bare line feed between records is tolerated, as Mesos' documentation does.
    if (this.#header === '') return;
    const length = Number(this.#header);
    this.#header = '';
    if (length > this.#limits.maxRecordBytes) {
      throw this.#poisoned(`a record of ${length} bytes is longer than the limit of ${this.#limits.maxRecordBytes}`);
    }
    if (length === 0) this.#empty += 1;
    else this.#missing = length;
  }

  #takeRecord(): Uint8Array {
    const parts = this.#parts;
    this.#parts = [];
    this.#missing = null;
    const [only] = parts;
    if (only !== undefined && parts.length === 1) return only;
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  #poisoned(message: string): RecordIoError {
    this.#poison = new RecordIoError(message);
    this.#parts = [];
    return this.#poison;
  }
}

/** Frames one record. */
export function encodeRecord(record: Uint8Array | string): Uint8Array {
  const bytes = typeof record === 'string' ? new TextEncoder().encode(record) : record;
  const header = new TextEncoder().encode(`${bytes.length}\n`);
  const framed = new Uint8Array(header.length + bytes.length);
  framed.set(header);
  framed.set(bytes, header.length);
  return framed;
}
