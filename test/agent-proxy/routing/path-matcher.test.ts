import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPath, showPath } from '../../../agent-proxy/routing/path.ts';
import { PathMatcher, PathTemplate } from '../../../agent-proxy/routing/path-matcher.ts';

function match(pattern: string, path: string): object | null {
  const found = new PathMatcher(pattern).match(readPath(path));
  return found === null ? null : { ...Object.fromEntries(found.captures), suffix: showPath(found.suffix) };
}

describe('a pattern', () => {
  it.each([
    ['/foo/bar', '/foo/bar/bas', { suffix: '/bas' }],
    ['/', '/foo', { suffix: '/foo' }],
    ['/foo/bar', '/foo', null],
    ['/foo/bar', '/foo/baz', null],
    ['/foo/*/bas', '/foo/bar/bas', { suffix: '/' }],
    ['/foo/*', '/foo', null],
    ['/foo/bar/{A}:http', '/foo/bar/bas:http', { A: 'bas', suffix: '/' }],
    ['/foo/bar/{A}:http', '/foo/bar/bas', null],
    ['/foo/bar/{A}:http', '/foo/bar/:http', null],
    ['/foo/bar/{A}-{B}', '/foo/bar/foo-bar-baz', { A: 'foo-bar', B: 'baz', suffix: '/' }],
    ['/{A}-{B}', '/a--', { A: 'a', B: '-', suffix: '/' }],
    ['/{A}-{B}', '/a-', null],
    ['/{A}.{B}.{C}/{D}', '/www.foo.com/80', { A: 'www', B: 'foo', C: 'com', D: '80', suffix: '/' }],
    ['/{A}.{B}.{C}/{D}', '/wwwxfooxcom/80', null],
    ['/{A}.{B}', '/a.b.c.d', { A: 'a.b.c', B: 'd', suffix: '/' }],
    ['/{a_b}/svc-{v.1}', '/x/svc-2/rest', { a_b: 'x', 'v.1': '2', suffix: '/rest' }],
    ['/{x}', '/a\\x2fb', { x: 'a/b', suffix: '/' }],
    ['/{x}\\x2fb', '/a\\x2fb', { x: 'a', suffix: '/' }],
    ['/{a}{b}', '/xyz', { a: 'xy', b: 'z', suffix: '/' }],
  ])('%s on %s gives %j', (pattern, path, expected) => {
    expect(match(pattern, path)).toEqual(expected);
  });

  it.each([
    ['foo', "'/' expected but 'f' found at '[f]oo'"],
    ['/foo/', "'label char or {' expected but 'end of input' found at '/foo/[]'"],
    ['/{a', "'}' expected but 'end of input' found at '/{a[]'"],
    ['/{}', "'variable name' expected but '}' found at '/{[}]'"],
    ['/a*', "'end of input' expected but '*' found at '/a[*]'"],
  ])('%s is refused', (pattern, message) => {
    expect(() => new PathMatcher(pattern)).toThrow(message);
  });

  it('matches as the regular expression would, but in time that is linear in the segment', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '-', '.'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(text, (segment) => {
        const [, A, B, C] = /^a(.+)-(.+)\.-(.+)a$/.exec(segment) ?? [];
        const expected = A === undefined ? null : { A, B, C, suffix: '/' };
        expect(match('/a{A}-{B}.-{C}a', `/${segment}`)).toEqual(expected);
      }),
      { numRuns: 2_000, examples: [['aa-a.-aa'], ['aa-a-a.-a.-aa'], ['a--.-.-aa']] },
    );
    // A regular expression would take days for this one.
    expect(new PathMatcher('/{A}.{B}.{C}.{D}:x').match(['.'.repeat(60_000)])).toBeNull();
  });
});

describe('a name with variables', () => {
  const substitute = (pattern: string, template: string, path: string): string | null => {
    const found = new PathMatcher(pattern).match(readPath(path));
    const filled = found === null ? null : new PathTemplate(template).fill(found.captures);
    return filled === null ? null : showPath(filled);
  };

  it('is filled with what was captured', () => {
    expect(substitute('/foo/{A}/*/{B}', '/{A}/and/{B}', '/foo/boo/bar/bas')).toBe('/boo/and/bas');
    expect(substitute('/foo/{A}/*/{B}', '/{A}/and/{B}', '/fox/boo/bar/bas')).toBeNull();
    expect(substitute('/{A}', '/$/io.buoyant.rinet/443/{A}.x', '/a')).toBe('/$/io.buoyant.rinet/443/a.x');
  });

  it('needs all its variables', () => {
    expect(substitute('/foo', '/{A}', '/foo')).toBeNull();
    expect(() => new PathTemplate('/a/*')).toThrow("'label char or {' expected but '*' found at '/a/[*]'");
  });
});
