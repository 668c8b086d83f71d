/**
 * Finds the lines and headers of a message head in bytes, and refuses what RFC 9112 does not allow. It keeps offsets and
 * makes no objects; what the headers mean is read by `request-head.ts` and `response-head.ts`. A head that is not
 * complete yet is scanned again from its start when more has come: heads are short, and a fault shows as early as it can.
 */
import { FAULT, type Fault } from './faults.ts';
import { type Field, fieldOf } from './fields.ts';
import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TARGET, TOKEN } from './octets.ts';

/** No router allows more headers than this. */
export const MOST_FIELDS = 256;
const NUMBERS_A_FIELD = 4;
/** `HTTP/1.1` */
const VERSION_LENGTH = 8;

export interface HeadLimits {
  /** Bytes of the first line, without its end. */
  readonly maxLine: number;
  /** Bytes of all header lines, with the empty one behind them. */
  readonly maxHeaders: number;
  /** At most {@link MOST_FIELDS}. */
  readonly maxFields: number;
}

/** More bytes are needed. A larger result is the offset behind the head, a negative one is a fault. */
export const INCOMPLETE = 0;

export class HeadScanner {
  /** Offsets in the scanned bytes: of the method's end, the target, the end of the first line with its CR LF. */
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  fieldsStart = 0;
  /** 10 or 11. */
  version = 0;
  status = 0;
  count = 0;
  private readonly fields = new Uint8Array(MOST_FIELDS);
  /** Of each header: start of its line, start and end of its value, end of its line with its CR LF. */
  private readonly offsets = new Int32Array(MOST_FIELDS * NUMBERS_A_FIELD);

  field(index: number): Field {
    return (this.fields[index] ?? 0) as Field;
  }

  lineStart(index: number): number {
    return this.offsets[index * NUMBERS_A_FIELD] ?? 0;
  }

  valueStart(index: number): number {
    return this.offsets[index * NUMBERS_A_FIELD + 1] ?? 0;
  }

  valueEnd(index: number): number {
    return this.offsets[index * NUMBERS_A_FIELD + 2] ?? 0;
  }

  lineEnd(index: number): number {
    return this.offsets[index * NUMBERS_A_FIELD + 3] ?? 0;
  }

  /** The head of a request that begins at `start`, where bytes are known up to `end`. */
  request(bytes: Uint8Array, start: number, end: number, limits: HeadLimits): number {
    const result = this.requestLine(bytes, start, end, limits);
    return result > 0 ? this.fieldLines(bytes, result, end, limits) : result;
  }

  response(bytes: Uint8Array, start: number, end: number, limits: HeadLimits): number {
    const result = this.statusLine(bytes, start, end, limits);
    return result > 0 ? this.fieldLines(bytes, result, end, limits) : result;
  }

  /** A trailer section (RFC 9112, 7.1.2), which ends as a head does. */
  trailers(bytes: Uint8Array, start: number, end: number, limits: HeadLimits): number {
    return this.fieldLines(bytes, start, end, limits);
  }

