/** The head of a response, read once: its status, how its body is framed, and what of it goes back to the client. */
import type { Fault } from './faults.ts';
import { FIELD, FIELD_NAMES, type Field, isIn } from './fields.ts';
import { forwardedLines, isFraming, RESPONSE_DROPS, RESPONSE_DROPS_TO_PEER, viaLine } from './forwarded-fields.ts';
import { HeadFacts, isKept } from './head-facts.ts';
import type { HeadScanner } from './head-scanner.ts';
import { type Framing, valuesIn } from './request-head.ts';

export class ResponseHead {
  readonly text: string;
  readonly status: number;
  readonly framing: Framing;
  /** Bytes of the body; where it has none because of its request or status, 0. */
  readonly length: number;
  /** The server keeps the connection, and its next byte would be another response's. */
  readonly keepAlive: boolean;
  /** `Keep-Alive: timeout=…`, milliseconds, or null. */
  readonly idleHintMs: number | null;
  /** What it switches to (101), in lower case. */
  readonly upgrade: string | null;
  /** The status line as it came, and the lines that go back, each with its CR LF. */
  readonly forwarded: string;
  /** The status line may go back as it came. */
  readonly isPlain: boolean;
  readonly via: string;
  /** Of the headers that the proxy knows, which are there: bit by number. */
  readonly present: number;
  private readonly lineLength: number;

  constructor(parts: ResponseParts) {
    this.text = parts.text;
    this.status = parts.status;
    this.framing = parts.framing;
    this.length = parts.length;
    this.keepAlive = parts.keepAlive;
    this.idleHintMs = parts.idleHintMs;
    this.upgrade = parts.upgrade;
    this.forwarded = parts.forwarded;
    this.isPlain = parts.isPlain;
    this.via = parts.via;
    this.present = parts.present;
    this.lineLength = parts.lineLength;
  }

  /** The lines that go back, each with its CR LF, those of the framing among them. */
  get kept(): string {
    return this.forwarded.slice(this.lineLength);
  }

  /** What stands behind the status, with its leading space: ` OK`. */
  get reason(): string {
    return this.text.slice(STATUS_LENGTH, this.lineLength - CRLF_LENGTH) || ' ';
  }
}

type ResponseParts = Pick<
  ResponseHead,
  | 'text'
  | 'status'
  | 'framing'
  | 'length'
  | 'keepAlive'
  | 'idleHintMs'
  | 'upgrade'
  | 'forwarded'
  | 'isPlain'
  | 'via'
  | 'present'
> & { readonly lineLength: number };

const STATUS_LENGTH = 'HTTP/1.1 200'.length;
const CRLF_LENGTH = 2;

/** The first value of a header that the proxy knows, or null. */
export function responseValue(head: ResponseHead, field: Field): string | null {
  return !isIn(head.present, 0, field) ? null : (valuesIn(head.text, FIELD_NAMES[field])[0] ?? null);
}

/** Reused by each call of {@link readResponse}, which is synchronous. */
const facts = new HeadFacts();

/** `method` is the request's: it decides whether there is a body. `toPeer`: the answer goes on to a proxy of ours. */
export function readResponse(
  scanner: HeadScanner,
  bytes: Buffer,
  start: number,
  end: number,
  method: string,
  toPeer: boolean,
): ResponseHead | Fault {
  const text = bytes.toString('latin1', start, end);
  const fault = facts.read(scanner, bytes, text, start);
  if (fault !== 0) return fault;
  const { version, status } = scanner;
  const options = facts.options(scanner, text, start);
  const opensTunnel = method === 'CONNECT' && status >= 200 && status < 300;
  const framing = opensTunnel ? 'none' : framingOf(status, method, facts.isChunked, facts.length);
  // None of these has a framing header (RFC 9110, 8.6 and 9.3.6; RFC 9112, 6.1).
  const isBare = status < 200 || status === 204 || opensTunnel;
  const table = toPeer ? RESPONSE_DROPS_TO_PEER : RESPONSE_DROPS;
  const lineLength = scanner.fieldsStart - start;
  const dropped = isBare || !facts.isPlain ? isFraming : null;
  const forwarded = forwardedLines(text, start, scanner, table, options.named, dropped);
  return new ResponseHead({
    text,
    status,
    framing,
    length: framing === 'length' ? facts.length : 0,
    keepAlive: framing !== 'close' && isKept(version, options),
    idleHintMs: idleHint(facts.joined(scanner, text, start, FIELD.keepAlive)),
    upgrade: status === 101 ? (facts.joined(scanner, text, start, FIELD.upgrade)?.toLowerCase() ?? null) : null,
    forwarded: isBare || facts.isPlain ? forwarded : forwarded + facts.respelled,
    // The space behind the status belongs there, whether or not a reason follows (RFC 9112, 4).
    isPlain: version === 11 && lineLength > STATUS_LENGTH + CRLF_LENGTH,
    lineLength,
    via: viaLine(facts.joined(scanner, text, start, FIELD.via), version),
    present: facts.present,
  });
}

/** RFC 9112, 6.3. */
function framingOf(status: number, method: string, isChunked: boolean, length: number): Framing {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none';
  if (isChunked) return 'chunked';
  if (length === -1) return 'close';
  return length === 0 ? 'none' : 'length';
}

function idleHint(value: string | null): number | null {
  if (value === null) return null;
  const seconds = /(?:^|[,;\s])timeout\s*=\s*(\d{1,6})(?!\d)/i.exec(value)?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

/** All values of any header, by its lower-case name, joined as a list; null where it is absent. */
export function joinedIn(head: ResponseHead, name: string): string | null {
  const values = valuesIn(head.text, name);
  return values.length === 0 ? null : values.join(', ');
}
