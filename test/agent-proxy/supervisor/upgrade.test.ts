/** New code takes over in the task that runs: no request fails, and code that does not do changes nothing. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Report, UpgradeReport } from '../../../agent-proxy/control/contract.ts';
import { ENV } from '../../../agent-proxy/control/environment.ts';
import { SUPERVISOR_PROTOCOL } from '../../../agent-proxy/control/wire-words.ts';
import { type ArchiveServer, archiveOf, type ServedArchive, useArchiveServer } from '../../fixtures/archive-server.ts';
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

const IP = '127.0.35.17';
/** Whole processes start and end several times. */
vi.setConfig({ testTimeout: 60_000 });
const bundles: ProxyBundle[] = [];
let first: ProxyBundle;
let second: Buffer;
let third: Buffer;

beforeAll(async () => {
  const [one, two, three] = await Promise.all(['1.0.0', '2.0.0', '3.0.0'].map((version) => bundleProxy(version)));
  if (one === undefined || two === undefined || three === undefined) throw new Error('three bundles were asked for');
  bundles.push(one, two, three);
  first = one;
  second = await readFile(two.file);
  third = await readFile(three.file);
}, 30_000);
afterAll(async () => {
  for (const bundle of bundles) await bundle.remove();
});

interface MeshTask extends Task {
  readonly scheduler: FakeScheduler;
  readonly outgoing: string;
  readonly admin: string;
  readonly code: string;
  upgrade(to: ServedArchive): void;
  /** The last report, once it is as `isSo` says. */
  report(what: string, isSo: (report: Report) => boolean): Promise<Report>;
  /** Until this upgrade stands so. */
  stands(to: ServedArchive, state: UpgradeReport['state']): Promise<Report>;
}

async function useMeshTask(words: readonly string[] = []): Promise<MeshTask> {
  const backend = await useBackend('web');
  const web = { name: 'web', endpoints: [endpoint({ service: 'web', instance: 'web.1', port: backend.port })] };
  const scheduler = await useFakeScheduler([helloFrame({ heartbeatMs: 60_000 }), ...snapshotFrames(1, 1, [web])]);
  const [out = 0, incoming = 0, admin = 0] = await freePorts(IP, 3);
  const dataDir = await useTempDir();
  const ports = `out=${out},in=${incoming},admin=${admin}`;
  const task = useTask([first.file, '--node-ip', IP, '--ports', ports, '--data-dir', dataDir, ...words], {
    env: {
      ...{ [ENV.agentId]: 'agent-1', [ENV.taskId]: 'proxy-1', [ENV.schedulers]: scheduler.url },
      [ENV.token]: 'the-token',
    },
  });
  const mesh: MeshTask = Object.assign(task, {
    scheduler,
    outgoing: `http://${IP}:${out}/`,
    admin: `http://${IP}:${admin}`,
    code: join(dataDir, 'code'),
    upgrade: (to: ServedArchive) => scheduler.send({ type: 'upgrade', epoch: 1, ...to }),
    report: (what: string, isSo: (report: Report) => boolean) =>
      eventually(
        what,
        () => {
          const last = scheduler.reports.at(-1);
          return last !== undefined && isSo(last) ? last : null;
        },
        20_000,
      ),
    stands: (to: ServedArchive, state: UpgradeReport['state']) =>
      mesh.report(
        `the upgrade is ${state}`,
        ({ upgrade }) => upgrade?.codeSha256 === to.codeSha256 && upgrade.state === state,
      ),
  });
  await mesh.report('it is ready', ({ ready }) => ready);
  return mesh;
}

