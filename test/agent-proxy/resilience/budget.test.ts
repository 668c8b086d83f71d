import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RetryBudget } from '../../../agent-proxy/resilience/budget.ts';
import type { BudgetParams } from '../../../agent-proxy/resilience/params.ts';

function drain(budget: RetryBudget, now: number): number {
  let retries = 0;
  while (budget.tryWithdraw(now)) retries += 1;
  return retries;
}

function budgetOf(ttlSecs: number, minRetriesPerSec: number, percentCanRetry: number): RetryBudget {
  return new RetryBudget(0, () => 1, { ttlSecs, minRetriesPerSec, percentCanRetry });
}

function deposit(budget: RetryBudget, requests: number, now = 0): void {
  for (let request = 0; request < requests; request += 1) budget.deposit(now);
}

test('without traffic there are a hundred retries in ten seconds, and they come back ten seconds later', () => {
  const budget = new RetryBudget(0, () => 1);
  expect(drain(budget, 0)).toBe(100);
  expect(drain(budget, 9_999)).toBe(0);
  expect(drain(budget, 10_000)).toBe(100);
});

test('five requests pay for one retry, for ten seconds', () => {
  const budget = new RetryBudget(0, () => 1);
  drain(budget, 0);
  for (let request = 0; request < 50; request += 1) budget.deposit(1_000);
  expect(budget.balance(1_000)).toBe(10);
  expect(budget.balance(10_999)).toBe(110);
  expect(budget.balance(11_000)).toBe(100);
});

test('the nodes of a cluster share the floor, and each keeps one', () => {
  expect(drain(new RetryBudget(0, () => 10), 0)).toBe(10);
  expect(drain(new RetryBudget(0, () => 500), 0)).toBe(1);
});

test('the default budget has a hundred retries, and two more after ten requests', () => {
  const budget = new RetryBudget(0, () => 1);
  expect(budget.balance(0)).toBe(100);
  deposit(budget, 10);
  expect(budget.balance(0)).toBe(102);
});

test('without a floor one request at 0.5 pays for nothing, two for one, and one at 2.0 for two', () => {
  const half = budgetOf(10, 0, 0.5);
  deposit(half, 1);
  expect([half.balance(0), half.tryWithdraw(0)]).toEqual([0, false]);
  deposit(half, 1);
  expect([half.balance(0), half.tryWithdraw(0), half.balance(0)]).toEqual([1, true, 0]);
  const twice = budgetOf(10, 0, 2);
  expect(twice.tryWithdraw(0)).toBe(false);
  deposit(twice, 1);
  expect(twice.balance(0)).toBe(2);
  deposit(twice, 9_999);
  expect(twice.balance(0)).toBe(20_000);
});

test('without a percentage only the floor is left, and comes back slice by slice', () => {
  const budget = budgetOf(10, 5, 0);
  deposit(budget, 1_000);
  expect([drain(budget, 0), budget.balance(9_999)]).toEqual([50, 0]);
  for (let now = 10_000; now < 15_000; now += 1_000)
    for (let count = 0; count < 10; count += 1) budget.tryWithdraw(now);
  expect([budget.balance(19_999), budget.balance(20_000), budget.balance(22_000)]).toEqual([0, 10, 30]);
  expect([budgetOf(1, 10, 0).balance(0), budgetOf(2, 5, 0).balance(0)]).toEqual([10, 10]);
});

test.each([
  [0.1, 10, 1],
  [0.25, 4, 1],
  [0.5, 2, 1],
  [0.75, 4, 3],
  [0.01, 100, 1],
  [0.001, 1_000, 1],
  [0.0001, 10_000, 1],
])('at %d each %i requests pay for exactly %i, for many rounds', (percentCanRetry, requests, retries) => {
  const budget = budgetOf(60, 0, percentCanRetry);
  for (let round = 0; round < 50; round += 1) {
    deposit(budget, requests);
    expect(drain(budget, 0)).toBe(retries);
  }
});

test.each([0.99, 0.999, 0.9999])('at %d nothing drifts over many rounds', (percentCanRetry) => {
  const budget = budgetOf(60, 0, percentCanRetry);
  let retries = 0;
  for (let round = 0; round < 100_000; round += 1) {
    budget.deposit(0);
    if (budget.tryWithdraw(0)) retries += 1;
  }
  expect(retries).toBe(Math.floor((100_000 * 1_000) / Math.floor(1_000 / percentCanRetry)));
});

test('with neither a floor nor a percentage there are no retries', () => {
  const budget = budgetOf(10, 0, 0);
  deposit(budget, 1_000);
  expect(drain(budget, 0)).toBe(0);
});

test.each<[Partial<BudgetParams>, string]>([
  [{ ttlSecs: 0.5 }, 'ttlSecs is 0.5; give a number from 1 to 60'],
  [{ ttlSecs: 61 }, 'ttlSecs is 61; give a number from 1 to 60'],
  [{ percentCanRetry: -0.1 }, 'percentCanRetry is -0.1; give a number from 0 to 1000'],
  [{ percentCanRetry: 1_001 }, 'percentCanRetry is 1001; give a number from 0 to 1000'],
  [{ minRetriesPerSec: -1 }, 'minRetriesPerSec is -1'],
])('%j is refused', (given, sentence) => {
  const params = { ttlSecs: 10, minRetriesPerSec: 10, percentCanRetry: 0.2, ...given };
  expect(() => new RetryBudget(0, () => 1, params)).toThrow(sentence);
});

test('in the ten seconds before any retry there are no more of them than the floor and a fifth of the requests', () => {
  const step = fc.record({ afterMs: fc.nat(3_000), requests: fc.nat(30), retries: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const budget = new RetryBudget(0, () => 10);
      let now = 0;
      const log: { at: number; requests: number; retries: number }[] = [];
      for (const { afterMs, requests, retries } of steps) {
        now += afterMs;
        deposit(budget, requests, now);
        let granted = 0;
        for (let index = 0; index < retries; index += 1) if (budget.tryWithdraw(now)) granted += 1;
        log.push({ at: now, requests, retries: granted });
      }
      for (const { at, retries: granted } of log) {
        if (granted === 0) continue;
        const span = log.filter((row) => row.at > at - 10_000 && row.at <= at);
        const requests = span.reduce((total, row) => total + row.requests, 0);
        const retries = span.reduce((total, row) => total + row.retries, 0);
        expect(retries).toBeLessThanOrEqual(10 + requests / 5);
      }
    }),
  );
});
