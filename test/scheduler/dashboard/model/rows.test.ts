import { describe, expect, test } from 'vitest';
import { NODE_STATES } from '../../../../scheduler/dashboard/src/model/answers.ts';
import {
  firstInstances,
  healthyShare,
  keepUnchanged,
  nodeRows,
  rpsScale,
  serviceRows,
  stateRank,
} from '../../../../scheduler/dashboard/src/model/rows.ts';
import { fakeNode, fakeService } from '../fake-scheduler.ts';

const TRAFFIC = {
  windowMs: 10_000,
  nodes: [{ agentId: 'agent-S1', rps: 5, successRate: 0.5, p50Ms: 1, p99Ms: 9 }],
  services: [{ name: 'gen', rps: 7, successRate: 1, p50Ms: 1, p95Ms: 2, p99Ms: 3, retries: 4 }],
};

describe('rows of nodes', () => {
  test('join a node with its traffic by the agent', () => {
    const [first, second] = nodeRows([fakeNode(1), fakeNode(2)], TRAFFIC);
    expect(first).toMatchObject({ hostname: 'node1.example', rps: 5, successRate: 0.5, p50Ms: 1, p99Ms: 9 });
    expect(second).toMatchObject({ hostname: 'node2.example', rps: null, successRate: null, p50Ms: null });
  });

  test('have no figures before there is traffic', () => {
    expect(nodeRows([fakeNode(1)], null)[0]).toMatchObject({ rps: null, p99Ms: null });
  });

  test('name the address only where the hostname is another', () => {
    const [named, bare] = nodeRows([fakeNode(1), fakeNode(2, { hostname: '10.0.0.2' })], null);
    expect(named?.ip).toBe('10.0.0.1');
    expect(bare?.ip).toBeNull();
  });

  test('say of a table that is old or another one, where nothing is worse', () => {
    type Sync = { digestOk: boolean | null; ageSeconds: number | null };
    const note = (sync: Sync, reason: string | null = null) =>
      nodeRows([fakeNode(1, { sync, reason })], null)[0]?.reason;
    expect(note({ digestOk: true, ageSeconds: 3 })).toBeNull();
    expect(note({ digestOk: null, ageSeconds: null })).toBeNull();
    expect(note({ digestOk: true, ageSeconds: 40 })).toContain('40 s old');
    expect(note({ digestOk: false, ageSeconds: 0 })).toContain('not the one of the scheduler');
    expect(note({ digestOk: false, ageSeconds: 0 }, 'it is gone')).toBe('it is gone');
  });

  test('name what is wanted only where it differs from what runs', () => {
    const wanted = { version: '0.2.0', configRevision: 4 };
    const [same, changing, nothing] = nodeRows(
      [
        fakeNode(1),
        fakeNode(2, { running: { version: '0.1.0', configRevision: 4 }, wanted }),
        fakeNode(3, { running: null, wanted }),
      ],
      null,
    );
    expect(same?.version).toEqual({ running: '0.1.0', wanted: null });
    expect(changing?.version).toEqual({ running: '0.1.0', wanted: '0.2.0' });
    expect(changing?.config).toEqual({ running: '4', wanted: null });
    expect(nothing?.config).toEqual({ running: null, wanted: '4' });
  });
});

describe('rows of services', () => {
  test('count healthy instances and say on which host each runs', () => {
    const [gen] = serviceRows([fakeService('gen', true, false)], TRAFFIC, [fakeNode(1)]);
    expect(gen).toMatchObject({ name: 'gen', healthy: 1, total: 2, rps: 7, p95Ms: 2, retries: 4 });
    expect(gen?.instances.map(({ agent }) => agent)).toEqual(['node1.example', 'agent-S2']);
    expect(gen && healthyShare(gen)).toBe(0.5);
  });

  test('write an IPv6 address so that its port can be told apart, and name further ports', () => {
    const service = fakeService('web', true);
    const [endpoint] = service.endpoints;
    if (endpoint === undefined) throw new Error('the fake has no endpoint');
    endpoint.address = 'fd00::1';
    endpoint.ports.push({ name: 'admin', port: 9_000 });
    const [row] = serviceRows([service], null, []);
    expect(row?.instances[0]).toMatchObject({ endpoint: '[fd00::1]:31000', morePorts: ['admin :9000'] });
  });

  test('leave out healthy instances first where there is room for few, and keep their order', () => {
    const [row] = serviceRows([fakeService('gen', true, true, true, false, true)], null, []);
    const names = (limit: number) => firstInstances(row?.instances ?? [], limit).map(({ instance }) => instance);
    expect(names(5)).toEqual(['gen.1', 'gen.2', 'gen.3', 'gen.4', 'gen.5']);
    expect(names(3)).toEqual(['gen.1', 'gen.2', 'gen.4']);
    expect(names(1)).toEqual(['gen.4']);
  });

  test('of a service without instances count as not healthy at all', () => {
    const [row] = serviceRows([fakeService('idle')], null, []);
    expect(row && healthyShare(row)).toBe(0);
  });
});

test('the states that need a person come first, a word that is not known before healthy, and excluded last', () => {
  const ordered = [...NODE_STATES, 'quarantined'].sort((a, b) => stateRank(a) - stateRank(b));
  const last = ['draining', 'quarantined', 'healthy', 'excluded'];
  expect(ordered).toEqual(['lost', 'unhealthy', 'pending', 'launching', ...last]);
});

test('the scale of rates ends at the round number above the busiest row, and is never without length', () => {
  expect(rpsScale(nodeRows([fakeNode(1), fakeNode(2)], TRAFFIC))).toBe(5);
  expect(rpsScale(nodeRows([fakeNode(1)], { ...TRAFFIC, nodes: [{ agentId: 'agent-S1', rps: 62 }] }))).toBe(80);
  expect(rpsScale(null)).toBe(1);
});

describe('rows that say the same as before', () => {
  test('keep their identity, and so does a list of nothing but such', () => {
    const before = nodeRows([fakeNode(1, { since: 'x' }), fakeNode(2, { since: 'x' })], TRAFFIC);
    const same = nodeRows([fakeNode(1, { since: 'x' }), fakeNode(2, { since: 'x' })], TRAFFIC);
    expect(keepUnchanged(before, same)).toBe(before);
    const changed = nodeRows([fakeNode(1, { since: 'x' }), fakeNode(2, { since: 'y' })], TRAFFIC);
    const rows = keepUnchanged(before, changed);
    expect(rows[0]).toBe(before[0]);
    expect(rows[1]).toBe(changed[1]);
  });

  test('are told apart at any depth', () => {
    const before = serviceRows([fakeService('gen', true, true)], null, []);
    const after = serviceRows([fakeService('gen', true, false)], null, []);
    expect(keepUnchanged(before, after)[0]).toBe(after[0]);
    expect(keepUnchanged(before, [])).toEqual([]);
  });
});
