import fc from 'fast-check';
import { expect, test } from 'vitest';
import { etagOf, versionOf } from '../../../scheduler/policy/etag.ts';

test('is the version in eight bytes, as namerd has it', () => {
  expect(etagOf(1)).toBe('AAAAAAAAAAE=');
  expect(versionOf('AAAAAAAAAAE=')).toBe(1);
  expect(versionOf(' "AAAAAAAAAAE=" ')).toBe(1);
  fc.assert(fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (version) => versionOf(etagOf(version)) === version));
});

test('is nothing else', () => {
  for (const text of ['', '1', 'AAAAAAAAAAE', 'AAAAAAE=', '//////////8=', 'AAAAAAAAAAE=x', '*']) {
    expect(versionOf(text)).toBeNull();
  }
});
