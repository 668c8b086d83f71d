/**
 * `Max-Forwards` of TRACE and OPTIONS (RFC 9110, 7.6.2): at 0 the proxy is whom the request is for; else it counts down.
 */
export type MaxForwards =
  | { readonly kind: 'none' }
  /** The number is none. */
  | { readonly kind: 'bad' }
  | { readonly kind: 'here' }
  /** The header lines with the number that goes on. */
  | { readonly kind: 'on'; readonly lines: string };

const NONE: MaxForwards = { kind: 'none' };

/** `value` is the header's, or null; `lines` are the header lines that go on, each with its CR LF. */
export function maxForwards(method: string, value: string | null, lines: string): MaxForwards {
  if (value === null || (method !== 'TRACE' && method !== 'OPTIONS')) return NONE;
  if (!/^\d{1,9}$/.test(value)) return { kind: 'bad' };
  if (Number(value) === 0) return { kind: 'here' };
  const next = `Max-Forwards: ${Number(value) - 1}\r\n`;
  return { kind: 'on', lines: lines.replace(/^max-forwards:.*\r\n/im, next) };
}
