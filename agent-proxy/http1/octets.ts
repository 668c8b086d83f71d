/** Which octets may stand where in a message head (RFC 9110, 5.5 and 5.6.2; RFC 9112, 3 and 5). One look-up an octet. */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;
export const PERCENT = 0x25;
export const LEFT_BRACKET = 0x5b;
export const RIGHT_BRACKET = 0x5d;

function table(allowed: (octet: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => (allowed(octet) ? 1 : 0));
}

function among(chars: string): (octet: number) => boolean {
  return (octet) => chars.includes(String.fromCharCode(octet));
}

const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `tchar`: methods and field names. */
export const TOKEN = table(among(`!#$%&'*+-.^_\`|~${ALPHANUMERIC}`));

/** Visible characters, `obs-text`, and within a value space and tab. No other control character, NUL least of all. */
export const FIELD_VALUE = table((octet) => octet === HTAB || (octet >= SP && octet !== 0x7f));

/** A request target: visible ASCII without `#`, since a fragment is never sent (RFC 9112, 3.2). */
export const TARGET = table((octet) => octet > SP && octet < 0x7f && octet !== 0x23);

/** `reg-name` (RFC 3986, 3.2.2): the name or IPv4 address of a host. Behind each `%` two hexadecimal digits have to stand. */
export const HOST_NAME = table(among(`-._~%!$&'()*+,;=${ALPHANUMERIC}`));

/** What stands between the brackets of an IPv6 address. */
export const HOST_LITERAL = table(among(':.0123456789ABCDEFabcdef'));

/** Hexadecimal digits have their value plus one, all others 0. */
export const HEX = Uint8Array.from({ length: 256 }, (_, octet) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(octet).toLowerCase());
  return digit + 1;
});
