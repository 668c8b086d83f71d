/** `Accept-Encoding` (RFC 9110 12.5.3), as far as the codings go that the proxy can make. */

/** The coding that the client likes best, gzip before deflate where it likes both; null where it wants neither. */
export function preferredCoding(acceptEncoding: string | null): 'gzip' | 'deflate' | null {
  if (acceptEncoding === null) return null;
  const weights = new Map<string, number>();
  for (const element of acceptEncoding.split(',')) {
    const [name = '', ...parameters] = element.split(';').map((part) => part.trim().toLowerCase());
    if (name !== '') weights.set(name === 'x-gzip' ? 'gzip' : name, weightOf(parameters));
  }
  const any = weights.get('*') ?? 0;
  const gzip = weights.get('gzip') ?? any;
  const deflate = weights.get('deflate') ?? any;
  // A client that prefers the body as it is gets it so.
  const identity = weights.get('identity') ?? 0;
  const best = Math.max(gzip, deflate);
  if (best === 0 || identity > best) return null;
  return gzip >= deflate ? 'gzip' : 'deflate';
}

/** 1 without a `q`; 0 for one that is none, so that a malformed one never turns compression on. */
function weightOf(parameters: readonly string[]): number {
  const q = parameters.find((parameter) => /^q\s*=/.test(parameter));
  if (q === undefined) return 1;
  const value = q.slice(q.indexOf('=') + 1).trim();
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(value) ? Number(value) : 0;
}
