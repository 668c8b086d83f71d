import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Balancer } from '../../../agent-proxy/balance/balancer.ts';
import type { Instance } from '../../../agent-proxy/balance/instance.ts';
import { LINKERD_BALANCE, LOAD_BALANCERS } from '../../../agent-proxy/balance/params.ts';
import type { Endpoint } from '../../../agent-proxy/control/contract.ts';
import { balancerOf, endpoints, find, pick, refuse, seeded, serve } from './world.ts';

const KINDS = ['p2c', 'ewma', 'aperture', 'heap', 'roundRobin'] as const;
const kinds = fc.constantFrom(...KINDS);

/** All instances that a request may get, one after the other. */
function reachable(balancer: Balancer, now = 0): string[] {
  const tried: Instance[] = [];
  for (;;) {
    const instance = balancer.picker.pick(tried, now);
    if (instance === null) return tried.map(({ endpoint }) => endpoint.instance).sort();
    tried.push(instance);
  }
}

function idsOf(rows: readonly Endpoint[]): string[] {
  return rows.map(({ instance }) => instance).sort();
}

test.each(KINDS)('%s: requests that last are spread evenly over the instances', (kind) => {
  const balancer = balancerOf(endpoints(5), { loadBalancer: LOAD_BALANCERS[kind] });
  const counts = new Map<Instance, number>();
  for (let index = 0; index < 500; index += 1) {
    const instance = pick(balancer, index);
    instance.begin(index);
    counts.set(instance, (counts.get(instance) ?? 0) + 1);
  }
  expect(balancer.load()).toBe(500);
  for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThanOrEqual(kind === 'aperture' ? 15 : 5);
});

test('a request never gets an instance that it has tried, or one that takes no traffic, whatever the algorithm', () => {
  const states = fc.array(fc.constantFrom('ready', 'unhealthy', 'draining'), { minLength: 1, maxLength: 6 });
  const weights = fc.array(fc.constantFrom(1, 1, 2, 5), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(kinds, states, weights, fc.integer(), (kind, given, heavy, seed) => {
      const rows = endpoints(given.length).map((row, index) => ({
        ...row,
        state: given[index] ?? ('ready' as const),
        weight: heavy[index] ?? 1,
      }));
      const balancer = balancerOf(rows, { loadBalancer: LOAD_BALANCERS[kind] }, seed);
      expect(reachable(balancer)).toEqual(idsOf(rows.filter(({ state }) => state === 'ready')));
    }),
  );
});

test('while at most half are out of use these get nothing, and when more are all of them may be tried', () => {
  const failing = fc.uniqueArray(fc.nat(7), { maxLength: 8 });
  fc.assert(
    fc.property(kinds, failing, fc.integer(), (kind, refusing, seed) => {
      const balancer = balancerOf(endpoints(8), { loadBalancer: LOAD_BALANCERS[kind] }, seed);
      for (const index of refusing) refuse(find(balancer, index), 0);
      expect(balancer.available(1)).toBe(8 - refusing.length);
      const open = endpoints(8).filter((_, index) => !refusing.includes(index));
      expect(reachable(balancer, 1)).toEqual(idsOf(refusing.length > 4 ? endpoints(8) : open));
    }),
  );
});

test('linkerd fails open as soon as its draws find nobody', () => {
  const params = { ...LINKERD_BALANCE, failFast: true };
  const balancer = balancerOf(endpoints(8), params);
  refuse(find(balancer, 3), 0);
  expect(reachable(balancer, 1)).toEqual(idsOf(endpoints(8)));
});

test('picks that ignore that an instance is out of use are counted', () => {
  for (const kind of KINDS) {
    const balancer = balancerOf(endpoints(3), { loadBalancer: LOAD_BALANCERS[kind] });
    for (let index = 0; index < 3; index += 1) refuse(find(balancer, index), 0);
    pick(balancer, 1);
    expect([kind, balancer.siblings.figures.failedOpen]).toEqual([kind, 1]);
  }
});

test('an update keeps load and ejection of what stays, and forgets the ejection of what moved', () => {
  const [a, b] = endpoints(2);
  if (a === undefined || b === undefined) throw new Error('two endpoints');
  const balancer = balancerOf([a]);
  const instance = pick(balancer);
  instance.begin(0);
  refuse(instance, 0);
  balancer.update([a, b]);
  expect([balancer.size, balancer.load(), balancer.available(0)]).toEqual([2, 1, 1]);
  balancer.update([{ ...a, port: 9 }, b]);
  expect([balancer.size, balancer.load(), balancer.available(0)]).toEqual([2, 1, 2]);
  balancer.update([b]);
  expect(balancer.size).toBe(1);
});

