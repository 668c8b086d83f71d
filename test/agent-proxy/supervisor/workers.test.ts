/** Several workers on the same sockets, and one admin view over all of them. */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ENV } from '../../../agent-proxy/control/environment.ts';
import { useBackend } from '../../fixtures/backend.ts';
import { endpoint, helloFrame, snapshotFrames, useFakeScheduler } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { getJson, send } from '../../fixtures/http.ts';
import { freePorts, useTempDir } from '../../fixtures/proxy.ts';
import { bundleProxy, type ProxyBundle } from '../../fixtures/proxy-bundle.ts';
import { type Clients, startClients } from './keep-alive-clients.ts';
import { type Task, useStandalone, useTask } from './task.ts';

const IP = '127.0.35.14';
const WORKERS = 3;
const SLOW_MS = 60_000;
let bundle: ProxyBundle;

beforeAll(async () => {
  bundle = await bundleProxy();
});
afterAll(() => bundle.remove());

type Figures = Readonly<Record<string, number>>;

interface Crowd extends Task {
  readonly url: string;
  readonly admin: string;
}

async function useCrowd(backend: { port: number }): Promise<Crowd> {
  const [admin = 0, port = 0] = await freePorts(IP, 2);
  const config = `admin: {ip: ${IP}, port: ${admin}}
routers:
- protocol: http
  label: out
  servers: [{ip: ${IP}, port: ${port}}]
  dtab: |
    /svc/web => /$/inet/127.0.0.1/${backend.port};
telemetry:
- {kind: io.l5d.recentRequests, sampleRate: 1.0, capacity: 5}
`;
  const task = await useStandalone(bundle.file, config, { workers: WORKERS });
  return Object.assign(task, { url: `http://${IP}:${port}/`, admin: `http://${IP}:${admin}` });
}

/** Requests on new connections, until each worker has had some. */
async function reachAll({ url, admin }: Crowd): Promise<void> {
  await eventually('each worker has had a request', async () => {
    await Promise.all(Array.from({ length: 20 }, () => send(url, { headers: { Host: 'web' } })));
    const clients = Object.keys(await getJson<object>(`${admin}/client_state.json`));
    return clients.length === WORKERS;
  });
}

async function stopped(clients: Clients): Promise<number> {
  expect(await clients.stop()).toEqual([]);
  return clients.answered();
}

test(
  'figures, clients and recent requests are those of all workers',
  async () => {
    const backend = await useBackend('alive');
    const crowd = await useCrowd(backend);
    await reachAll(crowd);
    const { url, admin } = crowd;
    // More than are shown.
    for (let index = 0; index < 40; index += 1) await send(url, { headers: { Host: 'web' } });
    const count = backend.received.length;
    const figures = await getJson<Figures>(`${admin}/admin/metrics.json`);
    expect(figures[`rt/out/server/${IP}/${new URL(url).port}/requests`]).toBe(count);
    expect(figures['rt/out/service/svc/web/success']).toBe(count);
    expect(figures).toMatchObject({ 'workers/count': WORKERS, 'workers/unanswered': 0 });
    const prometheus = (await send(`${admin}/admin/metrics/prometheus`)).body;
    expect(prometheus).toContain(`rt:service:requests{rt="out", service="svc/web"} ${count}\n`);
    const subtree = await send(`${admin}/admin/metrics.json?q=rt/out/service&tree=true`);
    expect(JSON.parse(subtree.body)).toMatchObject({ svc: { web: { requests: { counter: count } } } });
    const clients = Object.keys(await getJson<object>(`${admin}/client_state.json`));
    expect(clients).toEqual([
      `out/$/inet/127.0.0.1/${backend.port}`,
      ...[1, 2].map((index) => `worker ${index}: out/$/inet/127.0.0.1/${backend.port}`),
    ]);
    // Five of each worker.
    expect((await send(`${admin}/requests`)).body.match(/<tr>/g)?.length).toBeGreaterThan(2 * 5);
  },
  SLOW_MS,
);

test(
  'a worker that does not answer is left out, and soon',
  async () => {
    const backend = await useBackend('alive');
    const crowd = await useCrowd(backend);
    const [, stuck = 0] = await crowd.children();
    process.kill(stuck, 'SIGSTOP');
    try {
      const startedAt = performance.now();
      const figures = await getJson<Figures>(`${crowd.admin}/admin/metrics.json`);
      expect(performance.now() - startedAt).toBeGreaterThan(400);
      expect(figures).toMatchObject({ 'workers/count': WORKERS });
      expect(await getJson<Figures>(`${crowd.admin}/admin/metrics.json`)).toMatchObject({ 'workers/unanswered': 1 });
    } finally {
      process.kill(stuck, 'SIGCONT');
    }
  },
  SLOW_MS,
);

