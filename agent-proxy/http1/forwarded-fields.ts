/**
 * The headers of a message that go on to the next hop, as text: the lines that stay are cut out of the head in runs, so
 * that a head without hop-by-hop headers is one slice of the text that came.
 */
import { FIELD, FIELD_NAMES, type Field } from './fields.ts';
import type { HeadScanner } from './head-scanner.ts';

/** The name that the proxy gives itself (RFC 9110, 7.6.3). */
const PSEUDONYM = 'nodemesh';

/** Headers of one hop (RFC 9110, 7.6.1), in both directions. */
const HOP_BY_HOP: readonly Field[] = [
  FIELD.connection,
  FIELD.keepAlive,
  FIELD.proxyConnection,
  FIELD.proxyAuthenticate,
  FIELD.proxyAuthorization,
  FIELD.te,
  FIELD.trailer,
  FIELD.upgrade,
  FIELD.via,
];

function drops(...more: readonly Field[]): Uint8Array {
  const table = new Uint8Array(Object.keys(FIELD_NAMES).length);
  for (const field of [...HOP_BY_HOP, ...more]) table[field] = 1;
  return table;
}

/** What the proxy sets itself, what proves a peer, and what only a terminator of TLS may say. */
export const REQUEST_DROPS = drops(
  FIELD.dstService,
  FIELD.dstClient,
  FIELD.dstResidual,
  FIELD.dtab,
  FIELD.contextDtab,
  FIELD.contextDeadline,
  FIELD.contextTrace,
  FIELD.requestId,
  FIELD.forwardedClientCert,
  FIELD.peerKey,
  FIELD.peerBound,
  FIELD.peerInstance,
  FIELD.peerHealth,
);
export const RESPONSE_DROPS = drops(FIELD.peerHealth);
/** An application does not get to say that its answer was none: towards a peer this word is the proxy's alone. */
export const RESPONSE_DROPS_TO_PEER = drops(FIELD.peerHealth, FIELD.retryable);

/**
 * A trailer section keeps nothing that a program reads for framing, routing or identity: one that merged it into the head
 * would read another message (RFC 9110, 6.5.1).
 */
export const TRAILER_DROPS = drops(...Object.values(FIELD).filter((field) => field !== FIELD.other));

/** Headers that are dropped from this message and from no other. */
export type DropLine = (field: Field) => boolean;

/** For a message that has no body, or whose framing is written anew. */
export function isFraming(field: Field): boolean {
  return field === FIELD.contentLength || field === FIELD.transferEncoding;
}

/**
 * The first line and the headers that stay, each with its CR LF. `text` is the head, whose first byte was at `start`.
 * `named` are the headers that `Connection` names; `alsoDrop` is asked about those that the table lets pass, where it is
 * given.
 */
export function forwardedLines(
  text: string,
  start: number,
  scanner: HeadScanner,
  table: Uint8Array,
  named: ReadonlySet<string> | null,
  alsoDrop: DropLine | null,
): string {
  const { count } = scanner;
  let kept = '';
  let run = start;
  let end = scanner.fieldsStart;
  for (let index = 0; index < count; index += 1) {
    const field = scanner.field(index);
    const isDropped =
      table[field] === 1 || named?.has(nameOf(text, start, scanner, index)) || alsoDrop?.(field) === true;
    if (isDropped) {
      if (end > run) kept += text.slice(run - start, end - start);
      run = scanner.lineEnd(index);
    }
    end = scanner.lineEnd(index);
  }
  return end > run ? kept + text.slice(run - start, end - start) : kept;
}

function nameOf(text: string, start: number, scanner: HeadScanner, index: number): string {
  const lineStart = scanner.lineStart(index) - start;
  return text.slice(lineStart, text.indexOf(':', lineStart)).toLowerCase();
}

/** All values of a header, joined as a list, or null where there is none. For headers that are rare. */
export function joinedValues(text: string, start: number, scanner: HeadScanner, wanted: Field): string | null {
  let joined: string | null = null;
  for (let index = 0; index < scanner.count; index += 1) {
    if (scanner.field(index) !== wanted) continue;
    const value = text.slice(scanner.valueStart(index) - start, scanner.valueEnd(index) - start);
    joined = joined === null ? value : `${joined}, ${value}`;
  }
  return joined;
}

/** The `Via` line to send, after those that came. `version` (10 or 11) is that of the message that came. */
export function viaLine(came: string | null, version: number): string {
  if (came === null) return version === 11 ? VIA_11 : VIA_10;
  return `Via: ${came}, ${version === 11 ? '1.1' : '1.0'} ${PSEUDONYM}\r\n`;
}

const BY_PROXY = new RegExp(`[ ,](?:${PSEUDONYM}|linkerd)[ \\t]*, 1\\.[01] ${PSEUDONYM}\\r\\n$`);

/** Whether what came by `line`, as {@link viaLine} has made it, was sent by a proxy like us, or by linkerd. */
export function cameByProxy(line: string): boolean {
  return BY_PROXY.test(line);
}

const VIA_10 = `Via: 1.0 ${PSEUDONYM}\r\n`;
const VIA_11 = `Via: 1.1 ${PSEUDONYM}\r\n`;
