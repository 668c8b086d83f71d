import { expect, test } from 'vitest';
import { LOAD_BALANCERS } from '../../../agent-proxy/balance/params.ts';
import { balancerOf, endpoints, percentile, run, share } from './world.ts';

const REQUESTS = 20_000;

/** One of five is twenty times slower. */
function latencyMs({ endpoint }: { readonly endpoint: { readonly instance: string } }, random: number): number {
  return (endpoint.instance === 'web.2' ? 200 : 10) * (0.8 + 0.4 * random);
}

test.each([50, 500, 2_000])(
  'ewma avoids the instance that is twenty times slower, at %i requests a second',
  (perSecond) => {
    const ewma = run(balancerOf(endpoints(5), { loadBalancer: LOAD_BALANCERS.ewma }), {
      requests: REQUESTS,
      perSecond,
      latencyMs,
    });
    const roundRobin = run(balancerOf(endpoints(5), { loadBalancer: LOAD_BALANCERS.roundRobin }), {
      requests: REQUESTS,
      perSecond,
      latencyMs,
    });
    expect(share(ewma, 2)).toBeLessThan(0.04);
    expect(percentile(ewma.latencies, 0.99)).toBeLessThan(percentile(roundRobin.latencies, 0.99) / 2);
    expect(share(roundRobin, 2)).toBeCloseTo(0.2, 3);
  },
);

test('ewma avoids an instance that fails fast, and would flock to it without the penalty', () => {
  const load = {
    requests: REQUESTS,
    perSecond: 500,
    latencyMs: ({ endpoint: { instance } }: { readonly endpoint: { readonly instance: string } }) =>
      instance === 'web.2' ? 1 : 20,
    fails: ({ endpoint: { instance } }: { readonly endpoint: { readonly instance: string } }) => instance === 'web.2',
  };
  const params = { loadBalancer: LOAD_BALANCERS.ewma, failureAccrual: { kind: 'none' } } as const;
  expect(share(run(balancerOf(endpoints(5), params), load), 2)).toBeLessThan(0.02);
  expect(share(run(balancerOf(endpoints(5), { ...params, failurePenaltyMs: 0 }), load), 2)).toBeGreaterThan(0.3);
});

test('least loaded gives a slow instance little more than the requests that it can serve at once', () => {
  const p2c = run(balancerOf(endpoints(5)), { requests: REQUESTS, perSecond: 500, latencyMs });
  expect(share(p2c, 2)).toBeLessThan(0.06);
});