test(
  'whichever worker is killed, no new connection is refused, and it comes back by itself',
  async () => {
    const backend = await useBackend('alive');
    const crowd = await useCrowd(backend);
    for (let at = 0; at < WORKERS; at += 1) {
      const before = await crowd.children();
      const killed = before[0] ?? 0;
      process.kill(killed, 'SIGKILL');
      await eventually('there are as many as before', async () => {
        const now = await crowd.children();
        return now.length === WORKERS && !now.includes(killed);
      });
      // Asked at once, also of the admin listener: the kernel has both wait for the worker that is to come.
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => send(crowd.url, { headers: { Host: 'web' } })),
      );
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      expect((await send(`${crowd.admin}/admin/ping`)).body).toBe('pong');
      expect(before.filter((pid) => pid !== killed).every((pid) => isAlive(pid))).toBe(true);
    }
    await eventually('all are led by the new one', async () => {
      const figures = await getJson<Figures>(`${crowd.admin}/admin/metrics.json`);
      return figures['workers/count'] === WORKERS && figures['proc/worker_restarts'] === WORKERS;
    });
  },
  SLOW_MS,
);

test('a level of logging is set in all workers, or in none', async () => {
  const backend = await useBackend('alive');
  const crowd = await useCrowd(backend);
  const set = await send(`${crowd.admin}/logging.json?logger=root&level=ERROR`, { method: 'POST' });
  expect(set.status).toBe(200);
  expect(JSON.parse(set.body)).toEqual([{ logger: 'root', level: 'ERROR' }]);
  expect((await send(`${crowd.admin}/logging.json?logger=root&level=LOUD`, { method: 'POST' })).status).toBe(400);
});

test(
  'POST /admin/shutdown ends all of them; requests in flight are answered',
  async () => {
    const backend = await useBackend('alive');
    const crowd = await useCrowd(backend);
    const clients = startClients(crowd.url, 'web', 10, 1);
    await eventually('requests are answered', () => clients.answered() > 50);
    expect(await stopped(clients)).toBeGreaterThan(50);
    expect(await send(`${crowd.admin}/admin/shutdown`, { method: 'POST' })).toMatchObject({ status: 202 });
    expect(await crowd.exited).toBe(0);
  },
  SLOW_MS,
);

test(
  'under a scheduler all workers have the table of the one that has the link, and it reports for all',
  async () => {
    const backend = await useBackend('alive');
    const scheduler = await useFakeScheduler([helloFrame()]);
    const [out = 0, incoming = 0, admin = 0] = await freePorts(IP, 3);
    const words = [
      '--node-ip',
      IP,
      '--ports',
      `out=${out},in=${incoming},admin=${admin}`,
      '--workers',
      String(WORKERS),
    ];
    const task = useTask([bundle.file, ...words, '--data-dir', await useTempDir()], {
      env: { [ENV.agentId]: 'agent-1', [ENV.taskId]: 'proxy-1', [ENV.schedulers]: scheduler.url },
    });
    const web = { name: 'web', endpoints: [endpoint({ service: 'web', instance: 'web.1', port: backend.port })] };
    /** Answers of so many connections: surely each worker has one of them. */
    const statuses = async (host: string): Promise<string> => {
      const answers = await Promise.all(
        Array.from({ length: 60 }, () => send(`http://${IP}:${out}/`, { headers: { Host: host } })),
      );
      return [...new Set(answers.map(({ status }) => status))].join();
    };
    await eventually('it subscribes', () => scheduler.streams.size === 1);
    scheduler.send(...snapshotFrames(1, 1, [web]));
    await eventually('all know the table', async () => (await statuses('web')) === '200');
    expect(scheduler.streams.size).toBe(1);

    const late = endpoint({ service: 'late', instance: 'late.1', port: backend.port });
    const nothing = { remove: [], patch: [], agents: [], agentsRemoved: [], documents: [], documentsRemoved: [] };
    const upsert = [{ name: 'late', endpoints: [late] }];
    scheduler.send({ type: 'delta', epoch: 1, base: 1, revision: 2, upsert, ...nothing });
    await eventually('all know the change', async () => (await statuses('late')) === '200');

    const counted = {
      name: 'counted',
      endpoints: [endpoint({ service: 'counted', instance: 'c.1', port: backend.port })],
    };
    scheduler.opening = [helloFrame(), ...snapshotFrames(1, 3, [web, counted])];
    for (const pid of (await task.children()).slice(0, 2)) process.kill(pid, 'SIGKILL');
    await eventually('a leader is back', () => scheduler.streams.size === 1 && scheduler.subscriptions.length > 1);
    await eventually('as many as before', async () => (await task.children()).length === WORKERS);
    // Whoever has just come may not be among the first that are asked.
    let inARow = 0;
    await eventually('all have forgotten what is gone', async () => {
      inARow = (await statuses('late')) === '502' ? inARow + 1 : 0;
      return inARow === 5;
    });
    expect(await statuses('web')).toBe('200');

    expect(await statuses('counted')).toBe('200');
    const reported = (): number =>
      scheduler.reports
        .flatMap(({ traffic }) =>
          traffic.filter(({ service, router }) => service === 'counted' && router === 'outgoing'),
        )
        .reduce((sum, { requests }) => sum + requests, 0);
    await eventually('requests of all workers are reported', () => reported() === 60);
  },
  SLOW_MS,
);

test('a connection that is open stays where it is: each worker serves its own', async () => {
  const backend = await useBackend('alive');
  const crowd = await useCrowd(backend);
  const { hostname, port } = new URL(crowd.url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  socket.on('error', () => undefined);
  for (let round = 1; round <= 3; round += 1) {
    socket.write('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    await eventually('it is answered', () => text.match(/HTTP\/1\.1 200/g)?.length === round);
  }
  socket.destroy();
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
