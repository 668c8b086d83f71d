import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Balancer } from '../../../agent-proxy/balance/balancer.ts';
import type { Instance } from '../../../agent-proxy/balance/instance.ts';
import { PeerPaths } from '../../../agent-proxy/balance/peer-paths.ts';
import type { Endpoint, PeerAgent } from '../../../agent-proxy/control/contract.ts';
import { endpoint } from '../../fixtures/control-stream.ts';

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function endpoints(count: number, given: Partial<Endpoint> = {}): Endpoint[] {
  return Array.from({ length: count }, (_, index) =>
    endpoint({ service: 'web', instance: `web.${index}`, port: 1_000 + index, ...given }),
  );
}

function balancerOf(rows: Endpoint[], random = seeded(1)): Balancer {
  const balancer = new Balancer('web', random);
  balancer.update(rows);
  return balancer;
}

function pick(balancer: Balancer, now = 0, tried: Instance[] = []): Instance {
  const picked = balancer.picker.pick(tried, now);
  if (picked.kind === 'none') throw new Error(picked.refusal.detail);
  return picked.instance;
}

/** All instances that a request may get, one after the other. */
function reachable(balancer: Balancer): string[] {
  const tried: Instance[] = [];
  for (;;) {
    const picked = balancer.picker.pick(tried, 0);
    if (picked.kind === 'none') return tried.map(({ endpoint: row }) => row.instance).sort();
    tried.push(picked.instance);
  }
}

test('requests that last are spread evenly over the instances', () => {
  const balancer = balancerOf(endpoints(5));
  const busy: Instance[] = [];
  for (let index = 0; index < 500; index += 1) {
    const instance = pick(balancer);
    instance.chosen(0, 0.5);
    busy.push(instance);
  }
  const counts = new Map<string, number>();
  for (const { endpoint: row } of busy) counts.set(row.instance, (counts.get(row.instance) ?? 0) + 1);
  for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThanOrEqual(5);
});

test('an instance of twice the weight gets about twice the load', () => {
  const [light, heavy] = endpoints(2);
  if (light === undefined || heavy === undefined) throw new Error('two endpoints');
  const balancer = balancerOf([light, { ...heavy, weight: 2 }]);
  for (let index = 0; index < 300; index += 1) pick(balancer).chosen(0, 0.5);
  expect(balancer.load()).toBe(300);
  expect(Math.abs(pick(balancer).load() - 100)).toBeLessThanOrEqual(2);
});

test('a request never gets an instance that it has tried, or one that takes no traffic', () => {
  const states = fc.array(fc.constantFrom('ready', 'unhealthy', 'draining'), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(states, fc.integer(), fc.array(fc.nat(5)), (given, seed, failing) => {
      const rows = endpoints(given.length).map((row, index) => ({ ...row, state: given[index] ?? ('ready' as const) }));
      const balancer = balancerOf(rows, seeded(seed));
      const ready = rows.filter(({ state }) => state === 'ready').map(({ instance }) => instance);
      const tried: Instance[] = [];
      for (;;) {
        const picked = balancer.picker.pick(tried, 0);
        if (picked.kind === 'none') break;
        expect(tried).not.toContain(picked.instance);
        tried.push(picked.instance);
        if (failing.includes(tried.length)) picked.instance.failed(0, 0.5);
      }
      expect(tried.map(({ endpoint: row }) => row.instance).sort()).toEqual(ready.sort());
    }),
  );
});

test('an instance that fails gets nothing for a while, then one probe, then its share', () => {
  const balancer = balancerOf(endpoints(2));
  const bad = pick(balancer);
  bad.failed(0, 0.5);
  for (let index = 0; index < 50; index += 1) expect(pick(balancer, 499)).not.toBe(bad);
  expect(balancer.available(499)).toBe(1);
  // The pause is over: it may be chosen, and while the probe is on its way it is not chosen again.
  expect(bad.isEjected(500)).toBe(false);
  bad.chosen(500, 0.5);
  expect(bad.isEjected(501)).toBe(true);
  bad.succeeded();
  expect(bad.isEjected(502)).toBe(false);
});

test('it says what failure accrual did: a removal, probes, a revival', () => {
  const bad = pick(balancerOf(endpoints(1)));
  expect(bad.chosen(0, 0.5)).toBe(false);
  expect(bad.succeeded()).toBe(false);
  expect(bad.failed(0, 0.5)).toEqual({ isNew: true, pauseMs: 500 });
  expect(bad.chosen(600, 0.5)).toBe(true);
  expect(bad.failed(600, 0.5)).toEqual({ isNew: false, pauseMs: 1_000 });
  expect(bad.chosen(1_700, 0.5)).toBe(true);
  expect(bad.succeeded()).toBe(true);
  expect(bad.chosen(1_701, 0.5)).toBe(false);
});

