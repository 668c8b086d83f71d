/** Which subnet an IP address is in. */
import { isIP } from 'node:net';

/**
 * A key that two addresses share if their first `bits` bits are the same; null for what is no IP address, or has fewer
 * bits. Addresses of different families never share one.
 */
export function subnetOf(address: string, bits: number): string | null {
  const family = isIP(address);
  const bytes = family === 4 ? address.split('.').map(Number) : family === 6 ? bytesOfIPv6(address) : [];
  if (bytes.length === 0 || bits > bytes.length * 8) return null;
  const kept = bytes.map((byte, index) => {
    const ours = Math.min(8, Math.max(0, bits - index * 8));
    return byte & (0xff << (8 - ours)) & 0xff;
  });
  return kept.join('.');
}

/** The 16 bytes of a valid IPv6 address, without its zone. */
function bytesOfIPv6(address: string): number[] {
  const [bare = ''] = address.split('%');
  const [head = '', tail] = bare.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const gap = tail === undefined ? 0 : 16 - before.length - after.length;
  return [...before, ...new Array<number>(gap).fill(0), ...after];
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    // The last 32 bits may be written as an IPv4 address (RFC 4291, 2.2).
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
