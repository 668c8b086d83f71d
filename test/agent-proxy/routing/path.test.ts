import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePath, readPath, showPath, showSegment, startsWith } from '../../../agent-proxy/routing/path.ts';

const segment = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 12 }).map((bytes) => {
  return String.fromCharCode(...bytes);
});

describe('a path that is written', () => {
  it.each([
    ['/', []],
    ['/svc/web', ['svc', 'web']],
    ['  /svc/web\n', ['svc', 'web']],
    ['/#/io.l5d.fs/a-b_c:80/$/100%', ['#', 'io.l5d.fs', 'a-b_c:80', '$', '100%']],
    ['/\\x41', ['A']],
    ['/a\\x2Fb\\x2f', ['a/b/']],
    ['/\\xff\\x00', ['\xff\0']],
  ])('%j is read as %j', (text, path) => {
    expect(readPath(text)).toEqual(path);
    expect(parsePath(text)).toEqual(path);
  });

  it.each([
    ['invalid-param', "'/' expected but 'i' found at '[i]nvalid-param'"],
    ['', "'/' expected but 'end of input' found at '[]'"],
    ['/a/', "'label char' expected but 'end of input' found at '/a/[]'"],
    ['//a', "'end of input' expected but '/' found at '/[/]a'"],
    ['/a//b', "'label char' expected but '/' found at '/a/[/]b'"],
    ['/a b', "'end of input' expected but ' ' found at '/a[ ]b'"],
    ['/a!', "'end of input' expected but '!' found at '/a[!]'"],
    ['/a\\y41', "'x' expected but 'y' found at '/a\\[y]41'"],
    ['/a\\x4g', "'two hex digits' expected but '4' found at '/a\\x[4]g'"],
    ['/caf\xe9', "'end of input' expected but '\xe9' found at '/caf[\xe9]'"],
  ])('%j is refused, and it is said where', (text, message) => {
    expect(() => readPath(text)).toThrow(message);
    expect(parsePath(text)).toBeNull();
  });
});

describe('a path that is shown', () => {
  it('shows segments of legal characters as they are', () => {
    expect(showPath(['svc', 'web.example.com:80'])).toBe('/svc/web.example.com:80');
    expect(showPath([])).toBe('/');
    expect(showPath(readPath('/\\x41'))).toBe('/A');
  });

  it('shows a segment with any other byte as a whole in lower-case hex', () => {
    expect(showSegment('a b')).toBe('\\x61\\x20\\x62');
    expect(showSegment('\xffJ')).toBe('\\xff\\x4a');
  });

  it('is read again as the same bytes', () => {
    fc.assert(
      fc.property(fc.array(segment), (path) => {
        expect(readPath(showPath(path))).toEqual(path);
      }),
    );
  });
});

it('a path starts with its prefix, segment by segment', () => {
  expect(startsWith(['a', 'b'], ['a'])).toBe(true);
  expect(startsWith(['a', 'b'], [])).toBe(true);
  expect(startsWith(['ab'], ['a'])).toBe(false);
  expect(startsWith(['a'], ['a', 'b'])).toBe(false);
});
