/** Cuts a byte stream of RecordIO (`<decimal length>\n<bytes>`) into records, whatever the chunks are. */

/** No record has more than 64 kB. The reader is more patient, so that a writer's slip stops no proxy, up to this. */
export const MAX_DECODED_BYTES = 4 * 1024 * 1024;
const MAX_DIGITS = 7;
const NEWLINE = 0x0a;
const ZERO = 0x30;

export class RecordDecoder {
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  /** Bytes of the record that is being read, or null while its length is. */
  private wanted: number | null = null;
  private digits = 0;
  private length = 0;

  /** The records that are complete with this chunk. Throws where the stream is not RecordIO. */
  *decode(chunk: Buffer): Generator<Buffer> {
    let at = 0;
    while (at < chunk.length || this.wanted === 0) {
      if (this.wanted === null) {
        at = this.readLength(chunk, at);
        continue;
      }
      const taken = Math.min(this.wanted - this.pendingBytes, chunk.length - at);
      if (taken > 0) {
        this.pending.push(chunk.subarray(at, at + taken));
        this.pendingBytes += taken;
        at += taken;
      }
      if (this.pendingBytes < this.wanted) return;
      const [only, ...more] = this.pending;
      const record = only !== undefined && more.length === 0 ? only : Buffer.concat(this.pending);
      this.pending = [];
      this.pendingBytes = 0;
      this.wanted = null;
      yield record;
    }
  }

  private readLength(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      const byte = chunk[at] ?? 0;
      at += 1;
      if (byte === NEWLINE) {
        if (this.digits === 0) throw new Error('a record without a length');
        if (this.length > MAX_DECODED_BYTES) throw new Error(`a record of ${this.length} bytes is too large`);
        this.wanted = this.length;
        this.length = 0;
        this.digits = 0;
        return at;
      }
      const digit = byte - ZERO;
      if (digit < 0 || digit > 9) throw new Error(`byte ${byte} in the length of a record`);
      this.digits += 1;
      if (this.digits > MAX_DIGITS) throw new Error('the length of a record has too many digits');
      this.length = this.length * 10 + digit;
    }
    return at;
  }
}
