/** From the bytes of a stream to its events: framing, JSON, and what the API says. Chunk boundaries mean nothing. */
import { parseJson } from './json.ts';
import { RecordIoDecoder, type RecordIoLimits } from './record-io.ts';

/** What became of a record: an event, or nothing that we know (skipped), or not what it should be (counted). */
export type Decoded<E> = { readonly kind: 'event'; readonly event: E } | { readonly kind: 'unknown' | 'bad' };

/** One for all: making a decoder costs more than a record of a kilobyte. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** `R`: what becomes of a record; a promise where a large one is read in pieces. */
export class EventDecoder<R> {
  readonly #records: RecordIoDecoder;
  readonly #read: (record: Uint8Array) => R;

  /** `read` is `readRecord` with what the API says: what becomes of a record follows from its own bytes, and from nothing else. */
  constructor(read: (record: Uint8Array) => R, limits?: RecordIoLimits) {
    this.#records = new RecordIoDecoder(limits);
    this.#read = read;
  }

  /** True where a stream may end: not within a header or a record. */
  get atBoundary(): boolean {
    return this.#records.atBoundary;
  }

  /** Records of length 0 so far: skipped, promised never to come. */
  get emptyRecords(): number {
    return this.#records.emptyRecords;
  }

  /** What `chunk` completes, read one by one as it is asked for. @throws {RecordIoError} once the framing is broken. */
  *push(chunk: Uint8Array): Generator<R> {
    for (const record of this.#records.push(chunk)) yield this.#read(record);
  }
}

/** One record: JSON, and then what `decode` makes of it. */
export function readRecord<E>(record: Uint8Array, decode: (json: unknown) => Decoded<E>): Decoded<E> {
  let json: unknown;
  try {
    json = parseJson(UTF_8.decode(record));
  } catch {
    // The framing held, so the next record can be read: the caller counts this one.
    return { kind: 'bad' };
  }
  return decode(json);
}
