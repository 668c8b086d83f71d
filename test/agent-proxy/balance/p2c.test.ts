import { expect, test } from 'vitest';
import { balancerOf, endpoints, find, pick, refuse } from './world.ts';

test('of five with loads 0, 5, 5, 5, 5 the first gets two fifths', () => {
  const balancer = balancerOf(endpoints(5));
  for (let index = 1; index < 5; index += 1) {
    for (let request = 0; request < 5; request += 1) find(balancer, index).begin(0);
  }
  let first = 0;
  for (let index = 0; index < 20_000; index += 1) if (pick(balancer) === find(balancer, 0)) first += 1;
  expect(first / 20_000).toBeCloseTo(0.4, 1);
});

test('of two with loads 10 and 0 the second gets all until it has as many', () => {
  const balancer = balancerOf(endpoints(2));
  for (let request = 0; request < 10; request += 1) find(balancer, 0).begin(0);
  for (let request = 0; request < 10; request += 1) {
    expect(pick(balancer)).toBe(find(balancer, 1));
    find(balancer, 1).begin(0);
  }
  const ties = new Set(Array.from({ length: 50 }, () => pick(balancer).endpoint.instance));
  expect(ties.size).toBe(2);
});

test('one alone gets all', () => {
  const balancer = balancerOf(endpoints(1));
  expect(pick(balancer)).toBe(find(balancer, 0));
  refuse(find(balancer, 0), 0);
  expect(pick(balancer, 1)).toBe(find(balancer, 0));
});

test('an ejected instance is never chosen while others remain, also where many are', () => {
  const balancer = balancerOf(endpoints(200));
  for (let index = 0; index < 100; index += 1) refuse(find(balancer, index), 0);
  for (let index = 0; index < 5_000; index += 1) {
    expect(Number(pick(balancer, 1).endpoint.instance.slice(4))).toBeGreaterThanOrEqual(100);
  }
});
