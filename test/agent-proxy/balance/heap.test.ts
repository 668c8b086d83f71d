import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Instance } from '../../../agent-proxy/balance/instance.ts';
import { LOAD_BALANCERS } from '../../../agent-proxy/balance/params.ts';
import { balancerOf, endpoints, find, pick, refuse, serve } from './world.ts';

const params = { loadBalancer: LOAD_BALANCERS.heap };

test('the least loaded of all is chosen, whatever begins, ends, fails or comes back', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('begin', 'end', 'refuse', 'wait'), fc.nat(6)), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (script) => {
      const balancer = balancerOf(endpoints(7), params);
      let now = 0;
      for (const [what, index] of script) {
        const instance = find(balancer, index);
        if (what === 'begin') instance.begin(now);
        else if (what === 'end' && instance.inflight > 0) instance.end(now, 0, 'success');
        else if (what === 'refuse' && balancer.available(now) > 4) refuse(instance, now);
        else if (what === 'wait') now += 700;
        const open: Instance[] = [];
        for (let each = 0; each < 7; each += 1) {
          if (find(balancer, each).isAvailable(now)) open.push(find(balancer, each));
        }
        const least = Math.min(...open.map(({ inflight }) => inflight));
        const picked = balancer.picker.pick([], now);
        if (open.length > 0) expect([picked?.inflight, picked?.isAvailable(now)]).toEqual([least, true]);
        else expect(picked).not.toBeNull();
      }
    }),
  );
});

test('a service with one request at a time uses all of its instances', () => {
  const balancer = balancerOf(endpoints(5), params);
  const used = new Set<string>();
  for (let index = 0; index < 5; index += 1) {
    const instance = pick(balancer, index);
    used.add(instance.endpoint.instance);
    serve(instance, index, 'success');
  }
  expect(used.size).toBe(5);
});

test('who was out of use for long has not saved up turns', () => {
  const balancer = balancerOf(endpoints(3), params);
  refuse(find(balancer, 0), 0);
  for (let now = 1; now < 900; now += 1) serve(pick(balancer, now), now, 'success');
  let mine = 0;
  for (let now = 1_000; now < 1_030; now += 1) {
    const instance = pick(balancer, now);
    if (instance === find(balancer, 0)) mine += 1;
    serve(instance, now, 'success');
  }
  expect(mine).toBeLessThanOrEqual(11);
});
