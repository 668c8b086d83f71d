/**
 * Paths as Finagle writes them: `/svc/web`. Only what the first routers need: showing a name as one segment, and
 * splitting a written path at its slashes.
 */

/** The prefix under which identifiers put logical names. */
export const SERVICE_PREFIX = '/svc';

const SHOWN_AS_IS = /^[A-Za-z0-9_:.#$%-]*$/;

/** One path segment from any text: bytes that a segment cannot show are written `\xNN`. */
export function showSegment(text: string): string {
  if (SHOWN_AS_IS.test(text)) return text;
  let shown = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte);
    shown += SHOWN_AS_IS.test(char) ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return shown;
}

/** `/a/b` as `['a', 'b']`, or null when the text is no path: no leading slash, an empty segment. */
export function parsePath(text: string): string[] | null {
  if (text === '/') return [];
  if (!text.startsWith('/')) return null;
  const segments = text.slice(1).split('/');
  return segments.every((segment) => segment !== '' && /^[A-Za-z0-9_:.#$%\\-]+$/.test(segment)) ? segments : null;
}

export function showPath(segments: readonly string[]): string {
  return `/${segments.join('/')}`;
}
