/** The two forms of a line of the access log. Whatever a request holds, it is one line, and its fields stay apart. */
import type { AccessRecord } from './access-record.ts';

/**
 * linkerd's line, with our reason code and the instance that answered at its end:
 * `host remote - - [time] "METHOD target HTTP/x.y" status bytes "referer" "user-agent" reason upstream`.
 */
export function accessLine(record: AccessRecord, timestamp: string): string {
  const { method, target, version, status, bytes, reason, upstream } = record;
  return (
    `${bare(record.host)} ${showAddress(record.remoteAddress)} - - [${timestamp}] ` +
    `"${bare(method)} ${bare(target)} HTTP/${version}" ${status ?? '-'} ${bytes ?? '-'} ` +
    `"${quoted(record.referer)}" "${quoted(record.userAgent)}" ${reason ?? '-'} ${bare(upstream)}`
  );
}

/** Our own line, for people who read standard output. `time` is ISO 8601. */
export function consoleLine(record: AccessRecord, time: string): string {
  const { router, method, target, version, status, reason, latencyMs, retries } = record;
  return (
    `${time} access ${router} ${showAddress(record.remoteAddress)} ` +
    `"${bare(method)} ${bare(target)} HTTP/${version}" host="${quoted(record.host)}" ` +
    `${status ?? '-'} ${reason ?? '-'} ${latencyMs.toFixed(1)}ms ` +
    `service=${bare(record.service)} client=${bare(record.client)} upstream=${bare(record.upstream)} retries=${retries}`
  );
}

const UNSAFE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const UNSAFE_OR_SPACE = /[^\x21\x23-\x5b\x5d-\x7e]/;

/** A field in quotes. */
function quoted(text: string | null): string {
  return text === null || text === '' ? '-' : escaped(text, UNSAFE);
}

/** A field that ends at a space. */
function bare(text: string | null): string {
  return text === null || text === '' ? '-' : escaped(text, UNSAFE_OR_SPACE);
}

function escaped(text: string, unsafe: RegExp): string {
  if (!unsafe.test(text)) return text;
  let safe = '';
  for (const byte of text) {
    safe += unsafe.test(byte) ? `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}` : byte;
  }
  return safe;
}

/** An address without its zone; one of IPv4 that arrived by an IPv6 socket as IPv4. */
function showAddress(address: string): string {
  if (!address.includes(':')) return bare(address);
  const zone = address.indexOf('%');
  const plain = zone === -1 ? address : address.slice(0, zone);
  return bare(/^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(plain) ? plain.slice('::ffff:'.length) : plain);
}
