/** Routes by name, bounded: what makes room, what is forgotten, and what an unknown name cannot do. Time is virtual. */
import { expect, test } from 'vitest';
import { Instance } from '../../../agent-proxy/balance/instance.ts';
import { DEFAULT_BALANCE } from '../../../agent-proxy/balance/params.ts';
import { BoundClient } from '../../../agent-proxy/bind/bound-client.ts';
import { Clients } from '../../../agent-proxy/bind/clients.ts';
import { Route } from '../../../agent-proxy/bind/route.ts';
import { RouteCache } from '../../../agent-proxy/bind/route-cache.ts';
import { DEFAULT_BUDGET, DEFAULT_RETRIES } from '../../../agent-proxy/resilience/params.ts';
import { Var } from '../../../agent-proxy/routing/activity.ts';
import type { BoundTree } from '../../../agent-proxy/routing/evaluation.ts';
import { MetricsTree } from '../../../agent-proxy/telemetry/metrics-tree.ts';
import { BindCacheScope } from '../../../agent-proxy/telemetry/router-scopes.ts';

const IDLE_MS = 1_000;

function useCache(capacity: number) {
  let now = 0;
  const scopes = new MetricsTree();
  const figures = new BindCacheScope('http', 'path');
  const cache = new RouteCache({ capacity, idleMs: IDLE_MS, now: () => now, figures });
  const clients = new Clients(
    (id, { addresses }) =>
      new BoundClient({
        ...{ router: 'http', id, addresses, balance: DEFAULT_BALANCE, requeueBudget: DEFAULT_BUDGET },
        ...{ attemptTimeoutMs: 1, connectTimeoutMs: 1, accepts: null, nodes: () => 1, now: () => now, random: () => 0 },
        instance: (endpoint, siblings) => new Instance(endpoint, siblings),
      }),
    scopes,
  );
  const trees = new Map<string, Var<BoundTree>>();
  const make = (name: string, tree: Var<BoundTree>): Route => {
    trees.set(name, tree);
    return new Route(`/svc/${name}`, tree, {
      ...{ router: 'http', clients, scopes, classifier: 'nonRetryable5XX' as const },
      ...{ totalTimeoutMs: 1, retries: DEFAULT_RETRIES, isFirstHop: true, nodes: () => 1, now: () => now },
    });
  };
  return {
    cache,
    clients,
    figures,
    trees,
    advance: (ms: number) => {
      now += ms;
    },
    /** Asks for a name as a request does. */
    ask(name: string, tree: () => BoundTree | null): Route {
      const known = cache.get(name);
      if (known !== undefined) {
        known.usedAt = now;
        return known;
      }
      const value = tree();
      const route = make(name, new Var<BoundTree>(value === null ? { kind: 'pending' } : { kind: 'ok', value }));
      if (!cache.add(name, route)) route.closeWhenUnused();
      return route;
    },
  };
}

function bound(name: string): BoundTree {
  const addresses = { state: { kind: 'bound', endpoints: [] } as const, observe: () => () => undefined };
  return { kind: 'leaf', value: { id: ['#', 'x', name], residual: [], addresses } };
}

const NEG: BoundTree = { kind: 'neg' };

test('a name is bound once, however often it is asked for', () => {
  const { ask, figures } = useCache(10);
  const first = ask('web', () => bound('web'));
  for (let count = 0; count < 5; count += 1) expect(ask('web', () => bound('web'))).toBe(first);
  expect(figures.misses).toBe(1);
});

test('what has not been asked for longest makes room, and lets its client go', () => {
  const { ask, cache, clients, figures, advance } = useCache(3);
  for (const name of ['a', 'b', 'c']) {
    ask(name, () => bound(name));
    advance(1);
  }
  ask('a', () => bound('a'));
  advance(1);
  ask('d', () => bound('d'));
  expect(['a', 'b', 'c', 'd'].map((name) => cache.get(name) !== undefined)).toEqual([true, false, true, true]);
  expect([cache.size, clients.size, figures.evicts]).toEqual([3, 3, 1]);
});

test('names that lead nowhere push out none that lead somewhere, and are bounded too', () => {
  const { ask, cache, clients } = useCache(5);
  for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name, () => bound(name));
  for (let count = 0; count < 1_000; count += 1) ask(`unknown-${count}`, () => NEG);
  expect(['a', 'b', 'c', 'd', 'e'].every((name) => cache.get(name) !== undefined)).toBe(true);
  expect([cache.size, clients.size]).toEqual([10, 5]);
});

