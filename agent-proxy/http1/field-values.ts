/** Readers of the header values on which the framing of a message depends (RFC 9112, 6). Pure. */
import { FAULT, type Fault } from './faults.ts';

/** More digits than this are no length that can be counted exactly. */
const MOST_DIGITS = 15;

/** The number of a `Content-Length`, or -1: one run of digits, no sign, no list. */
export function readLength(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > MOST_DIGITS) return -1;
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/** Only space and tab are white space here; `trim` would take the octet 0xa0 for it as well. */
export function withoutBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}

const KNOWN_CODINGS: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'compress', 'x-compress', 'identity']);

/** Null for exactly `chunked`; else why the value of all `Transfer-Encoding` headers together is not acceptable. */
export function transferFault(value: string): Fault | null {
  const text = value.toLowerCase();
  if (text === 'chunked') return null;
  const codings = text.split(',').map(withoutBlanks);
  const last = codings.pop();
  // Known codings under one chunked are well formed, and beyond this proxy (RFC 9112, 6.1: 501).
  const isWellFormed = last === 'chunked' && codings.length > 0 && codings.every((coding) => KNOWN_CODINGS.has(coding));
  return isWellFormed ? FAULT.unknownCoding : FAULT.transferCoding;
}

/** `Connection` may name headers of its hop, but none that says where a message ends, whom it is for, or what linkerd knows. */
function mayBeNamed(name: string): boolean {
  return name !== 'host' && name !== 'content-length' && name !== 'transfer-encoding' && !name.startsWith('l5d-');
}

/** What the options of `Connection` say. */
export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** Lower-case names of headers that belong to this hop; null for the usual none. */
  readonly named: ReadonlySet<string> | null;
}

export const NO_OPTIONS: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, named: null };
const CLOSE: ConnectionOptions = { ...NO_OPTIONS, close: true };
const KEEP_ALIVE: ConnectionOptions = { ...NO_OPTIONS, keepAlive: true };

export function readConnection(value: string): ConnectionOptions {
  // The two that nearly all messages have.
  if (value === 'keep-alive' || value === 'Keep-Alive') return KEEP_ALIVE;
  if (value === 'close') return CLOSE;
  let named: Set<string> | null = null;
  let close = false;
  let keepAlive = false;
  let upgrade = false;
  for (const part of value.toLowerCase().split(',')) {
    const option = withoutBlanks(part);
    if (option === 'close') close = true;
    else if (option === 'keep-alive') keepAlive = true;
    else if (option === 'upgrade') upgrade = true;
    else if (option !== '' && mayBeNamed(option)) {
      named ??= new Set();
      named.add(option);
    }
  }
  return { close, keepAlive, upgrade, named };
}
