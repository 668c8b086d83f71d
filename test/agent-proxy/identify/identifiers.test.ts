import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IdentifyHead, keyOf, pathOfKey, showName } from '../../../agent-proxy/identify/identifier.ts';
import { type IdentifierConfig, Identifiers } from '../../../agent-proxy/identify/identifiers.ts';

interface Sent {
  method?: string;
  target?: string;
  version?: string;
  host?: string | null;
  headers?: Record<string, string>;
}

function headOf({ method = 'GET', target = '/', version = '1.1', host = 'web', headers = {} }: Sent): IdentifyHead {
  return { method, target, version, host, header: (name) => headers[name] ?? null };
}

/** The name as it is shown under `/svc`, or the reason why there is none. */
function identify(sent: Sent, ...configs: IdentifierConfig[]) {
  const identifiers = new Identifiers(configs);
  const key = identifiers.identify(headOf(sent));
  return key === null ? identifiers.unnamed : showName(['svc'], key);
}

describe('io.l5d.header.token', () => {
  const byHost: IdentifierConfig = { kind: 'io.l5d.header.token', header: 'Host' };

  it('names by Host, as one segment, unchanged', () => {
    expect(identify({ host: 'web' }, byHost)).toBe('/svc/web');
    expect(identify({ host: 'Web.Example:8080' }, byHost)).toBe('/svc/Web.Example:8080');
    expect(identify({ host: 'a/b' }, byHost)).toBe('/svc/\\x61\\x2f\\x62');
  });

  it.each([null, ''])('knows no name where Host is %j', (host) => {
    expect(identify({ host }, byHost)).toEqual({
      kind: 'unidentified',
      reason: 'io.l5d.header.token: the request has no Host header, or an empty one',
    });
  });

  it('names by any other header, whatever its case', () => {
    const byOther: IdentifierConfig = { kind: 'io.l5d.header.token', header: 'X-Service' };
    expect(identify({ headers: { 'x-service': 'api' } }, byOther)).toBe('/svc/api');
    expect(identify({}, byOther)).toMatchObject({ reason: expect.stringContaining('no X-Service header') });
  });
});

describe('io.l5d.header', () => {
  const byHeader: IdentifierConfig = { kind: 'io.l5d.header', header: 'l5d-name' };

  it('takes the value as a path', () => {
    expect(identify({ headers: { 'l5d-name': '/a/b' } }, byHeader)).toBe('/svc/a/b');
    expect(identify({ headers: { 'l5d-name': '/\\x41' } }, byHeader)).toBe('/svc/A');
  });

  it('is unidentified without the header', () => {
    expect(identify({}, byHeader)).toMatchObject({ kind: 'unidentified' });
  });

  it('is malformed where the value is no path, and says where', () => {
    expect(identify({ headers: { 'l5d-name': 'a/b' } }, byHeader)).toEqual({
      kind: 'malformed',
      reason: "io.l5d.header: l5d-name is no path: '/' expected but 'a' found at '[a]/b'",
    });
    expect(identify({ headers: { 'l5d-name': '/a\\x00b' } }, byHeader)).toMatchObject({ kind: 'malformed' });
  });
});

describe('io.l5d.methodAndHost', () => {
  const plain: IdentifierConfig = { kind: 'io.l5d.methodAndHost', httpUriInDst: false };
  const withUri: IdentifierConfig = { kind: 'io.l5d.methodAndHost', httpUriInDst: true };

  it.each([
    [{ host: 'DoMaiN', target: '/some/path?other=stuff' }, plain, '/svc/1.1/GET/domain'],
    [{ host: 'domain', target: '/some/path?other=stuff' }, withUri, '/svc/1.1/GET/domain/some/path'],
    [{ host: 'domain', target: '/' }, withUri, '/svc/1.1/GET/domain'],
    [{ method: 'POST', version: '1.0', host: null }, plain, '/svc/1.0/POST'],
    [{ method: 'POST', version: '1.0', host: null, target: '/drum/bass' }, withUri, '/svc/1.0/POST/drum/bass'],
    [{ method: 'OPTIONS', target: '*' }, withUri, '/svc/1.1/OPTIONS/web'],
  ])('%j is %#', (sent, config, name) => {
    expect(identify(sent, config)).toBe(name);
  });

  it('is unidentified for HTTP/1.1 without a host', () => {
    expect(identify({ host: null }, plain)).toMatchObject({ kind: 'unidentified' });
  });
});

