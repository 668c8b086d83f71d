/** IP addresses as people write them in `/$/inet`, and those that are never connected to. */
import { BlockList, isIP } from 'node:net';

const NUMBER = /^(?:0x[0-9a-f]+|[0-9]+)$/i;
const OCTAL = /^0[0-7]+$/;
const MAX_PORT = 65_535;

/** Link-local addresses: on clouds 169.254.169.254 hands out credentials. */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
// The same IPv4 addresses in IPv6's clothes: IPv4-compatible (RFC 4291, 2.5.5.1) and NAT64 (RFC 6052).
LINK_LOCAL.addSubnet('::a9fe:0', 112, 'ipv6');
LINK_LOCAL.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');

/**
 * A host as it is resolved: no brackets around an IPv6 address, and the forms of IPv4 that inet_aton knows (`127.1`,
 * `0x7f000001`, `2130706433`) as four decimal numbers. Names are left as they are; an empty host is localhost.
 */
export function normalizeInetHost(host: string): string {
  if (host === '') return 'localhost';
  if (host.startsWith('[') && host.endsWith(']')) return host.slice(1, -1);
  return inetAton(host) ?? host;
}

/** 1 to 4 numbers (decimal, octal or hexadecimal) with dots; the last one fills the bytes that are left. */
function inetAton(text: string): string | null {
  const parts = text.split('.');
  if (parts.length > 4) return null;
  let address = 0;
  for (const [index, part] of parts.entries()) {
    const value = numberOf(part);
    const isLast = index === parts.length - 1;
    const bytes = isLast ? 4 - index : 1;
    if (value === null || value >= 256 ** bytes) return null;
    address = address * 256 ** bytes + value;
  }
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

function numberOf(text: string): number | null {
  if (!NUMBER.test(text)) return null;
  if (OCTAL.test(text)) return Number.parseInt(text, 8);
  // `09` is no octal number, and taking it for a decimal one would be a guess.
  if (text.length > 1 && text.startsWith('0') && !/^0x/i.test(text)) return null;
  return Number(text);
}

/**
 * Whether an address is link-local, which is never connected to: 169.254.0.0/16 and fe80::/10, also when written as
 * IPv6. False for a name: who resolves it asks again for each address.
 */
export function isLinkLocal(address: string): boolean {
  const zone = address.indexOf('%');
  const bare = zone === -1 ? address : address.slice(0, zone);
  const family = isIP(bare);
  return family !== 0 && LINK_LOCAL.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}

/** The port in a path segment, `NaN` for a number that is none; null where the segment is no number. */
export function portOf(segment: string): number | null {
  if (!/^[0-9]+$/.test(segment)) return null;
  const port = Number(segment);
  return port >= 1 && port <= MAX_PORT ? port : Number.NaN;
}
