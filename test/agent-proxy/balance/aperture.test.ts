import { expect, test } from 'vitest';
import type { Balancer } from '../../../agent-proxy/balance/balancer.ts';
import type { Instance } from '../../../agent-proxy/balance/instance.ts';
import { LOAD_BALANCERS } from '../../../agent-proxy/balance/params.ts';
import { balancerOf, endpoints, pick, refuse } from './world.ts';

const params = { loadBalancer: LOAD_BALANCERS.aperture };

/** The instances that get requests now. */
function used(balancer: Balancer, now: number): Set<Instance> {
  return new Set(Array.from({ length: 200 }, () => pick(balancer, now)));
}

test('it starts with one, widens by one where there are two requests for each, and narrows again', () => {
  const balancer = balancerOf(endpoints(10), params);
  const first = pick(balancer, 0);
  expect(used(balancer, 0)).toEqual(new Set([first]));
  for (const now of [0, 1, 60_000]) first.begin(now);
  // Three requests of the first, none of the second: all go there.
  const second = pick(balancer, 60_000);
  expect(second).not.toBe(first);
  for (let index = 0; index < 3; index += 1) first.end(60_001, 1, 'success');
  expect(used(balancer, 60_001)).toEqual(new Set([first, second]));
  first.begin(400_000);
  expect(used(balancer, 400_000)).toEqual(new Set([first]));
});

test('a short burst changes nothing', () => {
  const balancer = balancerOf(endpoints(10), params);
  const instance = pick(balancer, 0);
  instance.begin(0);
  instance.end(10_000, 10_000, 'success');
  for (let index = 0; index < 20; index += 1) pick(balancer, 20_000).begin(20_000 + index / 100);
  expect(used(balancer, 20_001).size).toBe(1);
});

test('it is never wider than the service, nor narrower than the least', () => {
  const wide = { loadBalancer: { ...LOAD_BALANCERS.aperture, minAperture: 3 } };
  const balancer = balancerOf(endpoints(5), wide);
  expect(used(balancer, 0).size).toBe(3);
  const running = Array.from({ length: 100 }, (_, index) => {
    const instance = pick(balancer, index * 1_000);
    instance.begin(index * 1_000);
    return instance;
  });
  for (const instance of running) instance.end(100_000, 1, 'success');
  expect(used(balancer, 100_000).size).toBe(5);
  balancer.update(endpoints(2));
  expect(used(balancer, 100_000).size).toBe(2);
  balancer.update([]);
  expect(balancer.picker.pick([], 0)).toBeNull();
});

test('an instance out of use gives its place to another', () => {
  const balancer = balancerOf(endpoints(10), params);
  const first = pick(balancer, 0);
  refuse(first, 0);
  const next = used(balancer, 1);
  expect(next.size).toBe(1);
  expect(next.has(first)).toBe(false);
});

test('every instance has the same chance to be in it', () => {
  const first = new Set<string>();
  for (let seed = 0; seed < 200; seed += 1) first.add(pick(balancerOf(endpoints(5), params, seed)).endpoint.instance);
  expect(first.size).toBe(5);
});
