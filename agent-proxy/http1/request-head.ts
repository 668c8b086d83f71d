/** The head of a request, read once: what it asks for, how its body is framed, and what of it goes on to the next hop. */
import { FAULT, type Fault } from './faults.ts';
import { withoutBlanks } from './field-values.ts';
import { FIELD, FIELD_NAMES, type Field, isIn } from './fields.ts';
import { type DropLine, forwardedLines, isFraming, REQUEST_DROPS, viaLine } from './forwarded-fields.ts';
import { HeadFacts, isKept } from './head-facts.ts';
import type { HeadScanner } from './head-scanner.ts';
import { isAuthority } from './host.ts';

/** How a body ends. `close`: with its connection, which only a response may. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

export class RequestHead {
  /** The head as it came, one character a byte. */
  readonly text: string;
  readonly method: string;
  readonly version: '1.0' | '1.1';
  /** Origin form (`/path?query`), `*`, or for CONNECT `host:port`. An absolute form has been taken apart. */
  readonly target: string;
  /** The authority that was asked for, as it was written; null where there is none. */
  readonly host: string | null;
  readonly framing: Framing;
  /** Bytes of the body, where `framing` is `length`. */
  readonly length: number;
  /** Whether the connection may be used for another request afterwards. */
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  /** What it asks to upgrade to, in lower case, where it does so for this hop. */
  readonly upgrade: string | null;
  /** The request line as it came, and the lines that go on, each with its CR LF. */
  readonly forwarded: string;
  /** Host is among them, as it came. */
  readonly keepsHost: boolean;
  readonly via: string;
  /** How often it has been passed on by a proxy before. */
  readonly hops: number;
  /** The request line may go on as it came: to the next hop it says what it says to us. */
  readonly isPlain: boolean;
  private readonly lineLength: number;
  private readonly present: number;
  private readonly presentHigh: number;

  constructor(parts: RequestParts) {
    this.text = parts.text;
    this.method = parts.method;
    this.version = parts.version;
    this.target = parts.target;
    this.host = parts.host;
    this.framing = parts.framing;
    this.length = parts.length;
    this.keepAlive = parts.keepAlive;
    this.expectsContinue = parts.expectsContinue;
    this.upgrade = parts.upgrade;
    this.forwarded = parts.forwarded;
    this.isPlain = parts.isPlain;
    this.lineLength = parts.lineLength;
    this.keepsHost = parts.keepsHost;
    this.via = parts.via;
    this.hops = parts.hops;
    this.present = parts.present;
    this.presentHigh = parts.presentHigh;
  }

  /** The lines that go on, each with its CR LF. */
  get kept(): string {
    return this.forwarded.slice(this.lineLength);
  }

  /** Whether a header that the proxy knows is there. */
  has(field: Field): boolean {
    return isIn(this.present, this.presentHigh, field);
  }

  /** The first value of a header that the proxy knows, or null. Cheap where it is absent. */
  value(field: Field): string | null {
    return this.has(field) ? valueIn(this.text, FIELD_NAMES[field]) : null;
  }

  /** Whether it tells a trace in a format that is not linkerd's. */
  get tellsTrace(): boolean {
    return this.presentHigh !== 0;
  }

  /** The first value of any header, by its lower-case name, or null. */
  header(name: string): string | null {
    return valueIn(this.text, name);
  }

  /** All values of a header, by its lower-case name, in order. */
  headers(name: string): string[] {
    return valuesIn(this.text, name);
  }
}

type RequestParts = Pick<
  RequestHead,
  | 'text'
  | 'method'
  | 'version'
  | 'target'
  | 'host'
  | 'framing'
  | 'length'
  | 'keepAlive'
  | 'expectsContinue'
  | 'upgrade'
  | 'forwarded'
  | 'isPlain'
  | 'keepsHost'
  | 'via'
  | 'hops'
> & { readonly lineLength: number; readonly present: number; readonly presentHigh: number };

/** Every value of a header in the text of a head, in order. */
export function valuesIn(text: string, name: string): string[] {
  const values: string[] = [];
  let at = text.indexOf('\r\n') + 2;
  while (at < text.length - 2) {
    const end = text.indexOf('\r\n', at);
    if (end === -1) break;
    const colon = at + name.length;
    if (text[colon] === ':' && text.slice(at, colon).toLowerCase() === name) {
      values.push(withoutBlanks(text.slice(colon + 1, end)));
    }
    at = end + 2;
  }
  return values;
}

function valueIn(text: string, name: string): string | null {
  return valuesIn(text, name)[0] ?? null;
}

/** Reused by each call of {@link readRequest}, which is synchronous. */
const facts = new HeadFacts();

/**
 * Reads what a scanner found from `start` to `end`. Returns the fault for a head whose headers contradict each other, or
 * that names no host as it must.
 */
