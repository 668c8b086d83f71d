/** The control plane may be down or move: no request is lost, no proxy restarts, and all streams come back. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, send } from '../fixtures/http.ts';
import { Cluster, type ProcessRow, type RunningCommand, run } from '../fixtures/local-cluster.ts';
import { figure, timed } from '../fixtures/measure.ts';
import { SteadyLoad } from '../fixtures/steady-load.ts';

describe('a scheduler that is killed', () => {
  let cluster: Cluster;
  let load: SteadyLoad;

  beforeAll(async () => {
    cluster = await Cluster.start(45, ['--load', '0']);
    load = new SteadyLoad(
      cluster.ready.nodes.map((node) => node.http),
      'web',
      100,
    );
  }, 90_000);
  afterAll(async () => {
    await load.stop();
    await cluster.stop();
  }, 30_000);

  it('is back at once: no request fails, same framework id, no proxy restarted, all streams within 5 s', async () => {
    await eventually('the load runs', () => load.succeeded > 100, 10_000);
    const frameworkId = await cluster.frameworkId();
    const proxies = await proxyRows(cluster);
    const scheduler = (await cluster.processes()).find((row) => row.role === 'scheduler');
    if (scheduler === undefined) throw new Error('no scheduler process');
    await timed('scheduler killed → all streams back', async () => {
      process.kill(scheduler.pid, 'SIGKILL');
      await eventually(
        'another scheduler process',
        async () => (await cluster.processes()).some((row) => row.role === 'scheduler' && row.pid !== scheduler.pid),
        15_000,
      );
      await eventually('all healthy', () => cluster.allHealthy(), 15_000);
    });
    expect(await cluster.frameworkId()).toBe(frameworkId);
    expect(await proxyRows(cluster)).toEqual(proxies);
    expect(load.failures).toEqual([]);
  });

  it('a master failover: the same', async () => {
    const frameworkId = await cluster.frameworkId();
    const proxies = await proxyRows(cluster);
    await timed('master failover → subscribed and all healthy', async () => {
      expect((await send(`${cluster.ready.mesos}/local/master/failover`, { method: 'POST' })).status).toBe(202);
      await eventually(
        'subscribed to the new master',
        async () => (await getJson<{ subscribed: boolean }>(`${cluster.scheduler}/v1/health`)).subscribed,
        15_000,
      );
      await eventually('every agent is back', async () => (await activeAgents(cluster)) === 4, 15_000);
      await eventually('all healthy', () => cluster.allHealthy(), 15_000);
    });
    expect(await cluster.frameworkId()).toBe(frameworkId);
    expect(await proxyRows(cluster)).toEqual(proxies);
    expect(load.failures).toEqual([]);
  });

  it('the mesh still repairs itself after both', async () => {
    const [node] = cluster.ready.nodes;
    if (node === undefined) throw new Error('no node');
    const before = await cluster.proxy(node.agentId);
    process.kill(before.pid, 'SIGKILL');
    await eventually(
      'a new healthy proxy',
      async () => {
        const row = await cluster.node(node.agentId);
        return row?.state === 'healthy' && row.taskId !== before.taskId;
      },
      15_000,
    );
  });
});

describe('a scheduler that comes back on another port', () => {
  let cluster: Cluster;
  let directory: string;
  let scheduler: RunningCommand | null = null;

  const start = (port: number): string => {
    const { mesos, marathon } = cluster.ready;
    const listen = `127.0.46.254:${port}`;
    scheduler = run([
      'scheduler',
      ...['--master', mesos, '--marathon', marathon],
      ...['--state', `file:${join(directory, 'state')}`, '--listen', listen],
    ]);
    return `http://${listen}`;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nodemesh-test-'));
    cluster = await Cluster.start(46, ['--no-scheduler']);
  }, 90_000);
  afterAll(async () => {
    scheduler?.child.kill('SIGKILL');
    await cluster.stop();
    await rm(directory, { recursive: true, force: true });
  }, 30_000);

  it('--no-scheduler is ready without one: agents registered, the demo’s tasks run, nobody meshes them', async () => {
    expect(cluster.ready.scheduler).toBeNull();
    const roles = (await cluster.processes()).map((row) => row.role);
    expect(roles.filter((role) => role === 'task')).toHaveLength(13);
    expect(roles).not.toContain('proxy');
    expect(roles).not.toContain('scheduler');
  });

  it('finds all its proxies again, and they it, within 5 s and without one failed request', async () => {
    const first = start(4181);
    await eventually('all healthy', () => cluster.allHealthy(first), 30_000);
    await eventually(
      'web answers through every node',
      async () =>
        (await Promise.all(cluster.ready.nodes.map((node) => cluster.ask(node, 'web')))).every((a) => a.status === 200),
      15_000,
    );
    const frameworkId = await cluster.frameworkId(first);
    const proxies = await proxyRows(cluster);
    const load = new SteadyLoad(
      cluster.ready.nodes.map((node) => node.http),
      'web',
      100,
    );
    try {
      await eventually('the load runs', () => load.succeeded > 100, 10_000);
      const second = await timed('scheduler killed and started on another port → all streams back', async () => {
        const old = scheduler;
        old?.child.kill('SIGKILL');
        await old?.ended;
        const moved = start(4199);
        await eventually('all healthy', () => cluster.allHealthy(moved), 15_000);
        return moved;
      });
      expect(await cluster.frameworkId(second.value)).toBe(frameworkId);
      expect(await proxyRows(cluster)).toEqual(proxies);
    } finally {
      await load.stop();
    }
    figure('failed requests while the scheduler moved', load.failures.length, 'requests');
    expect(load.failures).toEqual([]);
  });
});

async function proxyRows(cluster: Cluster): Promise<ProcessRow[]> {
  const rows = (await cluster.processes()).filter((row) => row.role === 'proxy');
  return rows.sort((a, b) => a.pid - b.pid);
}

async function activeAgents(cluster: Cluster): Promise<number> {
  const { slaves } = await getJson<{ slaves: { active: boolean }[] }>(`${cluster.ready.mesos}/slaves`);
  return slaves.filter((slave) => slave.active).length;
}
