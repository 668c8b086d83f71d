import { describe, expect, test } from 'vitest';
import type { Balancer } from '../../../agent-proxy/balance/balancer.ts';
import type { Instance } from '../../../agent-proxy/balance/instance.ts';
import type { BalanceParams } from '../../../agent-proxy/balance/params.ts';
import { balancerOf, endpoints, find, pick, refuse, serve } from './world.ts';

/** Linkerd's accrual: three in a row, 10 s. */
const THREE: Partial<BalanceParams> = {
  failFast: false,
  maxEjected: 1,
  failureAccrual: { kind: 'io.l5d.consecutiveFailures', failures: 3, backoff: { kind: 'constant', ms: 10_000 } },
};

function one(params: Partial<BalanceParams> = THREE): { balancer: Balancer; instance: Instance } {
  const balancer = balancerOf(endpoints(1), params);
  return { balancer, instance: find(balancer, 0) };
}

function fail(instance: Instance, now: number, times: number): void {
  for (let index = 0; index < times; index += 1) serve(instance, now, 'failure');
}

describe('failure accrual', () => {
  test('three failures in a row close it, and not two, nor three with a success between', () => {
    const { instance } = one();
    fail(instance, 0, 2);
    serve(instance, 0, 'success');
    fail(instance, 0, 2);
    expect(instance.gate(0)).toBe('alive');
    fail(instance, 0, 1);
    expect([instance.gate(0), instance.gate(9_999), instance.gate(10_000)]).toEqual(['dead', 'dead', 'probe-open']);
  });

  test('one probe is let through, and its success revives', () => {
    const { balancer, instance } = one();
    fail(instance, 0, 3);
    expect(instance.isAvailable(10_000)).toBe(true);
    expect(instance.begin(10_000)).toBe(true);
    expect([instance.gate(10_001), instance.isAvailable(10_001)]).toEqual(['probe-closed', false]);
    instance.end(10_005, 5, 'success');
    expect(instance.gate(10_005)).toBe('alive');
    fail(instance, 10_006, 2);
    expect(instance.gate(10_006)).toBe('alive');
    expect(balancer.siblings.figures).toEqual({
      removals: 1,
      revivals: 1,
      probes: 1,
      removedForMs: 10_000,
      failedOpen: 0,
    });
  });

  test('a probe that fails closes it for longer, and a revival starts the pauses anew', () => {
    const { instance } = one({
      ...THREE,
      failureAccrual: {
        kind: 'io.l5d.consecutiveFailures',
        failures: 1,
        backoff: { kind: 'equalJittered', minMs: 5_000, maxMs: 300_000 },
      },
    });
    serve(instance, 0, 'failure');
    expect(instance.opensAt).toBe(5_000);
    serve(instance, 5_000, 'failure');
    const second = instance.opensAt - 5_000;
    expect(second).toBeGreaterThanOrEqual(5_000);
    expect(second).toBeLessThanOrEqual(10_000);
    serve(instance, 20_000, 'failure');
    expect(instance.opensAt - 20_000).toBeGreaterThanOrEqual(10_000);
    serve(instance, 50_000, 'success');
    serve(instance, 50_001, 'failure');
    expect(instance.opensAt - 50_001).toBe(5_000);
  });

  test('a probe that tells nothing lets the next one through', () => {
    const { instance } = one();
    fail(instance, 0, 3);
    serve(instance, 10_000, 'ignored');
    expect(instance.gate(10_000)).toBe('probe-open');
    instance.begin(10_001);
    instance.release(10_002);
    expect(instance.gate(10_002)).toBe('probe-open');
  });

  test('what began before it was closed does not open it, and does not decide a probe', () => {
    const { instance } = one();
    instance.begin(0);
    instance.begin(0);
    fail(instance, 100, 3);
    instance.end(200, 200, 'success');
    expect(instance.gate(200)).toBe('dead');
    instance.begin(10_100);
    instance.end(10_200, 10_200, 'failure');
    expect(instance.gate(10_200)).toBe('probe-closed');
    instance.end(10_300, 200, 'success');
    expect(instance.gate(10_300)).toBe('alive');
  });

  test('a request that went there because most are out of use revives it', () => {
    const { instance } = one();
    fail(instance, 0, 3);
    serve(instance, 500, 'failure');
    expect(instance.opensAt).toBe(10_000);
    serve(instance, 501, 'success');
    expect(instance.gate(501)).toBe('alive');
  });

  test('a failed connection is a failure', () => {
    const { instance } = one();
    for (let index = 0; index < 3; index += 1) refuse(instance, 0);
    expect(instance.opensAt).toBe(10_000);
  });

  test('a judgement when the response begins leaves the request on its way', () => {
    const { instance } = one();
    instance.begin(0);
    instance.judged(5, 5, 'success');
    expect(instance.inflight).toBe(1);
    instance.release(60_000);
    expect(instance.inflight).toBe(0);
  });

  test('with none nothing closes it', () => {
    const { instance } = one({ ...THREE, failureAccrual: { kind: 'none' } });
    fail(instance, 0, 1_000);
    expect(instance.gate(0)).toBe('alive');
  });
});

