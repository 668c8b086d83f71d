/** A configuration of the scheduler is taken while requests go on, or refused while what ran goes on. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { Frame, Report } from '../../../agent-proxy/control/contract.ts';
import { ENV } from '../../../agent-proxy/control/environment.ts';
import { useBackend } from '../../fixtures/backend.ts';
import {
  endpoint,
  type FakeScheduler,
  helloFrame,
  snapshotFrames,
  useFakeScheduler,
} from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { freePorts, useTempDir } from '../../fixtures/proxy.ts';
import { bundleProxy, type ProxyBundle } from '../../fixtures/proxy-bundle.ts';
import { startClients } from './keep-alive-clients.ts';
import { type Task, useTask } from './task.ts';

const IP = '127.0.35.21';
/** Whole processes start and end several times. */
vi.setConfig({ testTimeout: 60_000 });
let bundle: ProxyBundle;
beforeAll(async () => {
  bundle = await bundleProxy();
}, 30_000);
afterAll(() => bundle.remove());

interface MeshTask extends Task {
  readonly scheduler: FakeScheduler;
  readonly outgoing: string;
  configure(revision: number, config: unknown): void;
  report(what: string, isSo: (report: Report) => boolean): Promise<Report>;
  /** The same proxy, started again. */
  again(scheduler?: string): Task;
}

/** `first`: what the scheduler wants of the proxy from its first subscription on; its table comes later then. */
async function useMeshTask(words: readonly string[] = [], first?: unknown): Promise<MeshTask> {
  const backend = await useBackend('web');
  const web = { name: 'web', endpoints: [endpoint({ service: 'web', instance: 'web.1', port: backend.port })] };
  const config: Frame[] = first === undefined ? [] : [{ type: 'config', epoch: 1, configRevision: 1, config: first }];
  const greeting: Frame[] = [helloFrame({ heartbeatMs: 60_000 }), ...config];
  const table = snapshotFrames(1, 1, [web]);
  const opening: Frame[] = [...greeting, ...table];
  const scheduler = await useFakeScheduler(first === undefined ? opening : greeting);
  const [out = 0, incoming = 0, admin = 0] = await freePorts(IP, 3);
  const dataDir = await useTempDir();
  const ports = `out=${out},in=${incoming},admin=${admin}`;
  const again = (url = scheduler.url): Task =>
    useTask([bundle.file, '--node-ip', IP, '--ports', ports, '--data-dir', dataDir, ...words], {
      env: { [ENV.agentId]: 'agent-1', [ENV.taskId]: 'proxy-1', [ENV.schedulers]: url },
    });
  const mesh: MeshTask = Object.assign(again(), {
    scheduler,
    outgoing: `http://${IP}:${out}/`,
    again,
    configure(revision: number, config: unknown) {
      const frame: Frame = { type: 'config', epoch: 1, configRevision: revision, config };
      scheduler.opening = [...opening, frame];
      scheduler.send(frame);
    },
    report: (what: string, isSo: (report: Report) => boolean) =>
      eventually(
        what,
        () => {
          const last = scheduler.reports.at(-1);
          return last !== undefined && isSo(last) ? last : null;
        },
        30_000,
      ),
  });
  if (first !== undefined) {
    await mesh.report('it has no table', ({ ready }) => !ready);
    // A second, by its reports: more than another worker needs.
    await eventually('it still has none', () => scheduler.reports.length > 20);
    expect(scheduler.reports.at(-1)).toMatchObject({ ready: false });
    // Its worker has not been replaced by one that would have none either.
    expect(scheduler.subscriptions).toHaveLength(1);
    scheduler.opening = opening;
    for (const frame of table) scheduler.send(frame);
  }
  await mesh.report('it is ready', ({ ready }) => ready);
  return mesh;
}

/** A machine that is busy with other things is no reason to refuse anything. */
const nodemesh = { shedding: { maxLoopDelayMs: null } };
const callDepth = (maxCallDepth: number) => ({
  routers: [{ label: 'outgoing', nodemesh, servers: [{ maxCallDepth }] }, { label: 'incoming' }],
});

