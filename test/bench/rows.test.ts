import { expect, it } from 'vitest';
import { rotated } from './rounds.mjs';
import { medianRatio, rowsOf } from './rows.mjs';
import type { ProxyForm, Sample } from './types.ts';

function sample(cpuUs: number): Sample {
  const latency = { p50Ms: 1, p99Ms: 2, p999Ms: 3 };
  return { ...latency, rps: 1e6 / cpuUs, cpuUs, memMb: 10, busy: 1, disturbed: 0, errors: 0 };
}

function proxy(name: string, reference: string): ProxyForm {
  return { name, what: name, reference, isScraped: false, plan: () => ({ files: [], command: ['true'] }) };
}

it('a ratio is the median of the ratios of each round, not the ratio of two medians', () => {
  // In the second round the machine was twice as slow for both.
  const ours = [sample(24), sample(40), sample(22)];
  const theirs = [sample(20), sample(40), sample(20)];
  expect(medianRatio(ours, theirs, 'cpuUs')).toBeCloseTo(1.1);
  expect(medianRatio(ours, [], 'cpuUs')).toBeNull();
});

it('each proxy has a row of medians, with ratios to its own reference', () => {
  const rows = rowsOf(
    'keepalive-64',
    new Map([
      [proxy('haproxy', 'haproxy'), [sample(20)]],
      [proxy('haproxy-features', 'haproxy'), [sample(30)]],
      [proxy('nodemesh-features', 'haproxy-features'), [sample(39), sample(36), sample(60)]],
    ]),
  );
  expect(rows.map((row) => [row.scenario, row.proxy, row.cpuUs])).toEqual([
    ['keepalive-64', 'haproxy', 20],
    ['keepalive-64', 'haproxy-features', 30],
    ['keepalive-64', 'nodemesh-features', 39],
  ]);
  expect(rows.map((row) => row.ratio.cpu)).toEqual([1, 1.5, 1.3]);
  expect(Object.keys(rows[0] ?? {}).sort()).toEqual(
    ['cpuUs', 'memMb', 'p50Ms', 'p999Ms', 'p99Ms', 'proxy', 'ratio', 'rps', 'scenario'].sort(),
  );
});

it('a proxy without its reference has no ratios', () => {
  const [row] = rowsOf('keepalive-64', new Map([[proxy('nodemesh', 'haproxy'), [sample(20)]]]));
  expect(row?.ratio).toEqual({ rps: null, cpu: null, p99: null, mem: null });
});

it('every round begins with another proxy', () => {
  expect([0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
  expect(rotated([], 1)).toEqual([]);
});