describe('io.l5d.path', () => {
  it.each([
    [1, '/mysvc/sub', '/svc/mysvc', '/sub'],
    [1, '/mysvc/', '/svc/mysvc', '/'],
    [1, '/mysvc', '/svc/mysvc', '/'],
    [1, '/mysvc?foo=bar', '/svc/mysvc', '/?foo=bar'],
    [1, '/mysvc/sub/?a=b', '/svc/mysvc', '/sub/?a=b'],
    [1, '/mysvc?other=/stuff', '/svc/mysvc', '/?other=/stuff'],
    [2, '/mysvc/subsvc', '/svc/mysvc/subsvc', '/'],
    [2, '/mysvc/subsvc/', '/svc/mysvc/subsvc', '/'],
    [2, '/mysvc/subsvc/path1/', '/svc/mysvc/subsvc', '/path1/'],
    [2, '/mysvc/subsvc/path1?foo=bar', '/svc/mysvc/subsvc', '/path1?foo=bar'],
    [2, '/mysvc/subsvc/path1?foo=bar/', '/svc/mysvc/subsvc', '/path1?foo=bar/'],
    [2, '/mysvc/subsvc/!', '/svc/mysvc/subsvc', '/!'],
    [2, '/mysvc/subsvc//x', '/svc/mysvc/subsvc', '//x'],
  ])('%d segments of %s are %s, and consumed leave %s', (segments, target, name, rest) => {
    const config = { kind: 'io.l5d.path', segments } as const;
    expect(identify({ target }, { ...config, consume: false })).toBe(name);
    const identifiers = new Identifiers([{ ...config, consume: true }]);
    identifiers.identify(headOf({ target }));
    expect(identifiers.target).toBe(rest);
  });

  it.each(['/', '/a', '/a/', '//a', '/a?b/c', '*', '/a//b'])('two segments are more than %s has', (target) => {
    expect(identify({ target }, { kind: 'io.l5d.path', segments: 2, consume: false })).toEqual({
      kind: 'unidentified',
      reason: "io.l5d.path: the request's path has fewer than 2 segments",
    });
  });

  it('leaves the target alone unless it consumes, and forgets it for the next request', () => {
    const identifiers = new Identifiers([
      { kind: 'io.l5d.path', segments: 2, consume: true },
      { kind: 'io.l5d.header.token', header: 'Host' },
    ]);
    identifiers.identify(headOf({ target: '/a/b/' }));
    expect(identifiers.target).toBe('/');
    identifiers.identify(headOf({ target: '/a' }));
    expect(identifiers.target).toBeNull();
  });
});

describe('a list of identifiers', () => {
  const byName: IdentifierConfig = { kind: 'io.l5d.header', header: 'l5d-name' };
  const byHost: IdentifierConfig = { kind: 'io.l5d.header.token', header: 'Host' };

  it('goes on to the next one that knows a name', () => {
    expect(identify({ host: 'web' }, byName, byHost)).toBe('/svc/web');
    expect(identify({ headers: { 'l5d-name': '/a' } }, byName, byHost)).toBe('/svc/a');
    expect(identify({ host: null }, byName, { kind: 'io.l5d.static', path: '/foo' })).toBe('/svc/foo');
  });

  it('keeps the last reason where nobody does', () => {
    expect(identify({ host: null }, byName, byHost)).toMatchObject({ reason: expect.stringContaining('Host') });
  });

  it('stops at a malformed path', () => {
    expect(identify({ headers: { 'l5d-name': 'x' } }, byName, byHost)).toMatchObject({ kind: 'malformed' });
  });
});

it('a key gives back the path that it was made of', () => {
  const segment = fc
    .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 8 })
    .map((bytes) => String.fromCharCode(...bytes));
  fc.assert(
    fc.property(fc.array(segment), (path) => {
      expect(pathOfKey(keyOf(path) ?? '?')).toEqual(path);
    }),
  );
});
