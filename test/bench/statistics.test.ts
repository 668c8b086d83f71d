import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mean, median, percentile, withOmitted } from './statistics.mjs';

it('the median is the middle value, or the mean of the two in the middle', () => {
  expect(median([10, 9, 100])).toBe(10);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});

it('at least as many values as the percentile says do not exceed it, and one less would not do', () => {
  const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(values, fc.constantFrom(50, 99, 99.9), (list, percent) => {
      const sorted = Float64Array.from(list).sort();
      const found = percentile(sorted, percent);
      const wanted = (percent / 100) * sorted.length;
      expect(sorted.filter((value) => value <= found).length).toBeGreaterThanOrEqual(wanted);
      expect(sorted.filter((value) => value < found).length).toBeLessThan(wanted);
    }),
  );
});

it('a slow answer stands for the requests that were due while it was waited for', () => {
  expect([...withOmitted([1, 35], 10)]).toEqual([1, 15, 25, 35]);
});

it('nothing is added where every answer came before the next request was due', () => {
  expect([...withOmitted([3, 9, 1], 10)]).toEqual([1, 3, 9]);
});

it('the mean is the mean', () => {
  expect(mean([1, 2, 6])).toBe(3);
});