test('no request fails across configurations, and workers that come have the last one', async () => {
  const task = await useMeshTask(['--workers', '2']);
  const [before = 0] = await task.children();
  const busy = startClients(task.outgoing, 'web', 10, 2);
  const slow = startClients(task.outgoing, 'web', 5, 300);
  try {
    for (const revision of [2, 3]) {
      const answered = busy.answered();
      await eventually('requests are answered', () => busy.answered() > answered + 50);
      task.configure(revision, callDepth(100 + revision));
      await task.report(`revision ${revision} runs`, ({ configRevision }) => configRevision === revision);
    }
    await eventually('the old workers are gone', async () => (await task.children()).length === 2, 15_000);
    expect(await task.children()).not.toContain(before);
  } finally {
    expect([...(await busy.stop()), ...(await slow.stop())]).toEqual([]);
  }
  // The same by another revision needs no new workers.
  const workers = await task.children();
  task.configure(4, callDepth(103));
  await task.report('revision 4 runs', ({ configRevision }) => configRevision === 4);
  expect(await task.children()).toEqual(workers);
  process.kill(workers[0] ?? 0, 'SIGKILL');
  const report = await task.report('the new leader', ({ workerRestarts }) => workerRestarts > 0);
  expect(report).toMatchObject({ configRevision: 4 });
  expect(report).not.toHaveProperty('configError');
});

test('one that comes before the first table takes no table away', async () => {
  const task = await useMeshTask([], callDepth(101));
  const busy = startClients(task.outgoing, 'web', 10, 1);
  try {
    await task.report('it runs', ({ configRevision }) => configRevision === 1);
    await eventually('the old worker is gone', async () => (await task.children()).length === 1, 15_000);
    const answered = busy.answered();
    await eventually('requests are answered', () => busy.answered() > answered + 50);
  } finally {
    expect(await busy.stop()).toEqual([]);
  }
});

test('what cannot be used is refused with a sentence, and what ran goes on', async () => {
  const task = await useMeshTask();
  const before = await task.children();
  task.configure(2, { routers: [{ label: 'outgoing', clinet: {} }] });
  const wrong = await task.report('it is refused', ({ configError }) => configError?.revision === 2);
  expect(wrong.configError?.reason).toBe("routers[0].clinet: unknown key; did you mean 'client'?");
  const other = createServer().listen(0, IP);
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port: taken } = other.address() as AddressInfo;
  task.configure(3, {
    routers: [{ label: 'outgoing' }, { label: 'incoming' }, { label: 'more', servers: [{ port: taken }] }],
  });
  const busy = await task.report('its port is taken', ({ configError }) => configError?.revision === 3);
  expect(busy.configError?.reason).toContain('the port is taken by another process');
  expect(busy.configRevision).toBe(0);
  await eventually('what tried it is gone', async () => (await task.children()).join() === before.join());
  expect((await send(task.outgoing, { headers: { Host: 'web' } })).status).toBe(200);
  task.configure(4, {});
  const well = await task.report('it runs by a new revision', ({ configRevision }) => configRevision === 4);
  expect(well).not.toHaveProperty('configError');
});

test('a listener comes with a configuration and goes with the next, and a start without a scheduler has the last', async () => {
  const task = await useMeshTask();
  const [more = 0] = await freePorts(IP, 1);
  const url = `http://${IP}:${more}/`;
  const answers = async (): Promise<boolean> =>
    send(url, { headers: { Host: 'web' }, timeoutMs: 1_000 }).then(
      ({ status }) => status === 200,
      () => false,
    );
  expect(await answers()).toBe(false);
  const routers = [{ label: 'outgoing' }, { label: 'incoming' }];
  task.configure(2, { routers: [...routers, { label: 'more', servers: [{ port: more }] }] });
  await task.report('revision 2 runs', ({ configRevision }) => configRevision === 2);
  expect(await answers()).toBe(true);

  task.process.kill('SIGTERM');
  await task.exited;
  expect(await answers()).toBe(false);
  const second = task.again('http://127.0.0.1:9');
  await eventually('it serves as before', answers, 10_000);
  second.process.kill('SIGTERM');
  await second.exited;

  const { length } = task.scheduler.subscriptions;
  task.again();
  await eventually('it subscribes', () => task.scheduler.subscriptions.length > length, 10_000);
  expect(task.scheduler.subscriptions.at(-1)).toMatchObject({ configRevision: 2 });
  task.configure(3, {});
  await task.report('revision 3 runs', ({ configRevision }) => configRevision === 3);
  await eventually('nothing listens there', async () => !(await answers()));
});
