/** Agents come, go for good, are cut off, come back, reboot; nobody counts them by hand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { send, sendJson } from '../fixtures/http.ts';
import { Cluster, isAlive, type NodeDocument } from '../fixtures/local-cluster.ts';
import { timed } from '../fixtures/measure.ts';

describe('agents of a cluster', () => {
  let cluster: Cluster;
  const agentUrl = (agentId: string): string => `${cluster.ready.mesos}/local/agents/${agentId}`;

  beforeAll(async () => {
    cluster = await Cluster.start(43);
  }, 90_000);
  afterAll(() => cluster.stop(), 30_000);

  it('one that joins has a healthy proxy within 5 s, a public one too', async () => {
    for (const isPublic of [false, true]) {
      const joined = await timed('agent joins → its proxy healthy', async () => {
        const created = await sendJson('POST', `${cluster.ready.mesos}/local/agents`, { public: isPublic });
        expect(created.status).toBe(201);
        const node = JSON.parse(created.body) as NodeDocument;
        await eventually('healthy', async () => (await cluster.node(node.agentId))?.state === 'healthy', 15_000);
        return node;
      });
      expect(await cluster.node(joined.value.agentId)).toMatchObject({ public: isPublic, ip: joined.value.ip });
      expect((await cluster.ask(joined.value, 'web')).status).toBe(200);
    }
  });

  it('one that is marked gone is out of the nodes and of the services within 5 s, and its processes are dead', async () => {
    const victim = cluster.ready.nodes[1];
    if (victim === undefined) throw new Error('no node');
    const processes = (await cluster.processes()).filter((row) => row.agentId === victim.agentId);
    expect(processes.length).toBeGreaterThan(1);
    await timed('agent gone → out of nodes and services', async () => {
      expect((await send(agentUrl(victim.agentId), { method: 'DELETE' })).status).toBe(202);
      await eventually('out of the nodes', async () => !(await cluster.node(victim.agentId)), 15_000);
      await eventually(
        'out of the services',
        async () => (await cluster.services()).every((row) => row.endpoints.every((e) => e.agentId !== victim.agentId)),
        15_000,
      );
    });
    expect(processes.filter((row) => isAlive(row.pid))).toEqual([]);
    await eventually(
      'its tasks are replaced elsewhere',
      async () => (await cluster.services()).every((row) => row.endpoints.length === (row.name === 'web' ? 1 : 3)),
      20_000,
    );
  });

  it('one that is cut off is lost within 5 s, serves on, and returns with the same proxy task', async () => {
    const cut = cluster.ready.nodes[2];
    if (cut === undefined) throw new Error('no node');
    const before = await cluster.proxy(cut.agentId);
    await timed('agent cut off → lost', async () => {
      expect((await send(`${agentUrl(cut.agentId)}/stop`, { method: 'POST' })).status).toBe(202);
      await eventually('lost', async () => (await cluster.node(cut.agentId))?.state === 'lost', 15_000);
    });
    expect((await cluster.node(cut.agentId))?.reason).toEqual(expect.any(String));
    expect((await cluster.ask(cut, 'web')).status).toBe(200);
    await timed('agent returns → the same task healthy', async () => {
      expect((await send(`${agentUrl(cut.agentId)}/start`, { method: 'POST' })).status).toBe(202);
      await eventually('healthy', async () => (await cluster.node(cut.agentId))?.state === 'healthy', 15_000);
    });
    expect(await cluster.proxy(cut.agentId)).toEqual(before);
    expect((await cluster.node(cut.agentId))?.taskId).toBe(before.taskId);
  });

  it('one that reboots comes back as the same agent with a new proxy', async () => {
    const rebooted = cluster.ready.nodes[0];
    if (rebooted === undefined) throw new Error('no node');
    const before = await cluster.proxy(rebooted.agentId);
    expect((await send(`${agentUrl(rebooted.agentId)}/restart`, { method: 'POST' })).status).toBe(202);
    await eventually(
      'healthy with a new task',
      async () => {
        const row = await cluster.node(rebooted.agentId);
        return row?.state === 'healthy' && row.taskId !== before.taskId;
      },
      30_000,
    );
    expect(isAlive(before.pid)).toBe(false);
    expect((await cluster.ask(rebooted, 'web')).status).toBe(200);
  });

  it('an unknown id is 404, a wish that makes no sense 400', async () => {
    expect((await send(agentUrl('nobody'), { method: 'DELETE' })).status).toBe(404);
    expect((await send(`${agentUrl('nobody')}/stop`, { method: 'POST' })).status).toBe(404);
    expect((await sendJson('POST', `${cluster.ready.mesos}/local/agents`, { cpus: 'many' })).status).toBe(400);
  });
});
