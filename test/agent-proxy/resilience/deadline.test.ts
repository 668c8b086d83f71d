import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Deadline,
  deadlineForAttempt,
  deadlineIn,
  isSkewed,
  leftUntil,
  mergeDeadlines,
  parseDeadline,
  parseDeadlines,
  printDeadline,
} from '../../../agent-proxy/resilience/deadline.ts';

const NOW = 1_800_000_000_000;

function parsed(text: string): Deadline {
  const deadline = parseDeadline(text);
  if (deadline === null) throw new Error(text);
  return deadline;
}

/** Milliseconds from now, as the header has them. */
function header(timestampMs: number, deadlineMs: number): string {
  return `${BigInt(NOW + timestampMs) * 1_000_000n} ${BigInt(NOW + deadlineMs) * 1_000_000n}`;
}

describe('the header', () => {
  test('not a nanosecond is lost between reading and writing', () => {
    const nanos = fc.bigInt({ min: 0n, max: 9_223_372_036_854_775_807n });
    fc.assert(
      fc.property(nanos, nanos, (timestamp, deadline) => {
        expect(printDeadline(parsed(`${timestamp} ${deadline}`))).toBe(`${timestamp} ${deadline}`);
      }),
    );
  });

  test.each([
    '',
    ' ',
    '1',
    '1 ',
    ' 1',
    '1  2',
    '1 2 3',
    '-1 2',
    '1 2x',
    '1.5 2',
    '1e3 2',
    '12345678901234567890 1',
    'a b',
    '1\t2',
  ])('what is no deadline is ignored: %j', (text) => {
    expect(parseDeadline(text)).toBeNull();
  });

  test('the strictest of several is meant, with what is in force already', () => {
    const received = parseDeadlines([header(1_000, 10_000), 'garbage', header(2_000, 8_000)]);
    if (received === null) throw new Error('a deadline');
    expect(printDeadline(received)).toBe(header(2_000, 8_000));
    expect(printDeadline(mergeDeadlines(received, parsed(header(0, 2_000))))).toBe(header(2_000, 2_000));
    expect(parseDeadlines([])).toBeNull();
  });

  test('merging gives the same in any order', () => {
    const nanos = fc.bigInt({ min: 0n, max: 4_000_000_000n });
    const pair = fc.tuple(nanos, nanos).map(([a, b]) => `${a} ${b}`);
    fc.assert(
      fc.property(pair, pair, (a, b) => {
        const merged = printDeadline(mergeDeadlines(parsed(a), parsed(b)));
        expect(printDeadline(mergeDeadlines(parsed(b), parsed(a)))).toBe(merged);
        const [timestampA, deadlineA] = a.split(' ').map(BigInt);
        const [timestampB, deadlineB] = b.split(' ').map(BigInt);
        const later = (timestampA ?? 0n) > (timestampB ?? 0n) ? timestampA : timestampB;
        const earlier = (deadlineA ?? 0n) < (deadlineB ?? 0n) ? deadlineA : deadlineB;
        expect(merged).toBe(`${later} ${earlier}`);
      }),
    );
  });
});

test('the time that is left is known to the microsecond', () => {
  const deadline = parsed('1800000000000000000 1800000000123456789');
  expect(leftUntil(deadline, NOW)).toBeCloseTo(123.456_789, 3);
  expect(leftUntil(deadline, NOW + 1_000)).toBeLessThan(0);
  expect(leftUntil(deadlineIn(NOW + 0.25, 1_500), NOW + 0.25)).toBeCloseTo(1_500, 3);
});

describe('a clock that is off', () => {
  test.each([
    [0, false],
    [250, false],
    [251, true],
    [60_000, true],
  ])('a timestamp %i ms in our future: %s', (ms, skewed) => {
    expect(isSkewed(parsed(header(ms, ms + 1_000)), NOW, false)).toBe(skewed);
    expect(isSkewed(parsed(header(ms, ms + 1_000)), NOW, true)).toBe(skewed);
  });

  test('a timestamp in the past tells something only of who has just written it', () => {
    const old = parsed(header(-251, 1_000));
    expect([isSkewed(old, NOW, true), isSkewed(old, NOW, false)]).toEqual([true, false]);
    expect(isSkewed(parsed(header(-250, 1_000)), NOW, true)).toBe(false);
  });
});

describe('what an attempt is told', () => {
  const received = parsed(header(-10, 500));

  test("never later than the caller's deadline, nor than its own time", () => {
    const shorter = deadlineForAttempt(received, false, NOW, 200);
    const longer = deadlineForAttempt(received, false, NOW, 2_000);
    expect([shorter, longer].map((each) => each && printDeadline(each))).toEqual([header(0, 200), header(0, 500)]);
  });

  test('where we set no limit the header passes as it came', () => {
    expect(deadlineForAttempt(received, false, NOW, null)).toBe(received);
    expect(deadlineForAttempt(null, false, NOW, null)).toBeNull();
  });

  test('a deadline by a clock that is off is not mixed with ours', () => {
    const ahead = parsed(header(10_000, 10_500));
    const told = deadlineForAttempt(ahead, true, NOW, 200);
    expect(told && printDeadline(told)).toBe(header(0, 200));
  });
});
