/** Whatever JSON is cut at whatever depth: the elements put back into the rest are what it was. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutLists } from '../../../framework/mesos-http-client/json-lists.ts';

interface Cut {
  readonly elements: readonly { readonly path: readonly string[]; readonly value: unknown }[];
  readonly rest: unknown;
}

function cut(text: string, depth: number): Cut {
  const bytes = new TextEncoder().encode(text);
  const elements: { path: readonly string[]; value: unknown }[] = [];
  const cutting = cutLists(bytes, depth);
  for (;;) {
    const step = cutting.next();
    if (step.done) return { elements, rest: JSON.parse(step.value) };
    const { path, from, to } = step.value;
    elements.push({ path, value: JSON.parse(new TextDecoder().decode(bytes.subarray(from, to))) });
  }
}

/** The same, by what JSON.parse makes of it. */
function expected(json: unknown, depth: number): Cut {
  const elements: { path: readonly string[]; value: unknown }[] = [];
  const emptied = (value: unknown, path: readonly string[]): unknown => {
    if (Array.isArray(value)) {
      if (path.length !== depth) return value;
      for (const each of value) elements.push({ path, value: each });
      return [];
    }
    if (typeof value !== 'object' || value === null || path.length >= depth) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, emptied(each, [...path, key])]));
  };
  const rest = emptied(json, []);
  return { elements, rest };
}

describe('lists cut out of JSON', () => {
  test('and put back are what they were, however the text is written', () => {
    // Keys with escapes lead nowhere, and are not written by Mesos.
    const key = fc
      .string({ unit: 'grapheme' })
      .filter((text) => JSON.stringify(text) === `"${text}"` && text !== '__proto__');
    const { tree } = fc.letrec((tie) => ({
      leaf: fc.oneof(
        fc.string(),
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true }),
        fc.boolean(),
        fc.constant(null),
      ),
      object: fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
      list: fc.array(tie('tree'), { maxLength: 4 }),
      tree: fc.oneof({ depthSize: 'medium' }, tie('leaf'), tie('object'), tie('list')),
    }));
    fc.assert(
      fc.property(tree, fc.nat({ max: 3 }), fc.constantFrom(undefined, 1, '\t'), (json, depth, space) => {
        const text = JSON.stringify(json, null, space);
        expect(cut(text, depth)).toEqual(expected(JSON.parse(text), depth));
      }),
      { numRuns: 200 },
    );
  });

  test('a text with brackets and quotation marks in it is one element', () => {
    const value = ['a]"\\', '{"b":[1,2]}', '\\"', { c: ']' }];
    expect(cut(JSON.stringify({ a: value, b: [1] }), 1).elements).toEqual([
      ...value.map((each) => ({ path: ['a'], value: each })),
      { path: ['b'], value: 1 },
    ]);
  });

  test.each(['{"a":[1,2', '{"a":["x]}', '{"a":[1}', '{"a":[[1,2]', '{"a" [1]}', '{"a":[1]} x', '{"a":[1 , 2'])(
    '%s is no JSON, and the end of the work',
    (text) => {
      expect(() => cut(text, 1)).toThrow(SyntaxError);
    },
  );
});