test('no request fails across upgrades, and the report says which code runs', async () => {
  const archives = await useArchiveServer();
  const task = await useMeshTask();
  const before = await task.report('the first code', ({ version }) => version === '1.0.0');
  const busy = startClients(task.outgoing, 'web', 20, 1);
  const slow = startClients(task.outgoing, 'web', 5, 300);
  try {
    for (const [code, version] of [
      [second, '2.0.0'],
      [third, '3.0.0'],
      [second, '2.0.0'],
    ] as const) {
      const answered = busy.answered();
      await eventually('requests are answered', () => busy.answered() > answered + 50);
      const to = archives.put(archiveOf(code, version), code, version);
      task.upgrade(to);
      const report = await task.stands(to, 'proving');
      expect(report.codeSha256).toBe(to.codeSha256);
      expect(report.codeSha256).not.toBe(before.codeSha256);
      expect(report.version).toBe(version);
      await eventually('the old worker is gone', async () => (await task.children()).length === 1, 15_000);
    }
    expect(task.scheduler.subscriptions.at(-1)).toMatchObject({ version: '2.0.0' });
    // Each code begins with the key of before: it is the supervisor's.
    const { enrolments, authorizations } = task.scheduler;
    expect([enrolments.length, new Set(enrolments.map(({ keySha256 }) => keySha256)).size]).toEqual([4, 1]);
    expect(new Set(authorizations).size).toBe(1);
  } finally {
    expect([...(await busy.stop()), ...(await slow.stop())]).toEqual([]);
  }
});