test('each failure doubles the pause, up to half a minute', () => {
  const bad = pick(balancerOf(endpoints(1)));
  const pauses: number[] = [];
  for (let index = 0; index < 9; index += 1) {
    bad.failed(0, 0.5);
    let until = 0;
    while (bad.isEjected(until)) until += 500;
    pauses.push(until);
  }
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test('when all are ejected one of them is tried all the same', () => {
  const balancer = balancerOf(endpoints(3));
  for (let index = 0; index < 3; index += 1) pick(balancer, 0).failed(0, 0.5);
  expect(balancer.available(0)).toBe(0);
  expect(pick(balancer, 0)).toBeDefined();
});

test('an update keeps load and ejection of what stays, and forgets the ejection of what moved', () => {
  const [a, b] = endpoints(2);
  if (a === undefined || b === undefined) throw new Error('two endpoints');
  const balancer = balancerOf([a]);
  const instance = pick(balancer);
  instance.chosen(0, 0.5);
  instance.failed(0, 0.5);
  balancer.update([a, b]);
  expect([balancer.size, balancer.load(), balancer.available(0)]).toEqual([2, 1, 1]);
  balancer.update([{ ...a, port: 9 }, b]);
  expect([balancer.size, balancer.load(), balancer.available(0)]).toEqual([2, 1, 2]);
  balancer.update([b]);
  expect(balancer.size).toBe(1);
});

test('changes of some endpoints lead to the same balancer as all endpoints at once', () => {
  const states = fc.constantFrom('ready', 'unhealthy', 'draining', 'gone');
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), states), { maxLength: 20 }), (changes) => {
      const rows = new Map<string, Endpoint>();
      const patched = new Balancer('web', seeded(1));
      for (const [index, state] of changes) {
        const row = endpoints(6)[index];
        if (row === undefined) throw new Error('an endpoint');
        if (state === 'gone') {
          rows.delete(row.instance);
          patched.patch([], [row.instance], rows.size);
        } else {
          rows.set(row.instance, { ...row, state });
          patched.patch([{ ...row, state }], [], rows.size);
        }
        const whole = balancerOf([...rows.values()]);
        expect(reachable(patched)).toEqual(reachable(whole));
        const [a, b] = [patched.picker.pick([], 0), whole.picker.pick([], 0)];
        if (b.kind === 'none') expect(a).toEqual(b);
      }
    }),
  );
});

test('a picker stays the same when only what its instances are like changes', () => {
  const [a, b] = endpoints(2);
  if (a === undefined || b === undefined) throw new Error('two endpoints');
  const balancer = balancerOf([a, b]);
  const { picker } = balancer;
  balancer.patch([{ ...a, weight: 3 }], [], 2);
  expect(balancer.picker).toBe(picker);
  balancer.patch([{ ...a, state: 'draining' }], [], 2);
  expect(balancer.picker).not.toBe(picker);
  expect(reachable(balancer)).toEqual([b.instance]);
  // One gone and one come, so that the number is the same, and nobody is left who takes traffic.
  balancer.patch([{ ...b, instance: 'web.9', state: 'unhealthy' }], [b.instance], 2);
  expect(reachable(balancer)).toEqual([]);
});

test('a path to an agent that fails is avoided for a while, and its instances are gone to straight', () => {
  const [row] = endpoints(1, { agentAddress: '10.0.0.1', address: '9.0.0.1' });
  if (row === undefined) throw new Error('one endpoint');
  const agents = new Map<string, PeerAgent>([
    ['agent-1', { agentId: 'agent-1', address: '10.0.0.1', incomingPort: 4141, ready: true }],
  ]);
  const paths = new PeerPaths((agentId) => agents.get(agentId));
  const peer = { address: '10.0.0.1', port: 4141, via: 'peer' };
  const direct = { address: '9.0.0.1', port: 1_000, via: 'direct' };
  expect(paths.hopTo(row, 0)).toEqual(peer);
  paths.failed('agent-1', 0);
  expect([paths.hopTo(row, 249), paths.hopTo(row, 250)]).toEqual([direct, peer]);
  paths.failed('agent-1', 250);
  expect([paths.hopTo(row, 749), paths.hopTo(row, 750)]).toEqual([direct, peer]);
  paths.succeeded('agent-1');
  paths.failed('agent-1', 1_000);
  expect(paths.hopTo(row, 1_250)).toEqual(peer);
  agents.clear();
  expect(paths.hopTo(row, 2_000)).toEqual(direct);
});
