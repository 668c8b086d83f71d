/** Instances that are young get little at first, whatever the algorithm. */
import { describe, expect, test } from 'vitest';
import { Balancer } from '../../../agent-proxy/balance/balancer.ts';
import { DEFAULT_BALANCE, LOAD_BALANCERS } from '../../../agent-proxy/balance/params.ts';
import { endpoints, find, pick, seeded } from './world.ts';

const START = 1_000_000;
const OVER = 30_000;

function useClock() {
  let now = START;
  return {
    wallClock: () => now,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

/** The share of requests, one after the other, that the last of four instances gets. */
function shareOfLast(balancer: Balancer, requests = 4_000): number {
  let last = 0;
  for (let request = 0; request < requests; request += 1) {
    const instance = pick(balancer);
    instance.begin(0);
    instance.end(0, 1, 'success');
    if (instance.endpoint.instance === 'web.3') last += 1;
  }
  return last / requests;
}

describe.each(['p2c', 'ewma', 'heap', 'roundRobin'] as const)('with %s', (kind) => {
  test('the share of a new instance grows with time', () => {
    const clock = useClock();
    const params = { ...DEFAULT_BALANCE, loadBalancer: LOAD_BALANCERS[kind] };
    const slowStart = { overMs: OVER, wallClock: clock.wallClock };
    const balancer = new Balancer('web', seeded(7), { params, slowStart });
    balancer.update(endpoints(3, { startedAt: 0 }));
    for (const endpoint of endpoints(3)) expect(find(balancer, Number(endpoint.instance.slice(4))).weight).toBe(1);
    balancer.update([...endpoints(3, { startedAt: 0 }), ...endpoints(4, { startedAt: START }).slice(3)]);
    const shares: number[] = [];
    for (const ms of [0, OVER / 2, OVER / 2]) {
      clock.pass(ms);
      balancer.ramp();
      shares.push(shareOfLast(balancer));
    }
    // A tenth of one, half of one, and one, beside three others.
    const [first = 0, second = 0, third = 0] = shares;
    expect(first).toBeCloseTo(0.1 / 3.1, 1);
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(0.08);
    expect(second).toBeGreaterThan(0.1);
    expect(second).toBeLessThan(0.2);
    expect(third).toBeGreaterThan(0.21);
    expect(find(balancer, 3).weight).toBe(1);
  });
});

test('weights are shares of what the table says, and a clock that is ahead keeps nobody young for longer', () => {
  const clock = useClock();
  const balancer = new Balancer('web', seeded(1), { slowStart: { overMs: OVER, wallClock: clock.wallClock } });
  const one = endpoints(1, { startedAt: START + 600_000, weight: 4 });
  balancer.update(one);
  expect(find(balancer, 0).weight).toBeCloseTo(0.4);
  clock.pass(OVER / 2);
  balancer.update(one.map((row) => ({ ...row, labels: { changed: 'yes' } })));
  expect(find(balancer, 0).weight).toBeCloseTo(2);
  clock.pass(OVER / 2);
  balancer.ramp();
  expect(find(balancer, 0).weight).toBe(4);
  balancer.update(one);
  expect(find(balancer, 0).weight).toBe(4);
});

test('without a slow start, and where nobody knows when it began, an instance has its weight at once', () => {
  const clock = useClock();
  const balancer = new Balancer('web', seeded(1), { slowStart: { overMs: OVER, wallClock: clock.wallClock } });
  balancer.update(endpoints(1));
  expect(find(balancer, 0).weight).toBe(1);
  const plain = new Balancer('web', seeded(1));
  plain.update(endpoints(1, { startedAt: START }));
  plain.ramp();
  expect(find(plain, 0).weight).toBe(1);
});
