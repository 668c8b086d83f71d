import { expect, test } from 'vitest';
import { latencyBucket } from '../../../../agent-proxy/control/latency-scale.ts';
import { addTo, judgeShift, noCounts } from '../../../../scheduler/policy/shift/judge.ts';

function counts(name: string, requests: number, failures: number, ms = 10) {
  const all = noCounts();
  addTo(all, { requests, failures, latency: [[latencyBucket(ms), requests]] });
  return { name, counts: all };
}

const source = counts('web', 10_000, 10);

test('a target that does as well as its source passes, one with too little traffic says nothing', () => {
  expect(judgeShift(counts('web-v2', 500, 1), source, 100, true)).toEqual({ kind: 'pass' });
  expect(judgeShift(counts('web-v2', 99, 0), source, 100, true)).toEqual({ kind: 'few' });
  expect(judgeShift(counts('web-v2', 0, 0), source, 100, false)).toEqual({ kind: 'few' });
  // Two failures are chance.
  expect(judgeShift(counts('web-v2', 10, 2), source, 5, true)).toEqual({ kind: 'pass' });
});

test('one that fails more often fails, with the numbers: what is much worse at once, what is worse in the end', () => {
  const bad = counts('web-v2', 40, 40);
  expect(judgeShift(bad, source, 100, false)).toEqual({
    kind: 'fail',
    why: '40 of 40 requests to web-v2 failed (100 %), and 0.1 % of 10000 to web',
  });
  const worse = counts('web-v2', 1_000, 60);
  expect(judgeShift(worse, source, 100, false)).toEqual({ kind: 'pass' });
  expect(judgeShift(worse, source, 100, true)).toMatchObject({ kind: 'fail' });
  expect(judgeShift(counts('web-v2', 1_000, 15), source, 100, true)).toEqual({ kind: 'pass' });
});

test('one whose source fails as often is no worse', () => {
  expect(judgeShift(counts('web-v2', 1_000, 300), counts('web', 1_000, 290), 100, true)).toEqual({ kind: 'pass' });
});

test('one that is much slower fails', () => {
  expect(judgeShift(counts('web-v2', 1_000, 0, 45), source, 100, true)).toMatchObject({
    kind: 'fail',
    why: expect.stringContaining('19 of 20 requests to web-v2 were answered within'),
  });
  expect(judgeShift(counts('web-v2', 1_000, 0, 45), source, 100, false)).toEqual({ kind: 'pass' });
  expect(judgeShift(counts('web-v2', 1_000, 0, 600), source, 100, false)).toMatchObject({ kind: 'fail' });
  expect(judgeShift(counts('web-v2', 1_000, 0, 1.5), counts('web', 1_000, 0, 0.5), 100, true)).toEqual({
    kind: 'pass',
  });
});
