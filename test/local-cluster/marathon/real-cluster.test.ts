/** Marathon, the miniature master and miniature agents together: real processes and health checks, the demo's apps. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Agent } from '../../../local-cluster/agent/agent.ts';
import { demoApps } from '../../../local-cluster/demo/apps.ts';
import { Leader } from '../../../local-cluster/leader.ts';
import { Marathon } from '../../../local-cluster/marathon/marathon.ts';
import { Master } from '../../../local-cluster/master/master.ts';
import { bundleDemo } from '../demo/bundle.ts';

interface TaskJson {
  id: string;
  host: string;
  ports: number[];
}

interface Answer {
  app: { tasks: TaskJson[]; tasksHealthy: number };
  tasks: TaskJson[];
}

const PATIENCE = { timeout: 10_000, interval: 50 };

async function useFile(content: Buffer): Promise<string> {
  const server = createServer((_request, response) => response.end(content));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/demo.mjs`;
}

test('the demo runs, is scaled, survives kill -9 and a new master', { timeout: 40_000 }, async () => {
  const uri = await useFile(await bundleDemo());
  const directory = await mkdtemp(join(tmpdir(), 'nodemesh-marathon-'));
  const leader = new Leader<Master>();
  const newMaster = () => new Master({ ip: '127.0.33.254', port: 5050, agentPingTimeoutMs: 2_000 });
  const first = newMaster();
  leader.set(first);
  const marathon = new Marathon({ ip: '127.0.0.1', port: 0, leader });
  await marathon.start();
  const agents = [1, 2, 3].map((index) => {
    const ip = `127.0.33.${index}`;
    return new Agent({
      index: 20 + index,
      hostname: ip,
      ip,
      port: 0,
      isPublic: index === 3,
      workDir: join(directory, ip),
      leader,
    });
  });
  for (const agent of agents) await agent.start();
  onTestFinished(async () => {
    await marathon.stop();
    await Promise.all(agents.map((agent) => agent.shutdown()));
    leader.current()?.shutdown();
    await rm(directory, { recursive: true, force: true });
  });

  const api = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${marathon.url}/v2${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as Answer };
  };
  const app = async (id: string) => (await api('GET', `/apps${id}`)).json.app;
  const deployed = () => expect.poll(async () => (await api('GET', '/deployments')).json, PATIENCE).toEqual([]);

  for (const definition of demoApps(uri)) expect((await api('POST', '/apps', definition)).status).toBe(201);
  await deployed();
  for (const { id, instances } of demoApps(uri)) expect((await app(id)).tasksHealthy).toBe(instances);
  const hosts = new Set((await app('/gen')).tasks.map(({ host }) => host));
  expect(hosts).toEqual(new Set(['127.0.33.1', '127.0.33.2']));

  const [word] = (await app('/word')).tasks;
  if (word === undefined) throw new Error('there is no instance of word');
  const answer = await fetch(`http://${word.host}:${word.ports[0]}/`);
  expect(answer.headers.get('gob-self')).toBe(`word:${word.id}@${word.host}:${word.ports[0]}`);

  expect((await api('PUT', '/apps/gen', { instances: 5 })).status).toBe(200);
  await deployed();
  expect((await app('/gen')).tasksHealthy).toBe(5);

  const victim = agents.flatMap((agent) => agent.processes()).find(({ taskId }) => taskId === word.id);
  expect(marathon.appOf(word.id)).toBe('/word');
  process.kill(victim?.pid ?? Number.NaN, 'SIGKILL');
  await expect.poll(async () => (await app('/word')).tasks.some(({ id }) => id === word.id), PATIENCE).toBe(false);
  await expect.poll(async () => (await app('/word')).tasksHealthy, PATIENCE).toBe(3);

  const before = (await api('GET', '/tasks')).json.tasks.map(({ id }) => id).sort();
  leader.set(null);
  first.shutdown();
  leader.set(new Master({ ip: '127.0.33.254', port: 5050, agentPingTimeoutMs: 2_000, registry: first.registry() }));
  await expect.poll(() => leader.current()?.context !== first.context, PATIENCE).toBe(true);
  expect((await api('PUT', '/apps/word', { instances: 4 })).status).toBe(200);
  await deployed();
  const after = (await api('GET', '/tasks')).json.tasks.map(({ id }) => id);
  expect(after).toEqual(expect.arrayContaining(before));
  expect(after).toHaveLength(before.length + 1);

  expect((await api('POST', '/apps/word-growthhack/restart')).status).toBe(200);
  await deployed();
  expect((await app('/word-growthhack')).tasks.every(({ id }) => !before.includes(id))).toBe(true);
});