test('names that are asked for once push out none that are asked for again and again, and few are kept of them', () => {
  const { ask, cache, clients, figures, advance } = useCache(160);
  const used = Array.from({ length: 100 }, (_, index) => `used-${index}`);
  for (let round = 0; round < 30; round += 1) {
    for (const name of used) {
      ask(name, () => bound(name));
      advance(0.01);
    }
  }
  const missesOfUsed = figures.misses;
  for (let count = 0; count < 10_000; count += 1) {
    ask(`once-${count}`, () => bound(`once-${count}`));
    const name = used[count % used.length] ?? '';
    ask(name, () => bound(name));
    advance(0.01);
  }
  expect(figures.misses - missesOfUsed).toBe(10_000);
  expect(cache.size).toBe(110);
  expect(clients.size).toBe(110);
});

test('where more names are in use at once than may be on trial, they are kept', () => {
  const { ask, cache, figures } = useCache(160);
  for (let index = 0; index < 150; index += 1) ask(`name-${index}`, () => bound(`name-${index}`)).inUse += 1;
  expect([cache.size, figures.oneshots]).toEqual([150, 0]);
});

test('a name in use is not forgotten: another one is bound for its request only, and then closed', () => {
  const { ask, cache, clients, trees, figures } = useCache(2);
  for (const name of ['a', 'b']) ask(name, () => bound(name)).inUse += 1;
  const third = ask('c', () => bound('c'));
  expect([cache.get('c'), figures.oneshots, clients.size]).toEqual([undefined, 1, 3]);
  third.inUse += 1;
  third.unused();
  expect([clients.size, trees.get('c')?.isObserved]).toEqual([2, false]);
});

test('what nobody asked for is forgotten after its time, unless it is in use', () => {
  const { ask, cache, clients, figures, advance, trees } = useCache(10);
  ask('idle', () => bound('idle'));
  ask('used', () => bound('used')).inUse += 1;
  ask('nothing', () => NEG);
  advance(IDLE_MS);
  cache.sweep();
  expect(cache.size).toBe(3);
  ask('young', () => bound('young'));
  advance(1);
  cache.sweep();
  expect(['idle', 'used', 'nothing', 'young'].map((name) => cache.get(name) !== undefined)).toEqual([
    false,
    true,
    false,
    true,
  ]);
  expect([clients.size, figures.expires, trees.get('idle')?.isObserved]).toEqual([2, 2, false]);
});

test('a name that is bound since it came finds its place among those that are', () => {
  const { ask, cache, trees } = useCache(3);
  for (let count = 0; count < 3; count += 1) ask(`late-${count}`, () => null);
  trees.get('late-0')?.ok(bound('late-0'));
  cache.sweep();
  for (let count = 0; count < 100; count += 1) ask(`unknown-${count}`, () => NEG);
  expect(cache.get('late-0')?.isBound).toBe(true);
  expect(cache.size).toBeLessThanOrEqual(4);
});

test('names that lead to one client share it, and the last one closes it', () => {
  const { ask, clients, trees } = useCache(10);
  const shared = bound('shared');
  ask('a', () => shared);
  ask('b', () => shared);
  expect(clients.size).toBe(1);
  trees.get('a')?.ok(NEG);
  expect(clients.size).toBe(1);
  trees.get('b')?.ok(bound('other'));
  expect([...clients.all()].map(({ id }) => id)).toEqual(['/#/x/other']);
});

test('one that stands twice in a tree is let go once for each time that it was held', () => {
  const { ask, clients, trees } = useCache(10);
  const twice: BoundTree = {
    kind: 'union',
    branches: [
      { weight: 1, tree: bound('web') },
      { weight: 3, tree: bound('web') },
    ],
  };
  ask('a', () => twice);
  expect(clients.size).toBe(1);
  trees.get('a')?.ok(bound('other'));
  expect([...clients.all()].map(({ id }) => id)).toEqual(['/#/x/other']);
});

test('all is let go at the end', () => {
  const { ask, cache, clients, trees } = useCache(10);
  ask('a', () => bound('a'));
  ask('b', () => NEG);
  cache.close();
  expect([cache.size, clients.size, trees.get('a')?.isObserved, trees.get('b')?.isObserved]).toEqual([
    0,
    0,
    false,
    false,
  ]);
});