describe('at most half of a service is ejected', () => {
  const half = { ...THREE, maxEjected: 0.5 };

  test.each([
    [1, 0],
    [2, 1],
    [5, 2],
    [8, 4],
  ])('of %i at most %i', (count, ejected) => {
    const balancer = balancerOf(endpoints(count), half);
    for (let index = 0; index < count; index += 1) fail(find(balancer, index), 0, 10);
    expect(balancer.siblings.ejected).toBe(ejected);
    expect(balancer.available(1)).toBe(count - ejected);
  });

  test('when one of them revives another may be ejected', () => {
    const balancer = balancerOf(endpoints(2), half);
    fail(find(balancer, 0), 0, 3);
    fail(find(balancer, 1), 0, 3);
    expect(find(balancer, 1).gate(0)).toBe('alive');
    serve(find(balancer, 0), 10_000, 'success');
    fail(find(balancer, 1), 10_001, 1);
    expect(find(balancer, 1).gate(10_001)).toBe('dead');
  });
});

describe('success rates are compared with those of siblings', () => {
  const rate: Partial<BalanceParams> = {
    failFast: false,
    failureAccrual: {
      kind: 'io.l5d.successRate',
      successRate: 0.9,
      requests: 20,
      backoff: { kind: 'constant', ms: 1_000 },
    },
  };

  test('the one that fails is ejected', () => {
    const balancer = balancerOf(endpoints(5), rate);
    for (let now = 0; now < 200; now += 1) {
      for (let index = 0; index < 5; index += 1) serve(find(balancer, index), now, index === 3 ? 'failure' : 'success');
    }
    expect(balancer.siblings.figures.removals).toBe(1);
    expect(find(balancer, 3).gate(200)).toBe('dead');
  });

  test.each([0.1, 0.5, 1])('where all fail alike nobody is: a share of %d', (share) => {
    const balancer = balancerOf(endpoints(5), rate);
    const random = balancer.siblings.random;
    for (let now = 0; now < 4_000; now += 1) serve(pick(balancer, now), now, random() < share ? 'failure' : 'success');
    expect(balancer.siblings.figures.removals).toBe(0);
  });

  test('a probe that fails as its siblings do by now lets the next one through at once', () => {
    const balancer = balancerOf(endpoints(5), rate);
    const instance = find(balancer, 3);
    for (let now = 0; now < 200; now += 1) {
      for (let index = 0; index < 5; index += 1) serve(find(balancer, index), now, index === 3 ? 'failure' : 'success');
    }
    for (let now = 200; now < 900; now += 1) {
      for (let index = 0; index < 5; index += 1) if (index !== 3) serve(find(balancer, index), now, 'failure');
    }
    expect(instance.gate(instance.opensAt)).toBe('probe-open');
    const now = instance.opensAt;
    // With another request on its way, so that it is the judgement that counts.
    instance.begin(now - 1);
    serve(instance, now, 'failure');
    expect(instance.gate(now)).toBe('probe-open');
  });

  test('linkerd judges each by itself', () => {
    const balancer = balancerOf(endpoints(5), { ...rate, comparesSiblings: false, maxEjected: 1, panicThreshold: 0 });
    for (let now = 0; now < 400; now += 1) serve(pick(balancer, now), now, 'failure');
    expect(balancer.siblings.ejected).toBe(5);
  });
});

describe('fail fast', () => {
  const failFast: Partial<BalanceParams> = { failFast: true, failureAccrual: { kind: 'none' } };

  test('a refused connection closes it for a second, then for longer, up to 32 s', () => {
    const { instance } = one(failFast);
    const pauses: number[] = [];
    let now = 0;
    for (let index = 0; index < 10; index += 1) {
      refuse(instance, now);
      pauses.push(instance.opensAt - now);
      now = instance.opensAt;
    }
    expect(pauses[0]).toBe(1_000);
    for (const [index, pause] of pauses.slice(1, 6).entries()) {
      expect(pause).toBeGreaterThanOrEqual(1_000 * 2 ** index);
      expect(pause).toBeLessThanOrEqual(2_000 * 2 ** index);
    }
    expect(pauses.slice(6)).toEqual([32_000, 32_000, 32_000, 32_000]);
  });

  test('connections that fail for one cause count once', () => {
    const { instance } = one(failFast);
    for (let index = 0; index < 10; index += 1) instance.begin(0);
    for (let index = 0; index < 10; index += 1) instance.connectFailed(5, 5);
    expect([instance.opensAt, instance.inflight]).toEqual([1_005, 0]);
  });

  test('any answer opens it, also a failure: it takes connections', () => {
    const { balancer, instance } = one(failFast);
    refuse(instance, 0);
    expect(balancer.siblings.closed).toBe(1);
    serve(instance, 1_000, 'failure');
    expect([instance.gate(1_000), balancer.siblings.closed]).toEqual(['alive', 0]);
    expect(balancer.siblings.figures.removals).toBe(0);
  });
});
