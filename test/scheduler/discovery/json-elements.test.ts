/** The elements of a long array, in whatever pieces its document arrives. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonElements, parsedInSlices } from '../../../scheduler/discovery/json-elements.ts';
import { Slices } from '../../../scheduler/discovery/slices.ts';

function read(text: string, key: string | null, cuts: readonly number[] = []) {
  const bytes = Buffer.from(text);
  const elements = new JsonElements(key);
  const found: unknown[] = [];
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const to of [...ends, bytes.length]) {
    for (const element of elements.write(bytes.subarray(from, to))) found.push(JSON.parse(element.toString('utf8')));
    from = to;
  }
  return { found, isComplete: elements.isComplete };
}

describe('the elements', () => {
  test.each<[string, string | null, string, unknown[]]>([
    ['under a key', 'apps', '{"apps":[{"id":"/a"},{"id":"/b"}]}', [{ id: '/a' }, { id: '/b' }]],
    ['of the document itself', null, '[{"id":"/a"}]', [{ id: '/a' }]],
    ['of an empty array', 'apps', '{"apps":[]}', []],
    ['behind other keys', 'apps', '{"n":1,"x":{"apps":[{"no":1}]},"apps" : [ {"a":[{}]} ] ,"z":[]}', [{ a: [{}] }]],
    ['with brackets and quotes in text', 'apps', '{"apps":[{"a":"]}\\"[{"}]}', [{ a: ']}"[{' }]],
    ['but no scalars', 'apps', '{"apps":[null,1,"x",{"a":1}]}', [{ a: 1 }]],
    ['but not of a text that is the key', 'apps', '{"x":"apps","y":[{"a":1}],"apps":[]}', []],
  ])('%s', (_name, key, text, expected) => {
    expect(read(text, key)).toEqual({ found: expected, isComplete: true });
  });

  test.each<[string, string | null, string]>([
    ['nothing', 'apps', ''],
    ['a document that is cut off', 'apps', '{"apps":[{"id":"/a"},{"id":"/we'],
    ['a document that is cut off behind its last element', 'apps', '{"apps":[{"id":"/a"}'],
    ['HTML', 'apps', '<html>{"apps":[]}</html>'],
    ['another document', 'apps', '{"message":"hello"}'],
    ['an object in the place of an array', 'apps', '{"apps":{"a":1}}'],
    ['an object in the place of a list', null, '{"apps":[]}'],
    ['a list in the place of an object', 'apps', '[{"apps":[]}]'],
  ])('%s is not complete', (_name, key, text) => {
    expect(read(text, key).isComplete).toBe(false);
  });

  test('are those that JSON.parse finds, wherever the document is cut', () => {
    const element = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()));
    const document = fc.record({ a: fc.jsonValue(), apps: fc.array(element), z: fc.jsonValue() });
    fc.assert(
      fc.property(document, fc.array(fc.nat(2_000)), fc.constantFrom(undefined, 2), (value, cuts, indent) => {
        const normal: typeof value = JSON.parse(JSON.stringify(value));
        const expected = { found: normal.apps, isComplete: true };
        expect(read(JSON.stringify(value, null, indent), 'apps', cuts)).toEqual(expected);
        expect(read(JSON.stringify(value.apps, null, indent), null, cuts)).toEqual(expected);
      }),
    );
  });
});

test('a large app is read task by task, and is the same', async () => {
  const tasks = Array.from({ length: 3_000 }, (_, n) => ({ id: `é${n}`, ports: [n], note: 'x'.repeat(100) }));
  const app = { id: '/ü', tasks, labels: { tasks: '[]' } };
  const bytes = Buffer.from(JSON.stringify(app));
  expect(bytes.length).toBeGreaterThan(300_000);
  expect(await parsedInSlices(bytes, 'tasks', new Slices())).toEqual(app);
  const other = Buffer.from(JSON.stringify({ notes: tasks }));
  expect(await parsedInSlices(other, 'tasks', new Slices())).toEqual({ notes: tasks });
});
