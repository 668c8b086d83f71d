/** kill -9, and nobody is paged: of a proxy's task, and of the worker inside it. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { send } from '../fixtures/http.ts';
import { Cluster, childrenOf, isAlive, type NodeDocument } from '../fixtures/local-cluster.ts';
import { timed } from '../fixtures/measure.ts';

describe('a proxy that is killed', () => {
  let cluster: Cluster;
  const node = (index: number): NodeDocument => {
    const found = cluster.ready.nodes[index];
    if (found === undefined) throw new Error(`no node ${index}`);
    return found;
  };

  beforeAll(async () => {
    cluster = await Cluster.start(42);
  }, 90_000);
  afterAll(() => cluster.stop(), 30_000);

  it.each([0, 1, 3])('task: a new healthy one within 5 s, never two at once (node %i)', async (index) => {
    const { agentId, http } = node(index);
    const before = await cluster.proxy(agentId);
    const most = { tasks: 1 };
    await timed('proxy task killed → a new one healthy', async () => {
      process.kill(before.pid, 'SIGKILL');
      await eventually(
        'a new healthy proxy',
        async () => {
          const tasks = (await cluster.proxies()).get(agentId) ?? [];
          most.tasks = Math.max(most.tasks, tasks.length);
          const row = await cluster.node(agentId);
          return row?.state === 'healthy' && row.taskId !== before.taskId;
        },
        15_000,
      );
    });
    expect(most.tasks).toBe(1);
    expect((await cluster.proxy(agentId)).taskId).not.toBe(before.taskId);
    expect((await send(http, { headers: { Host: 'web' } })).status).toBe(200);
  });

  it('worker: back within 1 s in the same task', async () => {
    await killWorker(2);
  });

  it('worker: back within 1 s also while there is no scheduler', async () => {
    // Stopped, not killed: the cluster would start it again at once.
    const scheduler = (await cluster.processes()).find((row) => row.role === 'scheduler');
    if (scheduler === undefined) throw new Error('no scheduler process');
    process.kill(scheduler.pid, 'SIGSTOP');
    try {
      await killWorker(3);
    } finally {
      process.kill(scheduler.pid, 'SIGCONT');
    }
    await eventually('all healthy again', () => cluster.allHealthy(), 15_000);
  });

  it('and nobody else is taken for it: not who has read the environment of its task', async () => {
    const { agentId } = node(0);
    const { pid, taskId } = await cluster.proxy(agentId);
    const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
    const token = environment.find((line) => line.startsWith('NODEMESH_TOKEN='))?.slice('NODEMESH_TOKEN='.length) ?? '';
    expect(token).not.toBe('');
    expect(environment.filter((line) => line.startsWith('NODEMESH_CLUSTER_KEY='))).toEqual([]);
    const post = async (path: string, body: object, headers: Record<string, string> = {}): Promise<number> => {
      const text = JSON.stringify({ agentId, taskId, ...body });
      const url = `${cluster.scheduler}/control/v1/${path}`;
      return (await send(url, { method: 'POST', body: text, headers })).status;
    };
    const subscribe = {
      ...{ nodeIp: '127.0.0.1', version: '0.0.0', epoch: 0, revision: 0, configRevision: 0 },
      ports: { outgoing: 1, incoming: 2, admin: 3 },
    };
    expect(await post('enroll', { token, keySha256: 'a'.repeat(64) })).toBe(409);
    expect(await post('subscribe', subscribe)).toBe(401);
    expect(await post('subscribe', subscribe, { Authorization: `Bearer ${token}` })).toBe(401);
    expect(await cluster.allHealthy()).toBe(true);
  });

  async function killWorker(index: number): Promise<void> {
    const { agentId, http } = node(index);
    const task = await cluster.proxy(agentId);
    const [worker, ...others] = await childrenOf(task.pid);
    if (worker === undefined) throw new Error('the supervisor has no worker');
    expect(others).toEqual([]);
    await timed('worker killed → the node answers again', async () => {
      process.kill(worker, 'SIGKILL');
      await eventually('the killed worker is gone', () => !isAlive(worker), 1000, 5);
      await eventually(
        'web answers',
        async () => (await send(http, { headers: { Host: 'web' } })).status === 200,
        3000,
        5,
      );
    });
    expect(await cluster.proxy(agentId)).toEqual(task);
    expect(await childrenOf(task.pid)).not.toContain(worker);
  }
});
