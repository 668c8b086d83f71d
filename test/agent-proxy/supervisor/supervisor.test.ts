/** The proxy's task as real processes: workers die and come back on the same sockets, ports are taken, tasks end. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { DESCRIPTORS } from '../../../agent-proxy/accept/descriptors.ts';
import { ENV } from '../../../agent-proxy/control/environment.ts';
import { loadSnapshot } from '../../../agent-proxy/control/last-snapshot.ts';
import { useBackend } from '../../fixtures/backend.ts';
import { endpoint, helloFrame, snapshotFrames, useFakeScheduler } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { freePorts, useTempDir } from '../../fixtures/proxy.ts';
import { bundleProxy, type ProxyBundle } from '../../fixtures/proxy-bundle.ts';
import { type Task, useTask } from './task.ts';

const IP = '127.0.35.11';
let bundle: ProxyBundle;

beforeAll(async () => {
  bundle = await bundleProxy();
});
afterAll(() => bundle.remove());

interface MeshTask extends Task {
  readonly outgoing: string;
  readonly admin: string;
  readonly ports: readonly number[];
  worker(): Promise<number | null>;
}

interface MeshTaskOptions {
  readonly scheduler: string;
  readonly ports?: readonly number[];
  readonly dataDir?: string;
  readonly args?: readonly string[];
  readonly isDeaf?: boolean;
  readonly env?: Record<string, string>;
}

async function useMeshTask(options: MeshTaskOptions): Promise<MeshTask> {
  const { scheduler, args = [], isDeaf = false, env = {} } = options;
  const ports = options.ports ?? (await freePorts(IP, 3));
  const dataDir = options.dataDir ?? (await useTempDir());
  const [out = 0, incoming = 0, admin = 0] = ports;
  const list = `out=${out},in=${incoming},admin=${admin}`;
  const task = useTask([bundle.file, '--node-ip', IP, '--ports', list, '--data-dir', dataDir, ...args], {
    env: { [ENV.agentId]: 'agent-1', [ENV.taskId]: 'proxy-1', [ENV.schedulers]: scheduler, ...env },
    isDeaf,
  });
  return Object.assign(task, {
    outgoing: `http://${IP}:${out}`,
    admin: `http://${IP}:${admin}`,
    ports,
    worker: async () => (await task.children())[0] ?? null,
  });
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, IP);
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

/** Not there, or only waiting for somebody to read its exit code. */
async function isGone(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat === null || /\) [ZX] /.test(stat);
}

/** A scheduler that tells of one service, `web`, with this backend. */
async function useSchedulerOf(backend: { port: number }) {
  const web = { name: 'web', endpoints: [endpoint({ service: 'web', instance: 'web.1', port: backend.port })] };
  return useFakeScheduler([helloFrame(), ...snapshotFrames(1, 1, [web])]);
}

function savedRevision(dataDir: string): number | null {
  return loadSnapshot(dataDir).snapshot?.revision ?? null;
}

function ask(task: MeshTask): Promise<{ status: number; body: string }> {
  return send(`${task.outgoing}/`, { headers: { Host: 'web' } });
}

function serves(task: MeshTask): Promise<unknown> {
  return eventually('the proxy serves', async () => (await ask(task)).status === 200);
}

/** How many descriptors a process has of each of its sockets. */
async function descriptorsOfSockets(pid: number): Promise<number[]> {
  const counts = new Map<string, number>();
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    // One of them is that of the list, which is gone by now.
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    if (target.startsWith('socket:')) counts.set(target, (counts.get(target) ?? 0) + 1);
  }
  return [...counts.values()];
}

test('a worker accepts through several descriptors of the socket of each router', async () => {
  const backend = await useBackend('here');
  const scheduler = await useSchedulerOf(backend);
  const task = await useMeshTask({ scheduler: scheduler.url, dataDir: await useTempDir() });
  await serves(task);
  const worker = await eventually('the worker is known', () => task.worker());
  const listening = (await descriptorsOfSockets(worker)).filter((count) => count > 1);
  // The outgoing router, the incoming one, and the admin listener, which needs one of them only.
  expect(listening).toEqual([DESCRIPTORS, DESCRIPTORS, DESCRIPTORS]);
  // Clients that come all at once are all answered.
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask(task)));
  expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['here']));
});

