import { expect, test } from 'vitest';
import { LOAD_BALANCERS } from '../../../agent-proxy/balance/params.ts';
import { balancerOf, endpoints, find, pick, refuse, weighted } from './world.ts';

const params = { loadBalancer: LOAD_BALANCERS.roundRobin };

test('each has its turn before any has its second', () => {
  const balancer = balancerOf(endpoints(4), params);
  const order = Array.from({ length: 12 }, () => pick(balancer).endpoint.instance);
  expect(new Set(order.slice(0, 4)).size).toBe(4);
  expect(order.slice(4, 8)).toEqual(order.slice(0, 4));
  expect(order.slice(8)).toEqual(order.slice(0, 4));
});

test('the turns of a heavy instance lie between those of the others', () => {
  const balancer = balancerOf(weighted([5, 1, 1]), params);
  const order = Array.from({ length: 700 }, () => pick(balancer).endpoint.instance);
  expect(order.filter((id) => id === 'web.0')).toHaveLength(500);
  let row = 0;
  let longest = 0;
  for (const id of order) {
    row = id === 'web.0' ? row + 1 : 0;
    longest = Math.max(longest, row);
  }
  expect(longest).toBeLessThanOrEqual(5);
});

test('who is out of use is passed over, and has its turn again after that', () => {
  const balancer = balancerOf(endpoints(4), params);
  refuse(find(balancer, 2), 0);
  const without = new Set(Array.from({ length: 12 }, () => pick(balancer, 1)));
  expect(without.has(find(balancer, 2))).toBe(false);
  const again = new Set(Array.from({ length: 4 }, () => pick(balancer, 1_000)));
  expect(again.has(find(balancer, 2))).toBe(true);
});

test('a light instance is found though heavy ones that are out of use have all the turns', () => {
  const balancer = balancerOf(weighted([1_000, 1_000, 1, 1]), params);
  refuse(find(balancer, 0), 0);
  refuse(find(balancer, 1), 0);
  for (let index = 0; index < 50; index += 1) expect(pick(balancer, 1).endpoint.weight).toBe(1);
});
