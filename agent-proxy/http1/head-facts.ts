/**
 * What the headers of any message say of its framing: read in one pass over what a scanner found, and kept in fields, so
 * that nothing is made for it. Requests and responses are refused for the same contradictions (RFC 9112, 6.3).
 */
import { FAULT, type Fault } from './faults.ts';
import { type ConnectionOptions, NO_OPTIONS, readConnection, readLength, transferFault } from './field-values.ts';
import { FIELD, type Field, isIn } from './fields.ts';
import { joinedValues } from './forwarded-fields.ts';
import type { HeadScanner } from './head-scanner.ts';
import { COLON, SP } from './octets.ts';

export class HeadFacts {
  /** Which headers that the proxy knows are there: a bit each, of those below 32 and of those above. */
  present = 0;
  presentHigh = 0;
  /** `Content-Length`, or -1. */
  length = -1;
  /** The framing is said by at most one header, spelled as everyone spells it: it may pass as it is. */
  isPlain = true;
  hostAt = -1;

  /** Returns 0, or the fault of a head that contradicts itself. `text` is the head, whose first byte was at `start`. */
  read(scanner: HeadScanner, bytes: Uint8Array, text: string, start: number): Fault | 0 {
    this.present = 0;
    this.presentHigh = 0;
    this.length = -1;
    this.isPlain = true;
    this.hostAt = -1;
    for (let index = 0; index < scanner.count; index += 1) {
      const field = scanner.field(index);
      if (field === FIELD.other) continue;
      if (field < 32) this.present |= 1 << field;
      else this.presentHigh |= 1 << field;
      if (field === FIELD.host) {
        if (this.hostAt !== -1) return FAULT.twoHosts;
        this.hostAt = index;
      } else if (field === FIELD.contentLength) {
        const value = readLength(bytes, scanner.valueStart(index), scanner.valueEnd(index));
        if (value === -1) return FAULT.contentLength;
        if (this.length !== -1 && this.length !== value) return FAULT.lengthsDiffer;
        this.isPlain = this.length === -1 && isPlainLength(scanner, bytes, index);
        this.length = value;
      } else if (field === FIELD.transferEncoding) {
        this.isPlain = text.startsWith(`: ${PLAIN_CODING}`, scanner.valueStart(index) - start - 2);
      }
    }
    if (!this.isChunked) return 0;
    if (scanner.version === 10) return FAULT.codedInHttp10;
    if (this.length !== -1) return FAULT.lengthAndChunked;
    return transferFault(joinedValues(text, start, scanner, FIELD.transferEncoding) ?? '') ?? 0;
  }

  /**
   * The line that says the framing where it is not plain, to stand for all that said it: a tab, a leading zero or a capital
   * letter may mean something else to the next program than to this one. Else nothing.
   */
  get respelled(): string {
    if (this.isPlain) return '';
    return this.isChunked ? `Transfer-Encoding: ${PLAIN_CODING}` : `Content-Length: ${this.length}\r\n`;
  }

  has(field: Field): boolean {
    return isIn(this.present, this.presentHigh, field);
  }

  get isChunked(): boolean {
    return this.has(FIELD.transferEncoding);
  }

  /** The list of all values of a header, or null where it is absent. */
  joined(scanner: HeadScanner, text: string, start: number, field: Field): string | null {
    return this.has(field) ? joinedValues(text, start, scanner, field) : null;
  }

  options(scanner: HeadScanner, text: string, start: number): ConnectionOptions {
    const value = this.joined(scanner, text, start, FIELD.connection);
    return value === null ? NO_OPTIONS : readConnection(value);
  }
}

const PLAIN_CODING = 'chunked\r\n';
const ZERO = 0x30;

function isPlainLength(scanner: HeadScanner, bytes: Uint8Array, index: number): boolean {
  const start = scanner.valueStart(index);
  const end = scanner.valueEnd(index);
  if (bytes[start - 2] !== COLON || bytes[start - 1] !== SP || scanner.lineEnd(index) - end !== 2) return false;
  return bytes[start] !== ZERO || end - start === 1;
}

/** Whether the connection goes on after this message (RFC 9112, 9.3). */
export function isKept(version: number, { close, keepAlive }: ConnectionOptions): boolean {
  return !close && (version === 11 || keepAlive);
}
