import { describe, expect, it } from 'vitest';
import { type Compressible, type Compression, compressionOf } from '../../../agent-proxy/http1/compression.ts';

interface Response {
  method?: string;
  version?: string;
  status?: number;
  accept?: string | null;
  headers?: Record<string, string>;
}

const AS_IT_CAME: Compression = { kind: 'identity', vary: null };

function decide(
  level: number,
  { method = 'GET', version = '1.1', status = 200, accept = 'gzip', headers = {} }: Response,
) {
  const all: Record<string, string> = { 'content-type': 'text/html; charset=utf-8', ...headers };
  const response: Compressible = {
    method,
    version,
    status,
    acceptEncoding: accept,
    header: (name) => all[name] ?? null,
  };
  return compressionOf(response, level);
}

describe('which coding', () => {
  it.each([
    ['gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['gzip, deflate, br', 'gzip'],
    ['deflate;q=1, gzip;q=0.5', 'deflate'],
    ['x-gzip', 'gzip'],
    ['*', 'gzip'],
    ['gzip;q=0, *', 'deflate'],
    ['GZip ; Q=0.3', 'gzip'],
  ])('Accept-Encoding %s gets %s', (accept, coding) => {
    expect(decide(-1, { accept })).toMatchObject({ kind: 'compressed', coding, level: 6 });
  });

  it.each([null, '', 'br', 'gzip;q=0', '*;q=0', 'identity', 'identity, gzip;q=0.5', 'gzip;q=high', 'gzip;q=2'])(
    'Accept-Encoding %j gets it as it is, and caches are told that others do not',
    (accept) => {
      expect(decide(-1, { accept })).toEqual({ kind: 'identity', vary: 'Accept-Encoding' });
    },
  );

  it('an HTTP/1.0 client gets it as it is', () => {
    expect(decide(-1, { version: '1.0' }).kind).toBe('identity');
  });
});

describe('compressionLevel', () => {
  it('0 compresses nothing', () => {
    expect(decide(0, {})).toEqual(AS_IT_CAME);
  });

  it.each([
    ['text/plain', true],
    ['application/json', true],
    ['application/problem+json', true],
    ['image/svg+xml', true],
    ['text/event-stream', false],
    ['application/octet-stream', false],
    ['image/png', false],
    ['', false],
  ])('-1 compresses texts: %s %s', (type, compressed) => {
    expect(decide(-1, { headers: { 'content-type': type } }).kind).toBe(compressed ? 'compressed' : 'identity');
  });

  it.each([
    ['application/octet-stream', true],
    ['', true],
    ['text/event-stream', false],
    ['image/png', false],
    ['video/mp4', false],
    ['application/zip', false],
    ['application/grpc', false],
  ])('9 compresses all that may shrink: %s %s', (type, compressed) => {
    const decision = decide(9, { headers: { 'content-type': type } });
    if (compressed) expect(decision).toMatchObject({ kind: 'compressed', level: 9 });
    else expect(decision).toEqual(AS_IT_CAME);
  });
});

describe('never touched', () => {
  it.each<[string, Response]>([
    ['the answer to HEAD', { method: 'HEAD' }],
    ['204', { status: 204 }],
    ['206', { status: 206 }],
    ['304', { status: 304 }],
    ['101', { status: 101 }],
    ['what is encoded already', { headers: { 'content-encoding': 'br' } }],
    ['what no proxy may transform', { headers: { 'cache-control': 'max-age=5, No-Transform' } }],
    ['what has a digest of its bytes', { headers: { 'content-digest': 'sha-256=:x:' } }],
    ['what is short', { headers: { 'content-length': '255' } }],
  ])('%s', (_, response) => {
    expect(decide(9, response)).toEqual(AS_IT_CAME);
    expect(decide(-1, response)).toEqual(AS_IT_CAME);
  });
});

describe('the head of a compressed response', () => {
  it.each([
    [undefined, null],
    ['"abc"', 'W/"abc"'],
    ['W/"abc"', 'W/"abc"'],
  ])('ETag %s becomes %s', (etag, expected) => {
    expect(decide(-1, { headers: etag === undefined ? {} : { etag } })).toMatchObject({ etag: expected });
  });

  it.each([
    [undefined, 'Accept-Encoding'],
    ['Origin', 'Origin, Accept-Encoding'],
    ['Origin, accept-encoding', 'Origin, accept-encoding'],
    ['*', '*'],
    ['X-Accept-Encoding', 'X-Accept-Encoding, Accept-Encoding'],
  ])('Vary %s becomes %s', (vary, expected) => {
    expect(decide(-1, { headers: vary === undefined ? {} : { vary } })).toMatchObject({ vary: expected });
  });
});
