/** The proxy's task as real processes: workers die and come back on the same sockets, ports are taken, tasks end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ENV } from '../../../agent-proxy/control/contract.ts';
import { loadSnapshot } from '../../../agent-proxy/control/last-snapshot.ts';
import { useBackend } from '../../fixtures/backend.ts';
import { endpoint, helloFrame, snapshotFrames, useFakeScheduler } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { freePorts, useTempDir } from '../../fixtures/proxy.ts';
import { bundleProxy, type ProxyBundle } from '../../fixtures/proxy-bundle.ts';

const IP = '127.0.35.11';
let bundle: ProxyBundle;

beforeAll(async () => {
  bundle = await bundleProxy();
});
afterAll(() => bundle.remove());

interface Task {
  readonly process: ChildProcess;
  readonly outgoing: string;
  readonly admin: string;
  readonly ports: readonly number[];
  readonly stderr: () => string;
  worker(): Promise<number | null>;
}

interface TaskOptions {
  readonly scheduler: string;
  readonly ports?: readonly number[];
  readonly dataDir?: string;
  readonly args?: readonly string[];
  readonly stdout?: 'ignore' | 'pipe';
}

async function useTask({ scheduler, args = [], stdout = 'ignore', ...options }: TaskOptions): Promise<Task> {
  const ports = options.ports ?? (await freePorts(IP, 3));
  const dataDir = options.dataDir ?? (await useTempDir());
  const [out = 0, incoming = 0, admin = 0] = ports;
  const list = `out=${out},in=${incoming},admin=${admin}`;
  const words = [bundle.file, '--node-ip', IP, '--ports', list, '--data-dir', dataDir, ...args];
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', stdout, 'pipe'],
    env: {
      ...process.env,
      [ENV.agentId]: 'agent-1',
      [ENV.taskId]: 'proxy-1',
      [ENV.schedulers]: scheduler,
    },
  });
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return {
    process: child,
    outgoing: `http://${IP}:${out}`,
    admin: `http://${IP}:${admin}`,
    ports,
    stderr: () => stderr,
    worker: () => childOf(child.pid ?? 0),
  };
}

/** The one child of a process, from /proc. */
async function childOf(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const [child] = text.trim().split(' ').filter(Boolean);
  return child === undefined ? null : Number(child);
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

function ask(task: Task): Promise<{ status: number; body: string }> {
  return send(`${task.outgoing}/`, { headers: { Host: 'web' } });
}

function serves(task: Task): Promise<unknown> {
  return eventually('the proxy serves', async () => (await ask(task)).status === 200, 10_000);
}

test('a worker that is killed is replaced on the same sockets, without the scheduler, and no connection is refused', async () => {
  const backend = await useBackend('alive');
  const scheduler = await useSchedulerOf(backend);
  const dataDir = await useTempDir();
  const task = await useTask({ scheduler: scheduler.url, dataDir });
  await serves(task);
  await eventually('the table is on disk', () => savedRevision(dataDir) === 1, 5_000);
  await scheduler.kill();

  const before = await eventually('the worker is known', () => task.worker(), 5_000);
  const killedAt = performance.now();
  process.kill(before, 'SIGKILL');
  await eventually('the worker is gone', async () => (await task.worker()) !== before, 5_000, 1);
  // Asked at once: the connection waits in the kernel's queue until the new worker takes it.
  const answer = await ask(task);
  const backAfterMs = performance.now() - killedAt;

  expect(answer).toMatchObject({ status: 200, body: 'alive' });
  expect(await task.worker()).not.toBe(before);
  expect(task.process.exitCode).toBeNull();
  // 200 ms are promised; this machine may have other things to do.
  expect(backAfterMs).toBeLessThan(1_000);
  const metrics = await send(`${task.admin}/admin/metrics/prometheus`);
  expect(metrics.body).toMatch(/^proc:worker_restarts 1$/m);
});

test('a task starts from what another left on disk, without the scheduler', async () => {
  const backend = await useBackend('alive');
  const scheduler = await useSchedulerOf(backend);
  const dataDir = await useTempDir();
  const first = await useTask({ scheduler: scheduler.url, dataDir });
  await serves(first);
  await eventually('it is told', () => scheduler.reports.at(-1)?.ready === true, 5_000);
  first.process.kill('SIGTERM');
  await once(first.process, 'exit');
  await scheduler.kill();
  const second = await useTask({ scheduler: scheduler.url, dataDir });
  await serves(second);
});

test('SIGTERM lets a request in flight finish and takes no new connection; then the task exits 0', async () => {
  let release = (): void => undefined;
  let asked = false;
  const backend = await useBackend('slow', {
    answer: (_request, response) => {
      asked = true;
      release = () => response.end('slow');
    },
  });
  const scheduler = await useSchedulerOf(backend);
  const task = await useTask({ scheduler: scheduler.url });
  await eventually('it is ready', async () => (await send(`${task.admin}/admin/ready`)).status === 200, 10_000);
  const answer = ask(task);
  await eventually('the request is in flight', () => asked, 5_000);
  task.process.kill('SIGTERM');
  await eventually('new connections are refused', () => isRefused(task.ports[0] ?? 0), 5_000);
  release();
  expect(await answer).toMatchObject({ status: 200, body: 'slow' });
  const [code] = (await once(task.process, 'exit')) as [number | null];
  expect(code).toBe(0);
});

test('the worker goes when its supervisor is killed, and a successor gets the ports', async () => {
  const backend = await useBackend('alive');
  const scheduler = await useSchedulerOf(backend);
  const first = await useTask({ scheduler: scheduler.url });
  await serves(first);
  const worker = await eventually('the worker is known', () => first.worker(), 5_000);
  first.process.kill('SIGKILL');
  const second = await useTask({ scheduler: scheduler.url, ports: first.ports });
  await serves(second);
  await eventually('the old worker is gone', () => isGone(worker), 5_000);
});

test('a port that stays taken is one clear line and exit code 1', async () => {
  const [port = 0, ...others] = await freePorts(IP, 3);
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(port, IP, resolve));
  onTestFinished(() => void squatter.close());
  const task = await useTask({ scheduler: 'http://127.0.0.1:9', ports: [port, ...others] });
  const [code] = (await once(task.process, 'exit')) as [number | null];
  expect(code).toBe(1);
  expect(task.stderr()).toBe(`nodemesh: cannot listen on ${IP}:${port}: the port is taken by another process\n`);
});

test('a standard output that nobody reads slows no request and does not keep the task from ending', async () => {
  const backend = await useBackend('alive');
  const scheduler = await useSchedulerOf(backend);
  const task = await useTask({ scheduler: scheduler.url, args: ['--access-log'], stdout: 'pipe' });
  task.process.stdout?.pause();
  await serves(task);
  const long = `/${'x'.repeat(4_000)}`;
  for (let round = 0; round < 40; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => send(`${task.outgoing}${long}`, { headers: { Host: 'web' } })),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  }
  task.process.kill('SIGTERM');
  await once(task.process, 'exit');
});

test('POST /admin/shutdown ends the task with exit code 0', async () => {
  const task = await useTask({ scheduler: 'http://127.0.0.1:9' });
  await eventually('it answers', async () => (await send(`${task.admin}/admin/ping`)).body === 'pong', 10_000);
  expect(await send(`${task.admin}/admin/shutdown`, { method: 'POST' })).toMatchObject({ status: 202 });
  const [code] = (await once(task.process, 'exit')) as [number | null];
  expect(code).toBe(0);
});
