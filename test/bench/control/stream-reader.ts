/**
 * Reads a control stream for next to nothing: the chunks of HTTP (RFC 9112, section 7.1), if any, and the records in them are cut by
 * their lengths, and of each record the beginning is kept. Thousands of these are in one process.
 */

/** Type, epoch and revisions stand in the first bytes; the name of a changed task not far behind. */
const KEPT_BYTES = 1_024;

/** `length` is that of the whole record, `head` its beginning. */
type RecordListener = (head: Buffer, length: number) => void;

type State = 'headers' | 'until-closed' | 'chunk-size' | 'chunk' | 'chunk-end';

export class StreamReader {
  status = 0;
  readonly #listener: RecordListener;
  readonly #kept: number;
  #state: State = 'headers';
  #line = '';
  #chunkLeft = 0;
  #length = '';
  /** Null while the length of a record is read. */
  #recordLeft: number | null = null;
  #recordLength = 0;
  #head: Buffer[] = [];
  #headBytes = 0;

  /** `kept`: how much of each record the listener gets at most. */
  constructor(listener: RecordListener, kept = KEPT_BYTES) {
    this.#listener = listener;
    this.#kept = kept;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case 'headers': {
          this.#line += bytes.toString('latin1', at, at + 1);
          at += 1;
          if (!this.#line.endsWith('\r\n\r\n')) break;
          this.status = Number(/^HTTP\/1\.1 (\d+)/.exec(this.#line)?.[1] ?? 0);
          this.#state = /\r\ntransfer-encoding: chunked/i.test(this.#line) ? 'chunk-size' : 'until-closed';
          this.#line = '';
          break;
        }
        case 'until-closed':
          this.#content(bytes, at, bytes.length);
          return;
        case 'chunk-size': {
          const byte = bytes[at] ?? 0;
          at += 1;
          if (byte === 0x0a) {
            this.#chunkLeft = Number.parseInt(this.#line, 16);
            this.#line = '';
            this.#state = 'chunk';
          } else {
            this.#line += String.fromCharCode(byte);
          }
          break;
        }
        case 'chunk': {
          const end = Math.min(bytes.length, at + this.#chunkLeft);
          this.#content(bytes, at, end);
          this.#chunkLeft -= end - at;
          at = end;
          if (this.#chunkLeft === 0) this.#state = 'chunk-end';
          break;
        }
        case 'chunk-end':
          if (bytes[at] === 0x0a) this.#state = 'chunk-size';
          at += 1;
          break;
      }
    }
  }

  #content(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (this.#recordLeft === null) {
        const byte = bytes[at] ?? 0;
        at += 1;
        if (byte === 0x0a) {
          this.#recordLength = Number(this.#length);
          this.#recordLeft = this.#recordLength;
          this.#length = '';
        } else {
          this.#length += String.fromCharCode(byte);
        }
        continue;
      }
      const end = Math.min(to, at + this.#recordLeft);
      if (this.#headBytes < this.#kept) {
        const part = bytes.subarray(at, Math.min(end, at + this.#kept - this.#headBytes));
        // What is in this chunk may be looked at as it is; the rest has to be kept.
        this.#head.push(end - at === this.#recordLeft ? part : Buffer.from(part));
        this.#headBytes += part.length;
      }
      this.#recordLeft -= end - at;
      at = end;
      if (this.#recordLeft > 0) continue;
      const [only, ...more] = this.#head;
      this.#listener(more.length === 0 ? (only ?? Buffer.alloc(0)) : Buffer.concat(this.#head), this.#recordLength);
      this.#head = [];
      this.#headBytes = 0;
      this.#recordLeft = null;
    }
  }
}