test('a worker that is killed is replaced on the same sockets, without the scheduler, and no connection is refused', async () => {
  const backend = await useBackend('alive');
  const scheduler = await useSchedulerOf(backend);
  const dataDir = await useTempDir();
  const startedAt = performance.now();
  const task = await useMeshTask({ scheduler: scheduler.url, dataDir });
  await serves(task);
  const startMs = performance.now() - startedAt;
  await eventually('the table is on disk', () => savedRevision(dataDir) === 1);
  await scheduler.kill();

  const before = await eventually('the worker is known', () => task.worker());
  const killedAt = performance.now();
  process.kill(before, 'SIGKILL');
  await eventually('the worker is gone', async () => (await task.worker()) !== before, 15_000, 1);
  // Asked at once: the connection waits in the kernel's queue until the new worker takes it.
  const answer = await ask(task);
  const backAfterMs = performance.now() - killedAt;

  expect(answer).toMatchObject({ status: 200, body: 'alive' });
  expect(await task.worker()).not.toBe(before);
  expect(task.process.exitCode).toBeNull();
  // 200 ms are promised; a machine that has other things to do took as much longer for the start of the whole task.
  expect(backAfterMs).toBeLessThan(Math.max(600, 2 * startMs));
  const metrics = await send(`${task.admin}/admin/metrics/prometheus`);
  expect(metrics.body).toMatch(/^proc:worker_restarts 1\.0$/m);
});

test('a task starts from what another left on disk, without the scheduler', async () => {
  const backend = await useBackend('alive');
  const scheduler = await useSchedulerOf(backend);
  const dataDir = await useTempDir();
  const first = await useMeshTask({ scheduler: scheduler.url, dataDir });
  await serves(first);
  await eventually('it is told', () => scheduler.reports.at(-1)?.ready === true);
  first.process.kill('SIGTERM');
  await first.exited;
  await scheduler.kill();
  const second = await useMeshTask({ scheduler: scheduler.url, dataDir });
  await serves(second);
});

test('SIGTERM lets a request in flight finish; when local callers are quiet, the task exits 0', async () => {
  let release = (): void => undefined;
  let asked = false;
  const backend = await useBackend('slow', {
    answer: (request, response) => {
      if (request.url === '/quick') {
        response.end('quick');
        return;
      }
      asked = true;
      release = () => response.end('slow');
    },
  });
  const scheduler = await useSchedulerOf(backend);
  const task = await useMeshTask({ scheduler: scheduler.url });
  await eventually('it is ready', async () => (await send(`${task.admin}/admin/ready`)).status === 200);
  const answer = ask(task);
  await eventually('the request is in flight', () => asked);
  task.process.kill('SIGTERM');
  await eventually('peers are refused', () => isRefused(task.ports[1] ?? 0));
  // A local caller has no other way.
  const local = await send(`${task.outgoing}/quick`, { headers: { Host: 'web' } });
  expect(local).toMatchObject({ status: 200, body: 'quick' });
  release();
  expect(await answer).toMatchObject({ status: 200, body: 'slow' });
  expect(await task.exited).toBe(0);
});

test('a second SIGTERM ends it at once', async () => {
  let asked = false;
  const backend = await useBackend('stuck', {
    answer: () => {
      asked = true;
    },
  });
  const scheduler = await useSchedulerOf(backend);
  const task = await useMeshTask({ scheduler: scheduler.url });
  await eventually('it is ready', async () => (await send(`${task.admin}/admin/ready`)).status === 200);
  const answer = ask(task).catch((error: unknown) => error);
  await eventually('the request is in flight', () => asked);
  task.process.kill('SIGTERM');
  await eventually('it drains', () => isRefused(task.ports[1] ?? 0));
  const startedAt = performance.now();
  task.process.kill('SIGTERM');
  expect(await task.exited).toBe(0);
  // The grace is 10 s.
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(await answer).toBeInstanceOf(Error);
});

