import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RetryBudget } from '../../../agent-proxy/resilience/budget.ts';

function drain(budget: RetryBudget, now: number): number {
  let retries = 0;
  while (budget.tryWithdraw(now)) retries += 1;
  return retries;
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

test('in no ten seconds there are more retries than the floor and a fifth of the requests allow', () => {
  const events = fc.array(fc.record({ afterMs: fc.nat(3_000), requests: fc.nat(30), retries: fc.nat(30) }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(events, (steps) => {
      const budget = new RetryBudget(0, () => 10);
      let now = 0;
      const log: { second: number; requests: number; retries: number }[] = [];
      for (const { afterMs, requests, retries } of steps) {
        now += afterMs;
        for (let index = 0; index < requests; index += 1) budget.deposit(now);
        let granted = 0;
        for (let index = 0; index < retries; index += 1) if (budget.tryWithdraw(now)) granted += 1;
        log.push({ second: Math.floor(now / 1_000), requests, retries: granted });
      }
      const sum = (from: number, to: number, key: 'requests' | 'retries') =>
        log.filter(({ second }) => second >= from && second <= to).reduce((total, row) => total + row[key], 0);
      // Deposits of the ten seconds before may have been used too.
      for (const { second } of log) {
        expect(sum(second - 9, second, 'retries')).toBeLessThanOrEqual(10 + sum(second - 18, second, 'requests') / 5);
      }
    }),
  );
});
