import { expect, test } from 'vitest';
import { ASKED_WITHIN_MS, AskedNames } from '../../../scheduler/policy/asked-names.ts';

test('a name counts for an hour after its last request, in its own namespace', () => {
  const asked = new AskedNames();
  asked.add('default', '/svc/web', 0);
  asked.add('default', '/svc/gen', 1_000_000);
  asked.add('other', '/svc/word', 1_000_000);
  expect(asked.of('default', 1_000_000)).toEqual(['/svc/web', '/svc/gen']);
  asked.add('default', '/svc/web', 2_000_000);
  expect(asked.of('other', 1_000_000)).toEqual(['/svc/word']);
  expect(asked.of('default', 1_000_000 + ASKED_WITHIN_MS + 1)).toEqual(['/svc/web']);
});

test('of ten thousand names those that were asked for longest ago give way', () => {
  const asked = new AskedNames();
  for (let n = 0; n < 10_000; n += 1) asked.add('default', `/svc/${n}`, n);
  asked.add('default', '/svc/0', 100_000);
  asked.add('default', '/svc/new', 100_000);
  const names = asked.of('default', 100_000);
  expect(names).toHaveLength(10_000);
  expect(names.slice(-2)).toEqual(['/svc/0', '/svc/new']);
  expect(names).not.toContain('/svc/1');
});
