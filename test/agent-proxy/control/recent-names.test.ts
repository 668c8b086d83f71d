import { expect, test } from 'vitest';
import { RecentNames } from '../../../agent-proxy/control/recent-names.ts';

const name = (text: string) => ({ namespace: 'default', name: text });
const HOUR = 60 * 60_000;

test('a session is told once of all names of the last hour, and then of those that are asked for', () => {
  const names = new RecentNames();
  expect(names.report('one', [name('/svc/a')], 0)).toEqual([{ ...name('/svc/a'), agoMs: 0 }]);
  // It did not arrive: all are told again.
  expect(names.report('one', [name('/svc/b')], 1_000)).toEqual([
    { ...name('/svc/a'), agoMs: 1_000 },
    { ...name('/svc/b'), agoMs: 0 },
  ]);
  names.taken('one');
  expect(names.report('one', [], 2_000)).toEqual([]);
  expect(names.report('one', [name('/svc/b')], 3_000)).toEqual([name('/svc/b')]);
  expect(names.report('two', [], HOUR + 1_000)).toEqual([{ ...name('/svc/b'), agoMs: HOUR - 2_000 }]);
});

test('of more names than a report takes, those that were asked for longest ago give way', () => {
  const names = new RecentNames();
  names.report(
    'one',
    Array.from({ length: 5_001 }, (_, at) => name(`/svc/${at}`)),
    0,
  );
  const told = names.report('two', [], 1).map((each) => each.name);
  expect(told).toHaveLength(5_000);
  expect(told).not.toContain('/svc/0');
  expect(told).toContain('/svc/5000');
});