export function readRequest(scanner: HeadScanner, bytes: Buffer, start: number, end: number): RequestHead | Fault {
  const text = bytes.toString('latin1', start, end);
  const fault = facts.read(scanner, bytes, text, start) || hostFault(scanner, bytes);
  if (fault !== 0) return fault;
  const { version } = scanner;
  const method = methodOf(text, scanner.methodEnd - start);
  const written = text.slice(scanner.targetStart - start, scanner.targetEnd - start);
  const isOrigin = written.charCodeAt(0) === SLASH && method !== 'CONNECT';
  const absolute = isOrigin ? null : absoluteForm(method, written);
  if (typeof absolute === 'number') return absolute;
  // What follows its head belongs to the tunnel (RFC 9110, 9.3.6): two programs would disagree where that begins.
  if (method === 'CONNECT' && (facts.isChunked || facts.length > 0)) return FAULT.connectWithBody;
  const expectation = facts.joined(scanner, text, start, FIELD.expect);
  if (expectation !== null && expectation.toLowerCase() !== '100-continue') return FAULT.expectation;
  // HTTP/1.0 does not know of it (RFC 9110, 10.1.1).
  const expectsContinue = expectation !== null && version === 11;
  const options = facts.options(scanner, text, start);
  const via = facts.joined(scanner, text, start, FIELD.via);
  const authority = absolute?.authority ?? null;
  const dropped = alsoDropped(authority, expectsContinue);
  const forwarded = forwardedLines(text, start, scanner, REQUEST_DROPS, options.named, dropped);
  const keepsHost = facts.hostAt !== -1 && authority === null;
  return new RequestHead({
    text,
    method,
    version: version === 10 ? '1.0' : '1.1',
    target: absolute?.target ?? written,
    host: (authority ?? hostOf(scanner, text, start)) || null,
    framing: facts.isChunked ? 'chunked' : facts.length > 0 ? 'length' : 'none',
    length: Math.max(facts.length, 0),
    // A proxy does not keep the connection of a client of HTTP/1.0 that knows it as one (RFC 9112, 9.3).
    keepAlive: isKept(version, options) && (version === 11 || authority === null),
    expectsContinue,
    // HTTP/1.0 does not know of it (RFC 9110, 7.8).
    upgrade:
      options.upgrade && version === 11
        ? (facts.joined(scanner, text, start, FIELD.upgrade)?.toLowerCase() ?? null)
        : null,
    forwarded: facts.isPlain ? forwarded : forwarded + facts.respelled,
    isPlain: isOrigin && version === 11 && keepsHost,
    lineLength: scanner.fieldsStart - start,
    keepsHost,
    via: viaLine(via, version),
    hops: via === null ? 0 : via.split(',').length,
    present: facts.present,
    presentHigh: facts.presentHigh,
  });
}

/** Lines that go in this request and not in any: null in the usual case of none. */
function alsoDropped(authority: string | null, expectsContinue: boolean): DropLine | null {
  // The authority of an absolute form is the host (RFC 9112, 3.2.2).
  const { isPlain } = facts;
  if (authority === null && isPlain && !facts.has(FIELD.expect)) return null;
  return (field) =>
    (!isPlain && isFraming(field)) ||
    (field === FIELD.host && authority !== null) ||
    (field === FIELD.expect && !expectsContinue);
}

/** RFC 9112, 3.2: exactly one Host in HTTP/1.1, and one that can be a host. */
function hostFault(scanner: HeadScanner, bytes: Uint8Array): Fault | 0 {
  if (facts.hostAt === -1) return scanner.version === 11 ? FAULT.noHost : 0;
  return isAuthority(bytes, scanner.valueStart(facts.hostAt), scanner.valueEnd(facts.hostAt)) ? 0 : FAULT.badHost;
}

function hostOf(scanner: HeadScanner, text: string, start: number): string {
  if (facts.hostAt === -1) return '';
  return text.slice(scanner.valueStart(facts.hostAt) - start, scanner.valueEnd(facts.hostAt) - start);
}

const SLASH = 0x2f;

/** Methods as constants, so that no string is made for the usual ones. */
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'CONNECT'];

function methodOf(text: string, length: number): string {
  for (const method of METHODS) if (method.length === length && text.startsWith(method)) return method;
  return text.slice(0, length);
}

interface AbsoluteForm {
  readonly target: string;
  readonly authority: string | null;
}

/** The forms of a target that do not begin with a slash (RFC 9112, 3.2). */
function absoluteForm(method: string, target: string): AbsoluteForm | Fault {
  if (method === 'CONNECT') return isConnectTarget(target) ? { target, authority: target } : FAULT.target;
  if (target === '*') return method === 'OPTIONS' ? { target, authority: null } : FAULT.target;
  const parts = /^https?:\/\/([^/?]+)(.*)$/i.exec(target);
  const authority = parts?.[1];
  // A URL without a host is none, and one with userinfo is meant to deceive (RFC 9110, 4.2.1 and 4.2.4).
  if (authority === undefined || authority.startsWith(':') || !isAuthorityText(authority)) return FAULT.target;
  const rest = parts?.[2] ?? '';
  // `OPTIONS http://host` without a path asks about the server as a whole (RFC 9112, 3.2.4).
  if (rest === '' && method === 'OPTIONS') return { target: '*', authority };
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority };
}

function isConnectTarget(target: string): boolean {
  return /[^:]:\d{1,5}$/.test(target) && isAuthorityText(target);
}

function isAuthorityText(text: string): boolean {
  return isAuthority(Buffer.from(text, 'latin1'), 0, text.length);
}
