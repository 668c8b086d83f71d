/** Instances of which Mesos has lost sight: used where nothing else works, and only as long as they do. */
import { describe, expect, test } from 'vitest';
import { LOAD_BALANCERS } from '../../../agent-proxy/balance/params.ts';
import type { Endpoint } from '../../../agent-proxy/control/contract.ts';
import { balancerOf, endpoints, find, pick, refuse } from './world.ts';

const states = (...each: Endpoint['state'][]): Endpoint[] =>
  endpoints(each.length).map((row, index) => ({ ...row, state: each[index] ?? 'ready' }));

describe.each(['p2c', 'ewma', 'aperture', 'heap', 'roundRobin'] as const)('with %s a suspect instance', (kind) => {
  const use = (...each: Endpoint['state'][]) => balancerOf(states(...each), { loadBalancer: LOAD_BALANCERS[kind] });
  const picked = (balancer: ReturnType<typeof use>, now = 0) =>
    new Set(Array.from({ length: 100 }, () => pick(balancer, now).endpoint.instance));

  test('gets nothing while one that is ready works', () => {
    const balancer = use('ready', 'suspect', 'suspect');
    expect(picked(balancer)).toEqual(new Set(['web.0']));
    expect(balancer.size).toBe(3);
  });

  test('gets all where none is ready, and nothing again when one is', () => {
    const balancer = use('suspect', 'suspect', 'unhealthy');
    expect(picked(balancer)).not.toContain('web.2');
    balancer.update(states('suspect', 'suspect', 'ready'));
    expect(picked(balancer)).toEqual(new Set(['web.2']));
    balancer.update(states('ready', 'suspect', 'draining'));
    expect(picked(balancer)).toEqual(new Set(['web.0']));
  });

  test('gets what the ready ones cannot take, and what this request has not tried', () => {
    const balancer = use('ready', 'suspect');
    expect(pick(balancer, 0, [find(balancer, 0)]).endpoint.instance).toBe('web.1');
    refuse(find(balancer, 0), 0);
    expect(picked(balancer)).toEqual(new Set(['web.1']));
  });

  test('that fails is not tried in spite of everything, as one that is ready is', () => {
    const balancer = use('ready', 'suspect');
    refuse(find(balancer, 0), 0);
    refuse(find(balancer, 1), 0);
    expect(picked(balancer)).toEqual(new Set(['web.0']));
    const alone = use('suspect');
    refuse(find(alone, 0), 0);
    expect(alone.picker.pick([], 0)).toBe(null);
    expect(alone.refusal([])).toMatchObject({ code: 'breaker' });
    // When its time is over it is asked again.
    expect(pick(alone, 100_000).endpoint.instance).toBe('web.0');
  });
});
