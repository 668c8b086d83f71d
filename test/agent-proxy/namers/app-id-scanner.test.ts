/** The ids of Marathon's apps, out of a document in pieces. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AppIdScanner } from '../../../agent-proxy/namers/app-id-scanner.ts';
import { waitOf } from '../../../agent-proxy/namers/poll-loop.ts';

function scan(text: string, size = text.length): string[] | null {
  const scanner = new AppIdScanner();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) scanner.write(bytes.subarray(at, at + size));
  const ids = scanner.end();
  return ids === null ? null : [...ids];
}

it('ids are those of the apps, and no others', () => {
  const text =
    '{"id": "/no", "apps" : [ {"a": {"id": "/no"}, "b": ["id", "/no"], "id" : "\\/Web", "c": "id"}, {"id":"api/v1"} ], "x": [{"id": "/no"}] }';
  expect(scan(text)).toEqual(['web', 'api/v1']);
  expect(scan('{"apps": []}')).toEqual([]);
});

it.each(['{"message": "no"}', '[]', '', '{"apps": [{"id": "/a"}', '{"apps": "none"}', '<html>', '{"x": {"apps": []}}'])(
  '%s is no list of apps',
  (text) => {
    expect(scan(text)).toBeNull();
  },
);

it('any document of apps gives the ids that parsing gives, however it is cut', () => {
  const app = fc.record({
    id: fc.stringMatching(/^(\/[a-z0-9-]{1,8}){1,3}$/),
    before: fc.jsonValue(),
    labels: fc.dictionary(fc.string(), fc.string()),
  });
  fc.assert(
    fc.property(fc.array(app), fc.jsonValue(), fc.integer({ min: 1, max: 40 }), (list, other, size) => {
      // Members in another order, and one more beside the apps.
      const document = JSON.stringify({ other, apps: list.map(({ id, before, labels }) => ({ before, labels, id })) });
      expect(scan(document, size)).toEqual([...new Set(list.map(({ id }) => id.slice(1)))]);
    }),
  );
});

it.each([50, 100])('waits differ by up to %d ms and are not all the same', (jitterMs) => {
  const waits = Array.from({ length: 300 }, () => waitOf({ ttlMs: 300, jitterMs, random: Math.random }));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(300 - jitterMs);
  expect(Math.max(...waits)).toBeLessThanOrEqual(300 + jitterMs);
  expect(new Set(waits).size).toBeGreaterThan(1);
});
