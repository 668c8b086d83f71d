/** Marathon's instances joined to Mesos' agents. */
import { describe, expect, test } from 'vitest';
import { endpointSchema } from '../../../agent-proxy/control/contract.ts';
import { readMarathonApp } from '../../../agent-proxy/routing/marathon-endpoints.ts';
import { AgentDirectory, peerAgentOf, serviceOf } from '../../../scheduler/distribution/mesh-table.ts';

function appWith(labels: object, task: object = {}) {
  const app = readMarathonApp({
    id: '/db',
    labels,
    networks: [{ mode: 'container', name: 'dcos' }],
    container: { portMappings: [{ containerPort: 5432, name: 'pg' }] },
    tasks: [
      {
        id: 'db.1',
        slaveId: 'S1',
        host: '10.0.4.9',
        state: 'TASK_RUNNING',
        ipAddresses: [{ ipAddress: '9.0.3.4', protocol: 'IPv4' }],
        ...task,
      },
    ],
  });
  if (app === null) throw new Error('not an app');
  return app;
}

describe('endpoints', () => {
  test("of an overlay task have the task's address and its agent's", () => {
    const agents = new AgentDirectory();
    agents.set('S1', '10.0.4.10');
    const [endpoint] = serviceOf(appWith({}), agents).endpoints;
    expect(endpointSchema.parse(endpoint)).toMatchObject({
      address: '9.0.3.4',
      port: 5432,
      agentId: 'S1',
      agentAddress: '10.0.4.10',
      weight: 1,
    });
  });

  test('carry labels that say something about routing, in order, and no packaging', () => {
    const labels = { z: '1', HAPROXY_GROUP: 'external', DCOS_PACKAGE_METADATA: 'eyJ', huge: 'x'.repeat(1_000) };
    const [endpoint] = serviceOf(appWith(labels), new AgentDirectory()).endpoints;
    expect(JSON.stringify(endpoint?.labels)).toBe('{"HAPROXY_GROUP":"external","z":"1"}');
  });

  test('carry no more labels than leave room in a record', () => {
    const labels = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`label${index}`, 'ü'.repeat(500)]));
    const [endpoint] = serviceOf(appWith(labels), new AgentDirectory()).endpoints;
    expect(Object.keys(endpoint?.labels ?? {})).toHaveLength(16);
    expect(Buffer.byteLength(JSON.stringify(endpoint))).toBeLessThan(32 * 1024);
  });

  test('of an agent that left are gone until it is back', () => {
    const agents = new AgentDirectory();
    expect(agents.set('S1', '10.0.4.9')).toBe(true);
    expect(agents.set('S1', '10.0.4.9')).toBe(false);
    expect(agents.remove('S1')).toBe(true);
    expect(agents.remove('S1')).toBe(false);
    expect(serviceOf(appWith({}), agents).endpoints).toEqual([]);
    agents.set('S1', '10.0.4.9');
    expect(serviceOf(appWith({}), agents).endpoints).toHaveLength(1);
  });
});

describe('a peer', () => {
  const node = {
    agentId: 'S1' as never,
    hostname: 'h',
    ip: '10.0.4.9',
    isPublic: false,
    attributes: {},
    port: null,
    region: null,
    zone: null,
    goal: null,
    heldOut: null,
    state: 'healthy' as const,
    reason: null,
    taskId: 'p1' as never,
    since: 0,
  };
  const session = (
    health: Parameters<typeof peerAgentOf>[1] extends infer S ? (S extends { health: infer H } ? H : never) : never,
  ) => ({
    agentId: 'S1',
    taskId: 'p1',
    running: { version: '1', codeSha256: null, upgrade: null },
    configRevision: 1,
    configRefusal: null,
    hasEdge: false,
    incomingPort: 5141,
    sync: { revision: 0, digestOk: null, repairs: 0, tableAgeMs: null, reportedAt: null },
    connected: true,
    health,
  });

  test.each([
    ['its session says so', session({ kind: 'ready' }), false, node, true],
    ['its session says no', session({ kind: 'not-ready', reason: 'x' }), true, node, false],
    ['its session has said nothing yet', session({ kind: 'connecting' }), false, node, false],
    ['its session has said nothing yet, but it ran before', session({ kind: 'connecting' }), true, node, true],
    ['there is no session', undefined, false, node, false],
    ['there is no session, but it ran before', undefined, true, node, true],
    ['it drains', session({ kind: 'ready' }), false, { ...node, state: 'draining' as const }, false],
    ['it has no task', undefined, true, { ...node, taskId: null }, false],
    ['its incoming router is for its own node', session({ kind: 'ready' }), true, { ...node, isPublic: true }, false],
  ])('when %s', (_name, its, presumed, status, ready) => {
    expect(peerAgentOf(status, its, { ports: { in: 4141 }, publicListeners: 'edge' }, presumed)).toEqual({
      agentId: 'S1',
      address: '10.0.4.9',
      incomingPort: its === undefined ? 4141 : 5141,
      ready,
    });
  });
});
