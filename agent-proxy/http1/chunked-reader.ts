/**
 * Reads chunked content (RFC 9112, 7.1), strictly: hexadecimal sizes, CR LF and nothing else, bounded extensions and
 * trailers. A line of framing is passed on only when it is whole, and without its extension.
 */
import type { BodyForm, BodySink } from './body-sink.ts';
import { FAULT, faultOfScan } from './faults.ts';
import { forwardedLines, TRAILER_DROPS } from './forwarded-fields.ts';
import { type HeadLimits, HeadScanner } from './head-scanner.ts';
import { CR, FIELD_VALUE, HEX, HTAB, LF, SP } from './octets.ts';

/** 13 digits are 4 PB; more would not be counted exactly. */
const MOST_SIZE_DIGITS = 13;
/** Octets between the size of one chunk and its line end. Nobody uses them; who sends many wants to keep us busy. */
const MOST_EXTENSION = 256;
const TRAILER_LIMITS: HeadLimits = { maxLine: 0, maxHeaders: 8 * 1024, maxFields: 64 };
const SEMICOLON = 0x3b;

/** Where in the framing the next byte stands. */
const AT = { size: 0, blank: 1, extension: 2, sizeLf: 3, data: 4, dataCr: 5, dataLf: 6, trailers: 7, end: 8 } as const;
type State = (typeof AT)[keyof typeof AT];

/** Reused by each reading of a trailer section, which is synchronous. */
const scanner = new HeadScanner();

export class ChunkedReader {
  private readonly sink: BodySink;
  private readonly isFramed: boolean;
  private state: State = AT.size;
  private size = 0;
  private digits = 0;
  private extension = 0;
  /** Bytes of the present chunk that are still to come. */
  private remaining = 0;
  /** The trailer section so far, where it did not come at once. */
  private held: Buffer | null = null;

  constructor(form: BodyForm, sink: BodySink) {
    this.isFramed = form === 'framed';
    this.sink = sink;
  }

  get ended(): boolean {
    return this.state === AT.end;
  }

  /** Returns the offset behind what belongs to this body, or a fault as a negative number. */
  read(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to) {
      switch (this.state) {
        case AT.data: {
          const end = Math.min(to, at + this.remaining);
          this.remaining -= end - at;
          if (this.remaining === 0) this.state = AT.dataCr;
          this.sink.bytes(bytes, at, end);
          at = end;
          break;
        }
        case AT.trailers: {
          return this.trailers(bytes, at, to);
        }
        case AT.end:
          return at;
        default: {
          const fault = this.framing(bytes[at] ?? 0);
          if (fault !== 0) return -fault;
          at += 1;
        }
      }
    }
    return at;
  }

  /** One byte of a size line, or of the line end behind a chunk. Returns a fault or 0. */
  private framing(octet: number): number {
    switch (this.state) {
      case AT.dataCr:
        this.state = AT.dataLf;
        return octet === CR ? 0 : FAULT.chunkEnd;
      case AT.dataLf:
        if (octet !== LF) return FAULT.chunkEnd;
        this.state = AT.size;
        if (this.isFramed) this.sink.text('\r\n');
        return 0;
      case AT.sizeLf:
        return octet === LF ? this.sized() : FAULT.chunkSize;
      case AT.extension:
        if (FIELD_VALUE[octet] === 1) return this.lengthen();
        this.state = AT.sizeLf;
        return octet === CR ? 0 : FAULT.chunkExtension;
      case AT.blank:
        if (octet === SEMICOLON) this.state = AT.extension;
        else if (octet !== SP && octet !== HTAB) return FAULT.chunkSize;
        return this.lengthen();
      default:
        return this.sizeOctet(octet);
    }
  }

  private sizeOctet(octet: number): number {
    const digit = (HEX[octet] ?? 0) - 1;
    if (digit >= 0) {
      this.size = this.size * 16 + digit;
      this.digits += 1;
      return this.digits > MOST_SIZE_DIGITS ? FAULT.chunkSize : 0;
    }
    if (this.digits === 0) return FAULT.chunkSize;
    if (octet === CR) {
      this.state = AT.sizeLf;
      return 0;
    }
    this.state = octet === SEMICOLON ? AT.extension : AT.blank;
    // White space is no part of a size, but may stand before an extension (RFC 9112, 7.1.1).
    return octet === SEMICOLON || octet === SP || octet === HTAB ? this.lengthen() : FAULT.chunkSize;
  }

  private lengthen(): number {
    this.extension += 1;
    return this.extension > MOST_EXTENSION ? FAULT.chunkExtension : 0;
  }

  /** A size line is whole. */
  private sized(): number {
    const { size } = this;
    if (this.isFramed) this.sink.text(`${size.toString(16)}\r\n`);
    this.remaining = size;
    this.size = 0;
    this.digits = 0;
    this.extension = 0;
    this.state = size === 0 ? AT.trailers : AT.data;
    return 0;
  }

  private trailers(bytes: Buffer, from: number, to: number): number {
    // The usual: no trailers at all, and the line end at once.
    if (this.held === null && bytes[from] === CR && bytes[from + 1] === LF && from + 1 < to) {
      this.finish('');
      return from + 2;
    }
    const before = this.held?.length ?? 0;
    const all = this.held === null ? bytes.subarray(from, to) : Buffer.concat([this.held, bytes.subarray(from, to)]);
    const end = scanner.trailers(all, 0, all.length, TRAILER_LIMITS);
    if (faultOfScan(end) !== null) return -FAULT.trailer;
    if (end === 0) {
      this.held = before === 0 ? Buffer.from(all) : all;
      return to;
    }
    this.finish(forwardedLines(all.toString('latin1', 0, end), 0, scanner, TRAILER_DROPS, null, null));
    return from + end - before;
  }

  private finish(trailers: string): void {
    this.held = null;
    this.state = AT.end;
    if (this.isFramed) this.sink.text(`${trailers}\r\n`);
  }
}
