/**
 * Whether a response is compressed on its way to the client, and what changes in its head if it is. `compressionLevel` is
 * linkerd's: −1 compresses texts at level 6, 0 nothing, 1 to 9 everything that may shrink, at that level.
 */
import { preferredCoding } from './accept-encoding.ts';

/** What is read of a response's head, and of its request. */
export interface Compressible {
  readonly method: string;
  /** The request's version. HTTP/1.0 clients get what they get: without chunks the length must be known. */
  readonly version: string;
  readonly status: number;
  /** `Accept-Encoding` of the request. */
  readonly acceptEncoding: string | null;
  /** A header of the response, all its values joined by commas, by its lower-case name. */
  header(name: string): string | null;
}

export type Compression =
  /** Passed on as it came; `vary` where another client would get it compressed. */
  | { readonly kind: 'identity'; readonly vary: string | null }
  | {
      readonly kind: 'compressed';
      readonly coding: 'gzip' | 'deflate';
      /** 1 to 9. */
      readonly level: number;
      /** `Vary` as it has to be. */
      readonly vary: string;
      /** `ETag` as it has to be, or null where there is none. */
      readonly etag: string | null;
    };

/** Headers of the response that hold no longer for a compressed body: its length changes, and ranges are of the other. */
export const REMOVED_WHEN_COMPRESSED: readonly string[] = ['content-length', 'accept-ranges'];

const UNTOUCHED: Compression = { kind: 'identity', vary: null };
const TEXT_LEVEL = 6;
/** Shorter bodies grow, or save less than a packet. */
const MIN_BYTES = 256;

export function compressionOf(response: Compressible, compressionLevel: number): Compression {
  if (compressionLevel === 0 || !mayBeCompressed(response)) return UNTOUCHED;
  const type = mediaType(response.header('content-type'));
  if (compressionLevel < 0 ? !isText(type) : isDense(type)) return UNTOUCHED;

  const vary = varyOf(response.header('vary'));
  const coding = response.version === '1.0' ? null : preferredCoding(response.acceptEncoding);
  if (coding === null) return { kind: 'identity', vary };
  const level = compressionLevel < 0 ? TEXT_LEVEL : compressionLevel;
  return { kind: 'compressed', coding, level, vary, etag: weakened(response.header('etag')) };
}

/** Whether there is a body, and one that a proxy may change (RFC 9110 7.7, RFC 9111 5.2.2.6). */
function mayBeCompressed(response: Compressible): boolean {
  const { method, status } = response;
  if (method === 'HEAD' || method === 'CONNECT' || status < 200) return false;
  // 206 is a part of what was asked for, byte by byte.
  if (status === 204 || status === 205 || status === 206 || status === 304) return false;
  const coding = response.header('content-encoding');
  if (coding !== null && coding.trim().toLowerCase() !== 'identity') return false;
  if (/(?:^|[,\s])no-transform(?:$|[,\s])/i.test(response.header('cache-control') ?? '')) return false;
  // A digest of the body as it is.
  if (response.header('content-digest') !== null || response.header('content-md5') !== null) return false;
  const length = response.header('content-length');
  return length === null || Number(length) >= MIN_BYTES;
}

function mediaType(contentType: string | null): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

const TEXTS = new Set([
  'application/atom+xml',
  'application/javascript',
  'application/json',
  'application/rss+xml',
  'application/x-javascript',
  'application/xhtml+xml',
  'application/xml',
  'image/svg+xml',
]);

/** Events are text too, but each has to arrive when it happens. */
function isText(type: string): boolean {
  if (type === 'text/event-stream') return false;
  return type.startsWith('text/') || TEXTS.has(type) || type.endsWith('+json') || type.endsWith('+xml');
}

/** Types that compress themselves, or are read as they come. */
function isDense(type: string): boolean {
  if (type === 'text/event-stream' || type.startsWith('application/grpc')) return true;
  if (type === 'image/svg+xml' || type === 'image/bmp') return false;
  return /^(?:image|audio|video)\/|^font\/woff|^application\/(?:zip|gzip|x-gzip|zstd|x-7z|x-bzip|x-xz|x-rar|pdf)/.test(
    type,
  );
}

function varyOf(vary: string | null): string {
  if (vary === null || vary.trim() === '') return 'Accept-Encoding';
  return /(?:^|[,\s])(?:accept-encoding|\*)(?:$|[,\s])/i.test(vary) ? vary : `${vary}, Accept-Encoding`;
}

/** A strong tag promises the same bytes (RFC 9110 8.8.1); these are others that mean the same. */
function weakened(etag: string | null): string | null {
  return etag === null || etag.startsWith('W/') ? etag : `W/${etag}`;
}