test('SIGHUP under a scheduler has nothing to read, and changes nothing', async () => {
  const backend = await useBackend('alive');
  const task = await useMeshTask({ scheduler: (await useSchedulerOf(backend)).url });
  await serves(task);
  const worker = await task.worker();
  task.process.kill('SIGHUP');
  await eventually('it says so', () => task.stdout().includes('under a scheduler there is no CONFIG to read again'));
  expect(await task.worker()).toBe(worker);
  await serves(task);
});

test('the worker goes when its supervisor is killed, and a successor gets the ports', async () => {
  const backend = await useBackend('alive');
  const scheduler = await useSchedulerOf(backend);
  const first = await useMeshTask({ scheduler: scheduler.url });
  await serves(first);
  const worker = await eventually('the worker is known', () => first.worker());
  first.process.kill('SIGKILL');
  const second = await useMeshTask({ scheduler: scheduler.url, ports: first.ports });
  await serves(second);
  await eventually('the old worker is gone', () => isGone(worker));
});

test('a port that stays taken is one clear line and exit code 1', async () => {
  const [port = 0, ...others] = await freePorts(IP, 3);
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(port, IP, resolve));
  onTestFinished(() => void squatter.close());
  const task = await useMeshTask({ scheduler: 'http://127.0.0.1:9', ports: [port, ...others] });
  expect(await task.exited).toBe(1);
  expect(task.stderr()).toBe(`nodemesh: cannot listen on ${IP}:${port}: the port is taken by another process\n`);
});

test('a standard output that nobody reads slows no request and does not keep the task from ending', async () => {
  const backend = await useBackend('alive');
  const scheduler = await useSchedulerOf(backend);
  const task = await useMeshTask({ scheduler: scheduler.url, args: ['--access-log'], isDeaf: true });
  await serves(task);
  const long = `/${'x'.repeat(4_000)}`;
  for (let round = 0; round < 40; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => send(`${task.outgoing}${long}`, { headers: { Host: 'web' } })),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  }
  task.process.kill('SIGTERM');
  await task.exited;
});

test('POST /admin/shutdown ends the task with exit code 0', async () => {
  const task = await useMeshTask({ scheduler: 'http://127.0.0.1:9' });
  await eventually('it answers', async () => (await send(`${task.admin}/admin/ping`)).body === 'pong');
  expect(await send(`${task.admin}/admin/shutdown`, { method: 'POST' })).toMatchObject({ status: 202 });
  expect(await task.exited).toBe(0);
});

test('its key is in the memory of the supervisor alone, and workers that come have it', async () => {
  const scheduler = await useSchedulerOf(await useBackend('keyed'));
  const dataDir = await useTempDir();
  const task = await useMeshTask({ scheduler: scheduler.url, dataDir, env: { [ENV.token]: 'the-token' } });
  await serves(task);
  const before = await eventually('the worker is known', () => task.worker());
  process.kill(before, 'SIGKILL');
  await eventually('the next worker enrols', () => scheduler.enrolments.length === 2);
  const [first, second] = scheduler.enrolments;
  expect(first).toMatchObject({ agentId: 'agent-1', taskId: 'proxy-1', token: 'the-token' });
  expect(second).toEqual(first);
  await eventually('and subscribes', () => scheduler.authorizations.length === 2);
  const [shown, again] = scheduler.authorizations;
  expect(shown).toMatch(/^Bearer [A-Za-z0-9_-]{43}$/);
  expect(again).toBe(shown);
  const key = shown?.slice('Bearer '.length) ?? '';
  const worker = await eventually('the next worker is known', () => task.worker());
  await eventually('the table is on disk', () => savedRevision(dataDir) === 1);
  for (const pid of [task.process.pid, worker]) {
    const about = await Promise.all(['environ', 'cmdline'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')));
    expect(about[0]).toContain('the-token');
    expect(about.join()).not.toContain(key);
  }
  const files = (await readdir(dataDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(files).not.toEqual([]);
  for (const { parentPath, name } of files) expect(await readFile(join(parentPath, name), 'utf8')).not.toContain(key);
  expect(task.stdout() + task.stderr()).not.toContain(key);
});
