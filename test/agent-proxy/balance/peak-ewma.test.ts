import { expect, test } from 'vitest';
import { LOAD_BALANCERS } from '../../../agent-proxy/balance/params.ts';
import { PeakEwma } from '../../../agent-proxy/balance/peak-ewma.ts';
import { balancerOf, endpoints, find, pick } from './world.ts';

const TAU = 10_000;

test('a peak counts at once, and what is faster counts the more, the longer ago the last answer was', () => {
  const latency = new PeakEwma(TAU, 0, 0);
  latency.succeeded(0, 100);
  expect(latency.costMs).toBe(100);
  latency.succeeded(TAU, 10);
  expect(latency.costMs).toBeCloseTo(10 * (1 - 1 / Math.E) + 100 / Math.E, 9);
  latency.succeeded(TAU, 200);
  expect(latency.costMs).toBe(200);
});

test('the load is the cost for each request on its way and the one to come', () => {
  const latency = new PeakEwma(TAU, 0, 0);
  latency.succeeded(0, 100);
  expect([latency.load(0, 0), latency.load(0, 3)]).toEqual([100, 400]);
});

test('what was never measured is free while idle, and worse than all else with a request on its way', () => {
  const latency = new PeakEwma(TAU, 0, 0);
  expect(latency.load(5, 0)).toBe(0);
  expect(latency.load(5, 1)).toBeGreaterThan(1e8);
});

test('time alone makes it cheaper: 1/e after tau', () => {
  const latency = new PeakEwma(TAU, 0, 0);
  latency.succeeded(0, 100);
  expect(latency.load(TAU, 0)).toBeCloseTo(36.788, 3);
  expect(latency.load(23_000, 0)).toBeCloseTo(10, 0);
});

test('a clock that steps back changes nothing', () => {
  const latency = new PeakEwma(TAU, 0, 0);
  latency.succeeded(100, 50);
  latency.succeeded(90, 10);
  expect(latency.costMs).toBe(50);
});

test('what fails fast is worse than what is healthy and slow, and forgiven with time', () => {
  const failing = new PeakEwma(TAU, 5_000, 0);
  const healthy = new PeakEwma(TAU, 5_000, 0);
  for (let now = 0; now < 20; now += 1) {
    failing.failed(now, 1);
    healthy.succeeded(now, 500);
  }
  expect(failing.load(20, 0)).toBeGreaterThan(healthy.load(20, 0));
  expect(failing.load(20 + 3 * TAU, 0)).toBeLessThan(1);
});

test('a few failures among many answers weigh next to nothing', () => {
  const latency = new PeakEwma(TAU, 5_000, 0);
  for (let now = 0; now < 1_000; now += 1) {
    if (now % 100 === 99) latency.failed(now, 10);
    else latency.succeeded(now, 10);
  }
  expect(latency.load(1_000, 0)).toBeLessThan(11);
});

test('for linkerd a failure counts as its latency', () => {
  const latency = new PeakEwma(TAU, 0, 0);
  for (let now = 0; now < 20; now += 1) latency.failed(now, 1);
  expect(latency.load(20, 0)).toBeLessThanOrEqual(1);
});

test('a new instance is tried at once', () => {
  const params = { loadBalancer: LOAD_BALANCERS.ewma };
  const balancer = balancerOf(endpoints(2), params);
  for (let index = 0; index < 2; index += 1) {
    find(balancer, index).begin(0);
    find(balancer, index).end(10, 10, 'success');
  }
  balancer.patch(endpoints(3).slice(2), [], 3);
  let picks = 0;
  while (pick(balancer, 20) !== find(balancer, 2)) picks += 1;
  expect(picks).toBeLessThan(10);
});

test('callers start from what the proxy of the instance says of it', () => {
  const balancer = balancerOf(endpoints(2), { loadBalancer: LOAD_BALANCERS.ewma });
  for (let index = 0; index < 2; index += 1) {
    find(balancer, index).begin(0);
    find(balancer, index).end(10, 10, 'success');
  }
  find(balancer, 0).report({ inflight: 3, health: 0.1 });
  for (let index = 0; index < 20; index += 1) expect(pick(balancer, 20)).toBe(find(balancer, 1));
  expect(find(balancer, 0).reported).toEqual({ inflight: 3, health: 0.1 });
});