test('all workers are of the new code, and one that dies comes back with it', async () => {
  const archives = await useArchiveServer();
  const task = await useMeshTask(['--workers', '2']);
  const to = archives.put(archiveOf(second, '2.0.0'), second, '2.0.0');
  const { length } = task.scheduler.subscriptions;
  task.upgrade(to);
  await task.stands(to, 'proving');
  await eventually('two workers', async () => (await task.children()).length === 2);
  // One after the other has the link.
  expect(task.scheduler.subscriptions.length).toBe(length + 1);
  const commands = async (): Promise<string[]> =>
    Promise.all((await task.children()).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8')));
  for (const command of await commands()) expect(command).toContain(join(task.code, to.codeSha256));
  const [leader = 0] = await task.children();
  process.kill(leader, 'SIGKILL');
  await task.report('the new leader', ({ workerRestarts, version }) => workerRestarts > 0 && version === '2.0.0');
  for (const command of await commands()) expect(command).toContain(join(task.code, to.codeSha256));
});

test('new workers leave the link to the old ones until all of them serve', async () => {
  const archives = await useArchiveServer();
  const task = await useMeshTask(['--workers', '2']);
  const { length } = task.scheduler.subscriptions;
  // The one that leads listens; the other is busy for a second, and then dies.
  const stumbling = `process.once('message', ({ index }) => {
    const until = Date.now() + 1_000;
    while (index === 1) if (Date.now() > until) process.exit(3);
  });\n`;
  const code = Buffer.concat([Buffer.from(stumbling), second]);
  const to = archives.put(archiveOf(code, '2.0.0'), code, '2.0.0');
  task.upgrade(to);
  const { upgrade } = await task.stands(to, 'failed');
  expect(upgrade?.reason).toBe('a new worker died before it listened');
  expect(task.scheduler.subscriptions.length).toBe(length);
});

test('of old code, only what it would go back to stays on disk', async () => {
  const archives = await useArchiveServer();
  const task = await useMeshTask();
  const all: ServedArchive[] = [];
  for (const version of ['2.0.0', '2.0.1', '2.0.2']) {
    const code = Buffer.concat([second, Buffer.from(`// ${version}\n`)]);
    const to = archives.put(archiveOf(code, version), code, version);
    all.push(to);
    task.upgrade(to);
    await task.stands(to, 'proving');
  }
  // None of them has proven itself, so what it would go back to is what the task was started with.
  await eventually('the others are removed', async () => {
    return (await readdir(task.code)).join() === all.at(-1)?.codeSha256;
  });
});

const STILL_BORN = Buffer.from('process.exit(3);\n');

/** What an archive server has, and what a scheduler says of it, which is not the same. */
const LIES: readonly [string, RegExp, (archives: ArchiveServer) => ServedArchive][] = [
  [
    'with another SHA-256',
    /^the archive http:.* has the SHA-256 [0-9a-f]{64}, and [0-9a-f]{64} is wanted$/,
    (archives) => ({ ...archives.put(archiveOf(second, '2.0.0'), second, '2.0.0'), sha256: '0'.repeat(64) }),
  ],
  [
    'that is none',
    /^the archive http:.* cannot be unpacked: /,
    (archives) => archives.put(Buffer.from('nothing of the kind'), second, '2.0.0'),
  ],
  [
    'with other code in it',
    /^the code in http:.* has the SHA-256 [0-9a-f]{64}, and [0-9a-f]{64} is wanted$/,
    (archives) => archives.put(archiveOf(second, '2.0.0'), third, '2.0.0'),
  ],
  [
    'for another supervisor',
    new RegExp(
      `^version 2\\.0\\.0 needs a supervisor of protocol 99, and this task's has ${SUPERVISOR_PROTOCOL}: it needs a new task$`,
    ),
    (archives) => archives.put(archiveOf(second, '2.0.0', 99), second, '2.0.0'),
  ],
];

test.each(LIES)('an archive %s is refused, and what ran goes on', async (_what, why, lie) => {
  const archives = await useArchiveServer();
  const task = await useMeshTask();
  const before = await task.children();
  const to = lie(archives);
  task.upgrade(to);
  const { upgrade, version } = await task.stands(to, 'failed');
  expect(upgrade?.reason).toMatch(why);
  expect(version).toBe('1.0.0');
  await eventually('what fetched it is gone', async () => (await task.children()).join() === before.join());
  await eventually('nothing of it is left', async () => (await readdir(task.code)).length === 0);
});

test('a scheduler that has no such archive is named, and asked again when it is told to', async () => {
  const archives = await useArchiveServer();
  const task = await useMeshTask();
  const to = archives.put(archiveOf(second, '2.0.0'), second, '2.0.0');
  task.upgrade({ ...to, url: `${archives.url}/gone` });
  const { upgrade } = await task.stands(to, 'failed');
  expect(upgrade?.reason).toBe(`the archive ${archives.url}/gone cannot be fetched: the server answered 404`);
  task.upgrade(to);
  await task.stands(to, 'proving');
});

test('code that does not start changes nothing', async () => {
  const archives = await useArchiveServer();
  const task = await useMeshTask();
  const [worker] = await task.children();
  const to = archives.put(archiveOf(STILL_BORN, '2.0.0'), STILL_BORN, '2.0.0');
  const busy = startClients(task.outgoing, 'web', 5, 1);
  try {
    task.upgrade(to);
    const { upgrade, version } = await task.stands(to, 'failed');
    expect(upgrade?.reason).toBe('a new worker died before it listened');
    expect(version).toBe('1.0.0');
    await eventually('only the old worker is left', async () => (await task.children()).join() === String(worker));
  } finally {
    expect(await busy.stop()).toEqual([]);
  }
});

test('code whose workers die twice in its first minute is given up for the code before it', async () => {
  const archives = await useArchiveServer();
  const task = await useMeshTask();
  const to = archives.put(archiveOf(second, '2.0.0'), second, '2.0.0');
  task.upgrade(to);
  await task.stands(to, 'proving');
  for (const death of [1, 2]) {
    const [worker = 0] = await eventually('one worker', async () => {
      const children = await task.children();
      return children.length === 1 ? children : null;
    });
    process.kill(worker, 'SIGKILL');
    if (death === 1)
      await task.report('it is back', ({ workerRestarts, version }) => workerRestarts === 1 && version === '2.0.0');
  }
  const { upgrade } = await task.report('the code before', ({ version }) => version === '1.0.0');
  expect(upgrade).toEqual({
    state: 'failed',
    codeSha256: to.codeSha256,
    reason: 'its workers died 2 times in a minute',
  });
  expect((await send(task.outgoing, { headers: { Host: 'web' } })).status).toBe(200);
  await eventually('what failed is removed', async () => (await readdir(task.code)).length === 0);
});
