/** Host names as they are compared: without case (RFC 9110, 4.2.3), without a trailing dot and without a port. */

const ALREADY_NORMAL = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;

/** Lower case, no port, no trailing dot. Brackets of an IPv6 literal stay. */
export function normalizeHost(host: string): string {
  if (ALREADY_NORMAL.test(host)) return host;
  let name = host.trim().toLowerCase();
  // A colon inside brackets belongs to an IPv6 address.
  name = name.replace(/:\d*$/, (port) => (name.startsWith('[') && !name.includes(']:') ? port : ''));
  return name.endsWith('.') && name.length > 1 ? name.slice(0, -1) : name;
}
