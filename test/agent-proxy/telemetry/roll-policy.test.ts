import { describe, expect, it } from 'vitest';
import { nextRoll, type RollPolicy, readRollPolicy, rollSuffix } from '../../../agent-proxy/telemetry/roll-policy.ts';

it.each<[string, RollPolicy | null]>([
  ['never', { kind: 'never' }],
  ['hourly', { kind: 'hourly' }],
  ['daily', { kind: 'daily' }],
  ['weekly(1)', { kind: 'weekly', firstDay: 0 }],
  ['weekly(7)', { kind: 'weekly', firstDay: 6 }],
  ['weekly(8)', null],
  ['weekly', null],
  ['4096', { kind: 'size', bytes: 4096 }],
  ['10.megabytes', { kind: 'size', bytes: 10 * 1024 * 1024 }],
  ['1.kilobyte', { kind: 'size', bytes: 1024 }],
  ['10.parsecs', null],
  ['0', null],
])('%s reads as %j', (text, policy) => {
  expect(readRollPolicy(text)).toEqual(policy);
});

describe('a file that was begun on Wednesday, 25 November 2026, at 18:05:09', () => {
  const since = Date.UTC(2026, 10, 25, 18, 5, 9);

  it.each([
    ['hourly', '2026-11-25T19:00:00.000Z', '-20261125-18'],
    ['daily', '2026-11-26T00:00:00.000Z', '-20261125'],
    ['weekly(1)', '2026-11-29T00:00:00.000Z', '-20261125'],
    ['weekly(4)', '2026-12-02T00:00:00.000Z', '-20261125'],
    ['weekly(5)', '2026-11-26T00:00:00.000Z', '-20261125'],
  ])('rolls %s at %s and is kept with %s', (text, at, suffix) => {
    const policy = readRollPolicy(text);
    if (policy === null) throw new Error(`${text} is no policy`);
    expect(new Date(nextRoll(policy, since)).toISOString()).toBe(at);
    expect(rollSuffix(policy, since)).toBe(suffix);
  });

  it('never rolls by time where it is never or by size', () => {
    expect(nextRoll({ kind: 'never' }, since)).toBe(Number.POSITIVE_INFINITY);
    expect(nextRoll({ kind: 'size', bytes: 1 }, since)).toBe(Number.POSITIVE_INFINITY);
    expect(rollSuffix({ kind: 'size', bytes: 1 }, since)).toBe('-20261125-180509');
  });
});
