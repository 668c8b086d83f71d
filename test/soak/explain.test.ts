import { expect, test } from 'vitest';
import { explain } from './explain.ts';
import { broken } from './report.mjs';
import type { Failure, Fault } from './types.ts';

const fault = (kind: Fault['kind'], ip: string | null, at = 1_000, until: number | null = 3_000): Fault => ({
  ...{ kind, ip, at, until },
});
const failure = (ip: string | null, what: string, from = 1_500, to = 1_600): Failure => ({
  ...{ way: ip === null ? ('retryableRead5XX' as const) : ('direct' as const), ip, what, from, to },
});

test('a proxy that was killed at the entry explains all that fails there meanwhile, and a moment longer', () => {
  const killed = fault('proxy killed', 'a');
  expect(explain(failure('a', 'connect ECONNREFUSED'), [killed])).toBe(killed);
  expect(explain(failure('a', 'connect ECONNREFUSED', 3_900, 3_950), [killed])).toBe(killed);
  expect(explain(failure('a', 'connect ECONNREFUSED', 4_100, 4_200), [killed])).toBeNull();
  expect(explain(failure('a', 'connect ECONNREFUSED', 900, 950), [killed])).toBeNull();
});

test('at another node it explains only what a proxy had sent on', () => {
  const killed = fault('worker killed', 'b');
  expect(explain(failure('a', '502 connection-lost'), [killed])).toBe(killed);
  expect(explain(failure(null, '502 connection-lost'), [killed])).toBe(killed);
  const [other, named] = [fault('proxy killed', '127.0.0.2'), fault('proxy killed', '127.0.0.1')];
  expect(explain(failure(null, '502 refused: /svc/web at 127.0.0.1:4140'), [other, named])).toBe(named);
  expect(explain(failure('a', 'socket hang up'), [killed])).toBeNull();
  expect(explain(failure('a', '503 not-ready: no table'), [killed])).toBeNull();
});

test('masters, schedulers and cut links explain nothing', () => {
  const faults = [fault('master fails over', null), fault('scheduler killed', null), fault('agent cut off', 'a')];
  for (const what of ['502', 'socket hang up']) expect(explain(failure('a', what), faults)).toBeNull();
});

test('each promise that was broken is told', () => {
  const result = {
    ...{ seed: 1, minutes: 1, rounds: 2, faults: {}, explained: {}, healing: [100], slow: [], doubles: [] },
    loads: { direct: { sent: 1, succeeded: 1, failed: 0 }, retryableRead5XX: { sent: 1, succeeded: 1, failed: 0 } },
    unexplained: [],
  };
  expect(broken(result)).toEqual([]);
  expect(broken({ ...result, rounds: 0 })).toHaveLength(1);
  expect(broken({ ...result, doubles: ['a: t1, t2'] })).toEqual([expect.stringContaining('two proxy tasks')]);
  expect(broken({ ...result, unexplained: [failure('a', '502')] })).toEqual([expect.stringContaining('502')]);
  const slow = [{ ms: 12_000, faults: ['proxy killed (a)'], missing: 'a: pending' }];
  expect(broken({ ...result, slow })).toEqual([expect.stringContaining('12.0 s')]);
});
