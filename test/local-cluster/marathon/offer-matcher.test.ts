import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  agentId,
  frameworkId,
  type Offer,
  offerId,
  offerSchema,
} from '../../../framework/mesos-http-client/messages.ts';
import { type Demand, matchOffers } from '../../../local-cluster/marathon/offer-matcher.ts';

const PORTS = [
  { begin: 4140, end: 4141 },
  { begin: 20_000, end: 20_009 },
];

function offer(
  agent: string,
  fields: { cpus?: number; role?: string; rack?: string; ports?: typeof PORTS } = {},
): Offer {
  const { cpus = 4, role, rack, ports = PORTS } = fields;
  const reservations = role === undefined ? [] : [{ type: 'STATIC' as const, role }];
  return offerSchema.parse({
    id: { value: offerId(`offer-${agent}`) },
    framework_id: { value: frameworkId('fw') },
    agent_id: { value: agentId(agent) },
    hostname: agent,
    allocation_info: { role: role ?? '*' },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: cpus }, reservations },
      { name: 'mem', type: 'SCALAR', scalar: { value: 1024 }, reservations },
      { name: 'ports', type: 'RANGES', ranges: { range: ports }, reservations },
    ],
    attributes: rack === undefined ? [] : [{ name: 'rack', type: 'TEXT', text: { value: rack } }],
  });
}

const demand = (fields: Partial<Demand> & { cpus?: number; ports?: number[] } = {}): Demand => {
  const { cpus = 0.5, ports = [0], ...rest } = fields;
  return {
    appId: '/a',
    count: 1,
    need: { cpus, mem: 16, disk: 0, gpus: 0, ports },
    roles: ['*'],
    constraints: [],
    places: [],
    ...rest,
  };
};

const hosts = (offers: Offer[], demands: Demand[], load = new Map<ReturnType<typeof agentId>, number>()) =>
  matchOffers(offers, demands, load, () => 0.5).placements.map((placement) => placement.offer.hostname);

describe('where an instance goes', () => {
  const place = (host: string) => ({ host, agentId: host, attributes: {} });

  test('to the agent with fewest instances of its app, then with fewest tasks', () => {
    const offers = [offer('a'), offer('b'), offer('c')];
    expect(hosts(offers, [demand({ places: [place('a'), place('b')] })])).toEqual(['c']);
    expect(
      hosts(
        offers,
        [demand()],
        new Map([
          [agentId('a'), 2],
          [agentId('b'), 1],
          [agentId('c'), 5],
        ]),
      ),
    ).toEqual(['b']);
  });

  test('one of each app in turn, so that a large app does not take everything', () => {
    const { placements } = matchOffers(
      [offer('a', { cpus: 1 })],
      [demand({ count: 5 }), demand({ appId: '/b' })],
      new Map(),
      () => 0,
    );
    expect(placements.map(({ appId }) => appId)).toEqual(['/a', '/b']);
  });

  test('only where its constraints hold', () => {
    const offers = [offer('a', { rack: 'r1' }), offer('b', { rack: 'r2' }), offer('c', { rack: 'r2' })];
    expect(hosts(offers, [demand({ count: 9, constraints: [['hostname', 'UNIQUE']] })])).toEqual(['a', 'b', 'c']);
    expect(hosts(offers, [demand({ constraints: [['rack', 'LIKE', 'r[2-9]']] })])).toEqual(['b']);
    expect(hosts(offers, [demand({ count: 2, constraints: [['hostname', 'UNLIKE', 'a|b']] })])).toEqual(['c', 'c']);
    expect(hosts(offers, [demand({ count: 3, constraints: [['rack', 'MAX_PER', '1']] })])).toEqual(['a', 'b']);
    expect(hosts(offers, [demand({ count: 2, constraints: [['rack', 'CLUSTER', 'r1']] })])).toEqual(['a', 'a']);
    expect(hosts(offers, [demand({ constraints: [['hostname', 'IS', 'c']] })])).toEqual(['c']);
    expect(hosts(offers, [demand({ constraints: [['hostname', 'LIKE', '(']] })])).toEqual([]);
  });

  test('to resources of any role that it accepts, of one role for each instance', () => {
    const offers = [offer('a'), offer('p', { role: 'slave_public' })];
    const { placements } = matchOffers(
      offers,
      [demand({ count: 2, roles: ['*', 'slave_public'] })],
      new Map(),
      () => 0,
    );
    expect(placements.map(({ offer: { hostname }, role }) => [hostname, role])).toEqual([
      ['a', '*'],
      ['p', 'slave_public'],
    ]);
    expect(hosts(offers.slice(1), [demand({ roles: ['*', 'slave_public'] })])).toEqual(['p']);
  });

  test('and if nowhere, with the reason of each offer', () => {
    const offers = [offer('a', { cpus: 0.1 }), offer('p', { role: 'slave_public' }), offer('n', { ports: [] })];
    expect(matchOffers(offers, [demand()], new Map(), () => 0).refusals.get('/a')).toEqual({
      InsufficientCpus: 1,
      UnfulfilledRole: 1,
      InsufficientPorts: 1,
    });
  });
});

describe('what it takes', () => {
  test('exactly what it asked for, marked as it was offered', () => {
    const [placement] = matchOffers(
      [offer('p', { role: 'slave_public' })],
      [demand({ roles: ['slave_public'] })],
      new Map(),
      () => 0,
    ).placements;
    const marks = {
      reservations: [{ type: 'STATIC', role: 'slave_public' }],
      allocation_info: { role: 'slave_public' },
    };
    expect(placement?.role).toBe('slave_public');
    expect(placement?.resources).toEqual([
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 }, ...marks },
      { name: 'mem', type: 'SCALAR', scalar: { value: 16 }, ...marks },
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 20_000, end: 20_000 }] }, ...marks },
    ]);
  });

  test('a required port where it is free, beside any other', () => {
    const { placements } = matchOffers([offer('a')], [demand({ count: 2, ports: [0, 20_003] })], new Map(), () => 0);
    expect(placements.map(({ ports }) => ports)).toEqual([[20_000, 20_003]]);
  });

  test('a well-known port only when there is no other', () => {
    const few = [
      { begin: 4140, end: 4141 },
      { begin: 20_000, end: 20_000 },
    ];
    const { placements } = matchOffers([offer('a', { ports: few })], [demand({ count: 5 })], new Map(), () => 0);
    expect(placements.map(({ ports }) => ports[0])).toEqual([20_000, 4140, 4141]);
  });

  test('never one port twice, and never more than was offered', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (counts, seed) => {
          let state = seed;
          const random = () => {
            state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
            return state / 2 ** 31;
          };
          const demands = counts.map((count, index) => demand({ appId: `/${index}`, count, ports: [0, 0], cpus: 0.3 }));
          const { placements } = matchOffers([offer('a', { cpus: 2 }), offer('b')], demands, new Map(), random);
          for (const [agent, cpus] of [
            ['a', 2],
            ['b', 4],
          ] as const) {
            const here = placements.filter((placement) => placement.offer.hostname === agent);
            const ports = here.flatMap((placement) => placement.ports);
            expect(new Set(ports).size).toBe(ports.length);
            for (const port of ports) expect(PORTS.some(({ begin, end }) => begin <= port && port <= end)).toBe(true);
            expect(here.length * 0.3).toBeLessThanOrEqual(cpus + 1e-9);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
