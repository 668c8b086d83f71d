/** From the bytes of a stream to its events: framing, JSON, and what the API says. Chunk boundaries mean nothing. */
import { parseJson } from './json.ts';
import { RecordIoDecoder } from './record-io.ts';

/** What became of a record: an event, or nothing that we know (skipped), or not what it should be (counted). */
export type Decoded<E> = { readonly kind: 'event'; readonly event: E } | { readonly kind: 'unknown' | 'bad' };

/** One for all: making a decoder costs more than a record of a kilobyte. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true });

export class EventDecoder<E> {
  readonly #records = new RecordIoDecoder();
  readonly #decode: (record: unknown) => Decoded<E>;

  constructor(decode: (record: unknown) => Decoded<E>) {
    this.#decode = decode;
  }

  /** True where a stream may end: not within a header or a record. */
  get atBoundary(): boolean {
    return this.#records.atBoundary;
  }

  /** Records of length 0 so far: skipped, promised never to come. */
  get emptyRecords(): number {
    return this.#records.emptyRecords;
  }

  /** What `chunk` completes, decoded one by one as it is asked for. @throws {RecordIoError} once the framing is broken. */
  *push(chunk: Uint8Array): Generator<Decoded<E>> {
    for (const record of this.#records.push(chunk)) yield this.#read(record);
  }

  #read(record: Uint8Array): Decoded<E> {
    let json: unknown;
    try {
      json = parseJson(UTF_8.decode(record));
    } catch {
      // The framing held, so the next record can be read: the caller counts this one.
      return { kind: 'bad' };
    }
    return this.#decode(json);
  }
}
