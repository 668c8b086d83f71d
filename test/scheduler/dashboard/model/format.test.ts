import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ageOf,
  DASH,
  formatAge,
  formatClock,
  formatCount,
  formatLatency,
  formatRate,
  formatSuccess,
  plural,
  roundUp,
} from '../../../../scheduler/dashboard/src/model/format.ts';

describe('a success rate', () => {
  test.each([
    [1, '100 %'],
    [0.9998, '99.98 %'],
    [0.999_999, '99.99 %'],
    [0.99, '99 %'],
    [0.968, '96.80 %'],
    [0.987_66, '98.76 %'],
    [0.57, '57 %'],
    [0.5714, '57.1 %'],
    [0.0005, '0.05 %'],
    [0.000_01, '<0.01 %'],
    [0, '0 %'],
    [null, DASH],
    [Number.NaN, DASH],
  ])('of %s is written %s', (rate, text) => {
    expect(formatSuccess(rate)).toBe(text);
  });

  test('is written as perfect only when it is, as zero only when it is, and never too high', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9_999_999 }), (failures) => {
        const rate = failures / 10_000_000;
        const text = formatSuccess(rate);
        expect(text).not.toBe('100 %');
        expect(text).not.toBe('0 %');
        if (!text.startsWith('<')) expect(Number.parseFloat(text)).toBeLessThanOrEqual(rate * 100 + 1e-6);
      }),
    );
  });
});

describe('a rate', () => {
  test.each([
    [0, '0'],
    [0.01, '<0.1'],
    [0.25, '0.3'],
    [9.94, '9.9'],
    [9.96, '10'],
    [1234.4, '1234'],
    [12_345, '12.3k'],
    [123_456, '123k'],
    [1_234_567, '1.2M'],
    [null, DASH],
  ])('of %s a second is written %s', (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });
});

describe('a latency', () => {
  test.each([
    [0, '0 ms'],
    [0.01, '<0.1 ms'],
    [0.3, '0.3 ms'],
    [9.97, '10 ms'],
    [250.4, '250 ms'],
    [999.6, '1.00 s'],
    [1_234, '1.23 s'],
    [60_000, '60.0 s'],
    [undefined, DASH],
  ])('of %s ms is written %s', (milliseconds, text) => {
    expect(formatLatency(milliseconds)).toBe(text);
  });
});

describe('an age', () => {
  test.each([
    [-5_000, 'now'],
    [999, 'now'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [172_800_000, '2 d'],
    [null, DASH],
  ])('of %s ms is written %s', (milliseconds, text) => {
    expect(formatAge(milliseconds)).toBe(text);
  });

  test('of a time that cannot be read is not known', () => {
    expect(ageOf('yesterday', 0)).toBeNull();
    expect(ageOf(null, 0)).toBeNull();
    expect(ageOf('1970-01-01T00:00:10.000Z', 15_000)).toBe(5_000);
  });
});

test('a clock shows hours, minutes and seconds of the reader', () => {
  expect(formatClock(new Date(2026, 0, 2, 3, 4, 5).getTime())).toBe('03:04:05');
});

test('counts are grouped by thousands', () => {
  expect(formatCount(1_234_567)).toBe('1\u202f234\u202f567');
  expect(plural(1, 'node')).toBe('1 node');
  expect(plural(2, 'node')).toBe('2 nodes');
});

test('the end of a scale is not below its values, and at most double', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (value) => {
      expect(roundUp(value)).toBeGreaterThanOrEqual(value);
      expect(roundUp(value)).toBeLessThanOrEqual(value * 2);
    }),
  );
  expect([0, 7, 62, 1_000].map(roundUp)).toEqual([1, 8, 80, 1_000]);
});
