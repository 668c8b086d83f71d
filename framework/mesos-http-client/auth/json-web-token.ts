/** JSON Web Tokens (RFC 7519), as far as a login needs them: signing one by RS256, reading when one ends. */
import { type KeyObject, sign } from 'node:crypto';

/** A token signed by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, section 3.3). */
export function signToken(claims: Readonly<Record<string, string | number>>, key: KeyObject): string {
  const content = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${content}.${sign('sha256', Buffer.from(content), key).toString('base64url')}`;
}

/** When a token ends, Unix time in milliseconds; null where it does not say so or is of another kind. Nothing is verified. */
export function tokenExpiry(token: string): number | null {
  const [, claims, signature] = token.split('.');
  if (claims === undefined || signature === undefined) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'));
    const seconds: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'exp') : null;
    return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds * 1000 : null;
  } catch {
    // Three parts, and no claims in the middle: an opaque token.
    return null;
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
