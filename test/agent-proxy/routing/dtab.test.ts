import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  concatDtabs,
  DtabError,
  dtabFromJson,
  dtabToJson,
  EMPTY_DTAB,
  lookupDtab,
  readDtab,
  readTree,
  showDtab,
  showTree,
} from '../../../agent-proxy/routing/dtab.ts';
import { readPath } from '../../../agent-proxy/routing/path.ts';
import { writtenDtab } from './trees.ts';

/** The dtab as JSON, which is short to write. */
const read = (text: string) => dtabToJson(readDtab(text));

describe('a dtab that is read', () => {
  it('may be empty, and may end in a semicolon', () => {
    expect(read('')).toEqual([]);
    expect(read('  \n # nothing yet\n')).toEqual([]);
    expect(read('/a => /b;')).toEqual([{ prefix: '/a', dst: '/b' }]);
    expect(read('/a=>/b;/ =>/c')).toEqual([
      { prefix: '/a', dst: '/b' },
      { prefix: '/', dst: '/c' },
    ]);
  });

  it('has comments where whitespace may stand, and `#` in paths', () => {
    const commented = `
      # discovery
      /srv => /#/io.l5d.fs;   # from files: /a => /b;
      /svc #here too
        => # and here
        /srv | /#/ns;
      # the end`;
    expect(read(commented)).toEqual(read('/srv=>/#/io.l5d.fs;/svc=>/srv|/#/ns'));
  });

  it('has `*` for any one segment of a prefix', () => {
    expect(readDtab('/a/*/\\x2a => /b')).toEqual([{ prefix: ['a', null, '*'], dst: { kind: 'leaf', value: ['b'] } }]);
  });

  it('keeps the order and the duplicates of its dentries', () => {
    expect(read('/a=>/b;/a=>/c;/a=>/b').map(({ dst }) => dst)).toEqual(['/b', '/c', '/b']);
  });
});

describe('a tree that is read', () => {
  const path = (text: string) => ({ kind: 'leaf', value: readPath(text) });
  const [foo, bar, baz] = [path('/foo'), path('/bar'), path('/baz')];
  const empty = { kind: 'empty' };
  const union = (...trees: object[]) => ({ kind: 'union', branches: trees.map((tree) => ({ weight: 1, tree })) });
  it.each([
    ['/foo & /bar | /baz | $', { kind: 'alt', trees: [union(foo, bar), baz, empty] }],
    ['/foo & (/bar | /baz)', union(foo, { kind: 'alt', trees: [bar, baz] })],
    ['(/foo|/bar)|/baz', { kind: 'alt', trees: [{ kind: 'alt', trees: [foo, bar] }, baz] }],
    ['((/foo))', foo],
    ['1 * /foo', foo],
    ['0.5*/foo | /bar', { kind: 'alt', trees: [foo, bar] }],
    [
      '.5 * /foo & 1.*/bar',
      {
        kind: 'union',
        branches: [
          { weight: 0.5, tree: foo },
          { weight: 1, tree: bar },
        ],
      },
    ],
    [
      '2.25*$ & 0*~',
      {
        kind: 'union',
        branches: [
          { weight: 2.25, tree: empty },
          { weight: 0, tree: { kind: 'neg' } },
        ],
      },
    ],
    ['$', empty],
    ['/$/x', path('/$/x')],
    ['!', { kind: 'fail' }],
    [' ~ ', { kind: 'neg' }],
    ['/', path('/')],
  ])('%s', (text, tree) => {
    expect(readTree(text)).toEqual(tree);
  });
});

