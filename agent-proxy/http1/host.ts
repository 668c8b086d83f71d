/** Whether bytes can be the host of a request: `uri-host [ ":" port ]` (RFC 9110, 7.2; RFC 3986, 3.2.2). Pure. */
import { COLON, HEX, HOST_LITERAL, HOST_NAME, LEFT_BRACKET, PERCENT, RIGHT_BRACKET } from './octets.ts';

/** Host may be empty, and its port as well: both are in the grammar. */
export function isAuthority(bytes: Uint8Array, start: number, end: number): boolean {
  const hostEnd = bytes[start] === LEFT_BRACKET ? literalEnd(bytes, start, end) : nameEnd(bytes, start, end);
  if (hostEnd === -1) return false;
  if (hostEnd === end) return true;
  if (bytes[hostEnd] !== COLON) return false;
  for (let at = hostEnd + 1; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return false;
  }
  return true;
}

/** The offset behind a name, or -1. */
function nameEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (; at < end && HOST_NAME[bytes[at] ?? 0] === 1; at += 1) {
    if (bytes[at] !== PERCENT) continue;
    if (at + 2 >= end || HEX[bytes[at + 1] ?? 0] === 0 || HEX[bytes[at + 2] ?? 0] === 0) return -1;
  }
  return at;
}

/** The offset behind `[2001:db8::1]`, or -1. */
function literalEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  while (at < end && HOST_LITERAL[bytes[at] ?? 0] === 1) at += 1;
  return at < end && bytes[at] === RIGHT_BRACKET && at > start + 1 ? at + 1 : -1;
}