test('an instance that is unhealthy for a while comes back with its load and its ejection', () => {
  const [a, b] = endpoints(2);
  if (a === undefined || b === undefined) throw new Error('two endpoints');
  const balancer = balancerOf([a, b]);
  const instance = find(balancer, 0);
  instance.begin(0);
  refuse(instance, 0);
  balancer.patch([{ ...a, state: 'unhealthy' }], [], 2);
  expect([balancer.size, instance.draining, balancer.siblings.closed]).toEqual([1, true, 0]);
  balancer.patch([a], [], 2);
  expect(find(balancer, 0)).toBe(instance);
  expect([instance.inflight, instance.isAvailable(1), balancer.siblings.closed]).toEqual([1, false, 1]);
});

test('a new task starts fresh on the address of an old one', () => {
  const [a] = endpoints(1);
  if (a === undefined) throw new Error('one endpoint');
  const balancer = balancerOf([a]);
  refuse(find(balancer, 0), 0);
  balancer.patch([{ ...a, instance: 'web.9' }], ['web.0'], 1);
  expect(find(balancer, 9).gate(1)).toBe('alive');
  expect(balancer.siblings.closed).toBe(0);
});

test('what is gone finishes what it has, and its outcomes touch nobody else', () => {
  const balancer = balancerOf(endpoints(4), {
    failureAccrual: {
      kind: 'io.l5d.consecutiveFailures',
      failures: 1,
      backoff: { kind: 'constant', ms: 10 },
    },
  });
  const gone = find(balancer, 0);
  gone.begin(0);
  gone.begin(0);
  balancer.patch([], ['web.0'], 3);
  gone.end(1, 1, 'failure');
  gone.connectFailed(2, 2);
  expect(gone.inflight).toBe(0);
  expect([balancer.size, balancer.siblings.closed, balancer.siblings.ejected]).toEqual([3, 0, 0]);
});

test('changes of some endpoints lead to the same balancer as all endpoints at once', () => {
  const states = fc.constantFrom('ready', 'unhealthy', 'draining', 'gone');
  fc.assert(
    fc.property(
      kinds,
      fc.array(fc.tuple(fc.nat(5), states, fc.constantFrom(1, 3)), { maxLength: 20 }),
      (kind, changes) => {
        const params = { loadBalancer: LOAD_BALANCERS[kind] };
        const rows = new Map<string, Endpoint>();
        const patched = balancerOf([], params);
        for (const [index, state, weight] of changes) {
          const [row] = endpoints(6).slice(index);
          if (row === undefined) throw new Error('an endpoint');
          if (state === 'gone') {
            rows.delete(row.instance);
            patched.patch([], [row.instance], rows.size);
          } else {
            rows.set(row.instance, { ...row, state, weight });
            patched.patch([{ ...row, state, weight }], [], rows.size);
          }
          const whole = balancerOf([...rows.values()], params);
          expect(reachable(patched)).toEqual(reachable(whole));
          expect(patched.refusal([])).toEqual(whole.refusal([]));
        }
      },
    ),
  );
});

test('an update in slices serves what it has so far, and a change finishes it first', () => {
  const balancer = balancerOf(endpoints(3));
  const rows = endpoints(1_000).slice(2);
  balancer.stage(rows);
  expect(reachable(balancer)).toEqual(['web.2']);
  expect(balancer.advance(400)).toBe(false);
  expect(balancer.size).toBe(400);
  balancer.patch([], ['web.999'], 997);
  expect(balancer.size).toBe(997);
  expect(balancer.advance(1)).toBe(true);
});

test.each(KINDS)('%s: a change of one endpoint costs much the same among thousands as among fifty', (kind) => {
  /** CPU time of so many changes, microseconds. */
  const cost = (count: number): number => {
    const rows = endpoints(count).map((row, index) => ({ ...row, weight: 1 + (index % 3) }));
    const balancer = balancerOf(rows, { loadBalancer: LOAD_BALANCERS[kind] });
    const began = process.cpuUsage();
    for (let change = 0; change < 2_000; change += 1) {
      const index = change % count;
      balancer.patch([], [`web.${index}`], count - 1);
      balancer.patch(rows.slice(index, index + 1), [], count);
    }
    const { user, system } = process.cpuUsage(began);
    expect(balancer.size).toBe(count);
    return user + system;
  };
  cost(50);
  // A hundred times the endpoints: a rebuilding for each change would cost a hundred times as much.
  expect(cost(5_000)).toBeLessThan(25 * Math.max(2_000, cost(50)));
});

test('a service without instances says what is known of it', () => {
  const balancer = new Balancer('web', seeded(1), { accepts: ({ port }) => port > 1_000 });
  balancer.update(endpoints(1));
  expect(balancer.picker.pick([], 0)).toBeNull();
  expect(balancer.refusal([])).toEqual({
    code: 'nack',
    detail: 'of 1 instances of web none is on this node',
  });
  const draining = new Balancer('web', seeded(1));
  draining.update(endpoints(1).map((endpoint) => ({ ...endpoint, state: 'unhealthy' as const })));
  expect(draining.refusal([])).toEqual({
    code: 'no-endpoint',
    detail: '1 instances of web are known, and none of them takes traffic here',
  });
  balancer.update(endpoints(2));
  serve(pick(balancer), 0, 'success');
  expect(balancer.refusal([pick(balancer)]).code).toBe('breaker');
});