describe('a dtab that is wrong', () => {
  it.each([
    ['/a => ', "'/, ~, !, $ or (' expected but 'end of input' found at '/a => []'", 1, 7],
    ['/a => . * /a', "'digit' expected but ' ' found at '/a => .[ ]* /a'", 1, 8],
    ['/a => 1..2 * /a', "'*' expected but '.' found at '/a => 1.[.]2 * /a'", 1, 9],
    ['/a => -1 * /a', "'/, ~, !, $ or (' expected but '-' found at '/a => [-]1 * /a'", 1, 7],
    ['/a => 2 /a', "'*' expected but '/' found at '/a => 2 [/]a'", 1, 9],
    ['/a => 2', "'*' expected but 'end of input' found at '/a => 2[]'", 1, 8],
    ['/a', "'=>' expected but 'end of input' found at '/a[]'", 1, 3],
    ['/a => /b /c', "';' expected but '/' found at '/a => /b [/]c'", 1, 10],
    ['/foo/*bar => /b', "'=>' expected but 'b' found at '/foo/*[b]ar => /b'", 1, 7],
    ['/foo/b*r => /b', "'=>' expected but '*' found at '/foo/b[*]r => /b'", 1, 7],
    ['/a => /*', "';' expected but '*' found at '/a => /[*]'", 1, 8],
    ['/a/ => /b', "'label char' expected but ' ' found at '/a/[ ]=> /b'", 1, 4],
    ['/a => (/b', "')' expected but 'end of input' found at '/a => (/b[]'", 1, 10],
    ['/a => /b;; /c => /d', "'/' expected but ';' found at '/a => /b;[;] /c => /d'", 1, 10],
    ['a => /b', "'/' expected but 'a' found at '[a] => /b'", 1, 1],
    ['/a => /b;\n# two\n  /c => | /d', "'/, ~, !, $ or (' expected but '|' found at '  /c => [|] /d'", 3, 9],
    ['/a => /b/\n', "'label char' expected but 'end of line' found at '/a => /b/[]'", 1, 10],
  ])('%j is refused with line and column', (text, message, line, column) => {
    expect(() => readDtab(text)).toThrow(DtabError);
    expect(() => readDtab(text)).toThrow(expect.objectContaining({ message, line, column }));
  });

  it('is shown around the fault only, if the line is long', () => {
    const text = `/a => ${'/b | '.repeat(100)}? ${'| /c'.repeat(100)}`;
    expect(() => readDtab(text)).toThrow(/found at '\.\.\..{60}\[\?\].{60}\.\.\.'$/);
  });

  it('may not nest without end, nor weigh more than a number can', () => {
    expect(() => readDtab(`/a => ${'('.repeat(5_000)}`)).toThrow('at most 100 nested parentheses');
    expect(() => readDtab(`/a => ${'9'.repeat(400)} * /b & /c`)).toThrow('a smaller weight');
  });
});

describe('a dtab that is shown', () => {
  it.each([
    ['/a => /b ; /c/* => ~ | ! | $ ;', '/a=>/b;/c/*=>~ | ! | $'],
    ['/a => .25 * /a & 1 * /b', '/a=>0.25*/a & /b'],
    ['/a => 2 * /a & .125 * /b', '/a=>2.00*/a & 0.125*/b'],
    ['/a => (/b & /c) | /d', '/a=>/b & /c | /d'],
    ['/a => (/b | /c) & (/d & /e)', '/a=>(/b | /c) & (/d & /e)'],
    ['/a => (/b | /c) | /d', '/a=>(/b | /c) | /d'],
    ['/a\\x20b => /', '/\\x61\\x20\\x62=>/'],
  ])('%s is shown as %s', (text, shown) => {
    expect(showDtab(readDtab(text))).toBe(shown);
  });

  it('is read again as the same dtab', () => {
    fc.assert(
      fc.property(writtenDtab, (dtab) => {
        expect(readDtab(showDtab(dtab))).toEqual(dtab);
        expect(dtabFromJson(dtabToJson(dtab))).toEqual(dtab);
        expect(JSON.parse(JSON.stringify(dtab))).toEqual(dtab);
      }),
      { numRuns: 500 },
    );
  });

  it('shows weights so that no share is lost', () => {
    expect(showTree(readTree('0.001 * /a & 0.0000001 * /b'))).toBe('0.001*/a & 0.0000001*/b');
    expect(showTree(readTree('3000000000000000000000 * /a & /b'))).toBe('3000000000000000000000*/a & /b');
  });

  it('reads any text without another error than its own', () => {
    const text = fc.string({ unit: fc.constantFrom(...'/ab*|&;=>()~!$# \\x41.\n'), maxLength: 40 });
    fc.assert(
      fc.property(text, (any) => {
        try {
          readDtab(any);
        } catch (error) {
          expect(error).toBeInstanceOf(DtabError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a look-up in a dtab', () => {
  const look = (dtab: string, path: string) => showTree(lookupDtab(readDtab(dtab), readPath(path)));
  it.each([
    ['/a/*/c => /d', '/a/b/c/e/f', '/d/e/f'],
    ['/a/*/c => /d', '/a/c', '~'],
    ['/foo => /bar; /foo => /baz', '/foo/x', '/baz/x | /bar/x'],
    ['/foo => /bar; /fo => /baz', '/foo', '/bar'],
    ['/ => /root', '/foo', '/root/foo'],
    ['/foo => 2*/a & (/b | $)', '/foo/x', '2.00*/a/x & (/b/x | $)'],
    ['/foo => ~', '/foo/x', '~'],
    ['', '/foo', '~'],
  ])('%s rewrites %s to %s', (dtab, path, tree) => {
    expect(look(dtab, path)).toBe(tree);
  });

  it('takes the later dtab first', () => {
    const [base, local] = [readDtab('/a => /b; /c => /d'), readDtab('/a => /e')];
    expect(showDtab(concatDtabs(base, local))).toBe('/a=>/b;/c=>/d;/a=>/e');
    expect(concatDtabs(base, EMPTY_DTAB)).toBe(base);
    expect(concatDtabs(EMPTY_DTAB, local)).toBe(local);
  });
});