  private requestLine(bytes: Uint8Array, start: number, end: number, { maxLine }: HeadLimits): number {
    const lineLimit = start + maxLine;
    let at = start;
    while (at < end && TOKEN[bytes[at] ?? 0] === 1) at += 1;
    if (at > lineLimit) return -FAULT.lineTooLong;
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== SP || at === start) return methodFault(bytes, start, at, end);
    this.methodEnd = at;
    at += 1;
    this.targetStart = at;
    while (at < end && TARGET[bytes[at] ?? 0] === 1) at += 1;
    if (at > lineLimit) return -FAULT.lineTooLong;
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== SP || at === this.targetStart) return -FAULT.target;
    this.targetEnd = at;
    at += 1;
    if (at + VERSION_LENGTH > lineLimit) return -FAULT.lineTooLong;
    const lineEnd = this.versionAt(bytes, at, end);
    return lineEnd > 0 ? lineFeed(bytes, lineEnd, end, FAULT.version) : lineEnd;
  }

  private statusLine(bytes: Uint8Array, start: number, end: number, { maxLine }: HeadLimits): number {
    let at = this.versionAt(bytes, start, end);
    if (at <= 0) return at < 0 ? -FAULT.statusLine : at;
    let status = 0;
    for (let position = 0; position < 4; position += 1) {
      if (at === end) return INCOMPLETE;
      const octet = bytes[at] ?? 0;
      if (position === 0 ? octet !== SP : octet < 0x30 || octet > 0x39) return -FAULT.statusLine;
      if (position > 0) status = status * 10 + octet - 0x30;
      at += 1;
    }
    if (status < 100 || status > 599) return -FAULT.statusLine;
    this.status = status;
    if (at === end) return INCOMPLETE;
    // The reason may be missing, and some servers leave out the space before it as well (RFC 9112, 4).
    if (bytes[at] !== SP && bytes[at] !== CR) return -FAULT.statusLine;
    while (at < end && FIELD_VALUE[bytes[at] ?? 0] === 1) at += 1;
    if (at - start > maxLine) return -FAULT.lineTooLong;
    return lineFeed(bytes, at, end, FAULT.statusLine);
  }

  /** `HTTP/1.0` or `HTTP/1.1`; the offset behind it. */
  private versionAt(bytes: Uint8Array, start: number, end: number): number {
    for (let index = 0; index < VERSION_LENGTH; index += 1) {
      if (start + index === end) return INCOMPLETE;
      const octet = bytes[start + index] ?? 0;
      const wanted = VERSION_OCTETS[index] ?? 0;
      if (octet !== wanted && !(index === VERSION_LENGTH - 1 && octet === 0x30)) return -FAULT.version;
    }
    this.version = bytes[start + VERSION_LENGTH - 1] === 0x30 ? 10 : 11;
    return start + VERSION_LENGTH;
  }

  private fieldLines(bytes: Uint8Array, from: number, end: number, { maxFields, maxHeaders }: HeadLimits): number {
    const headLimit = from + maxHeaders;
    this.fieldsStart = from;
    let count = 0;
    let at = from;
    // A line that does not begin with CR is a header; one that does is the empty line, or a fault.
    while (at < end && bytes[at] !== CR) {
      if (count === maxFields) return -FAULT.tooManyFields;
      const next = this.fieldLine(bytes, at, end, headLimit, count);
      if (next <= 0) return next;
      count += 1;
      at = next;
    }
    this.count = count;
    if (at + 2 > headLimit) return -FAULT.headTooLong;
    return lineFeed(bytes, at, end, FAULT.lineEnd);
  }

  /** The limit is looked at before the octet that ends a run, so that the fault is the same however the bytes come. */
  private fieldLine(bytes: Uint8Array, start: number, end: number, headLimit: number, index: number): number {
    let at = start;
    while (at < end && TOKEN[bytes[at] ?? 0] === 1) at += 1;
    if (at > headLimit) return -FAULT.headTooLong;
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== COLON || at === start) return -nameFault(bytes[at] ?? 0, at === start);
    const nameEnd = at;
    at += 1;
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
    const valueStart = at;
    while (at < end && FIELD_VALUE[bytes[at] ?? 0] === 1) at += 1;
    if (at > headLimit) return -FAULT.headTooLong;
    const lineEnd = lineFeed(bytes, at, end, FAULT.fieldValue);
    if (lineEnd <= 0) return lineEnd;
    while (at > valueStart && (bytes[at - 1] === SP || bytes[at - 1] === HTAB)) at -= 1;
    this.fields[index] = fieldOf(bytes, start, nameEnd);
    const slot = index * NUMBERS_A_FIELD;
    this.offsets[slot] = start;
    this.offsets[slot + 1] = valueStart;
    this.offsets[slot + 2] = at;
    this.offsets[slot + 3] = lineEnd;
    return lineEnd;
  }
}

/** The one of all connections: what it finds is read before anything else is scanned. */
export const SCANNER = new HeadScanner();

const VERSION_OCTETS = Buffer.from('HTTP/1.1', 'latin1');

/** CR LF and nothing else ends a line: a bare CR or LF is read in two ways by two programs. */
function lineFeed(bytes: Uint8Array, at: number, end: number, otherwise: Fault): number {
  if (at === end) return INCOMPLETE;
  if (bytes[at] !== CR) return bytes[at] === LF ? -FAULT.lineEnd : -otherwise;
  if (at + 1 === end) return INCOMPLETE;
  return bytes[at + 1] === LF ? at + 2 : -FAULT.lineEnd;
}

/** What does not begin with a method may be the first half of an empty line, which a server skips (RFC 9112, 2.2). */
function methodFault(bytes: Uint8Array, start: number, at: number, end: number): number {
  return at === start && bytes[at] === CR && at + 1 === end ? INCOMPLETE : -FAULT.method;
}

function nameFault(octet: number, atStart: boolean): Fault {
  if (octet === SP || octet === HTAB) return atStart ? FAULT.fold : FAULT.spaceBeforeColon;
  return octet === LF || octet === CR ? FAULT.lineEnd : FAULT.fieldName;
}
