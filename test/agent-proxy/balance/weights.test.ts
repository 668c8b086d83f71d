import { describe, expect, test } from 'vitest';
import { LOAD_BALANCERS } from '../../../agent-proxy/balance/params.ts';
import { balancerOf, run, share, weighted } from './world.ts';

const KINDS = ['p2c', 'ewma', 'aperture', 'heap', 'roundRobin'] as const;

describe.each(KINDS)('%s', (kind) => {
  const params = { loadBalancer: LOAD_BALANCERS[kind] };

  // An aperture of one of two instances is what it is for; weights show where there is load.
  const rates = kind === 'aperture' ? [2_000, 10_000] : [1, 50, 200, 500, 2_000, 10_000];
  test.each(rates)('weights 1 and 3 share the requests 25 to 75, at %i a second', (perSecond) => {
    const balancer = balancerOf(weighted([1, 3]), params);
    const result = run(balancer, { requests: 20_000, perSecond, latencyMs: (_, random) => 8 + 4 * random });
    expect(Math.abs(share(result, 0) - 0.25)).toBeLessThan(0.03);
  });

  test('a weight that changes changes the share', () => {
    const balancer = balancerOf(weighted([1, 1, 1]), params);
    balancer.patch(weighted([1, 1, 8]).slice(2), [], 3);
    const result = run(balancer, { requests: 20_000, perSecond: 5_000, latencyMs: () => 10 });
    expect(Math.abs(share(result, 2) - 0.8)).toBeLessThan(0.04);
    balancer.patch(weighted([1, 1, 1]), [], 3);
    const again = run(balancer, { requests: 20_000, perSecond: 5_000, latencyMs: () => 10 });
    expect(Math.abs(share(again, 2) - 1 / 3)).toBeLessThan(0.04);
  });
});
