/** A proxy and a scripted scheduler over real sockets: how it follows, reports, and finds the scheduler again. */
import { expect, test } from 'vitest';
import type { Frame, Service } from '../../../agent-proxy/control/contract.ts';
import { TableDigest } from '../../../agent-proxy/routing/digest.ts';
import { useBackend } from '../../fixtures/backend.ts';
import { endpoint, helloFrame, snapshotFrames, useFakeScheduler } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send, sendJson } from '../../fixtures/http.ts';
import { type RunningProxy, useProxy, useTempDir } from '../../fixtures/proxy.ts';

function web(port: number): Service {
  return { name: 'web', endpoints: [endpoint({ service: 'web', instance: `web.${port}`, port })] };
}

function opening(epoch: number, revision: number, services: Service[] = [], hello = {}): Frame[] {
  return [
    helloFrame({ epoch, session: `s-${epoch}-${revision}`, ...hello }),
    ...snapshotFrames(epoch, revision, services),
  ];
}

interface TableView {
  epoch: number;
  revision: number;
  ready: boolean;
  digest: string;
  services: { name: string }[];
}

async function tableOf(proxy: RunningProxy): Promise<TableView> {
  return JSON.parse((await send(`${proxy.admin}/admin/table`)).body) as TableView;
}

async function figure(proxy: RunningProxy, name: string): Promise<number> {
  const figures = JSON.parse((await send(`${proxy.admin}/admin/metrics.json`)).body) as Record<string, number>;
  return figures[name] ?? Number.NaN;
}

test('it subscribes with what it is, applies snapshot and deltas, and reports the digest of its table', async () => {
  const scheduler = await useFakeScheduler(opening(2, 5, [web(1)]));
  const proxy = await useProxy({ schedulers: [scheduler.url], clusterKey: 'the-cluster-key', workerRestarts: 3 });
  await eventually('it is ready', () => scheduler.reports.at(-1)?.revision === 5);
  expect(scheduler.subscriptions[0]).toMatchObject({
    agentId: 'agent-1',
    taskId: 'proxy-of-agent-1',
    nodeIp: '127.0.35.1',
    version: '0.0.0-test',
    epoch: 0,
    revision: 0,
    ports: { incoming: proxy.incomingPort },
  });
  expect(scheduler.authorizations[0]).toBe('Bearer the-cluster-key');
  scheduler.send(
    { type: 'config', epoch: 2, configRevision: 4, config: {} },
    {
      type: 'delta',
      epoch: 2,
      base: 5,
      revision: 6,
      upsert: [web(2)],
      remove: [],
      patch: [],
      agents: [],
      agentsRemoved: [],
      documents: [],
      documentsRemoved: [],
    },
  );
  const report = await eventually('the delta is told', () =>
    scheduler.reports.findLast(({ revision, configRevision }) => revision === 6 && configRevision === 4),
  );
  const digest = new TableDigest();
  digest.setService(web(2));
  expect(report).toMatchObject({
    session: 's-2-5',
    epoch: 2,
    digest: digest.value(),
    ready: true,
    reason: null,
    workerRestarts: 3,
    staleFrames: 0,
  });
});

test('a configuration that it does not know is refused, and the revision stays', async () => {
  const scheduler = await useFakeScheduler(opening(1, 1));
  const proxy = await useProxy({ schedulers: [scheduler.url] });
  await eventually('it is ready', () => scheduler.reports.at(-1)?.ready);
  scheduler.send({ type: 'config', epoch: 1, configRevision: 2, config: { routers: [] } });
  await eventually('it is refused', async () => (await figure(proxy, 'control/configs_refused')) === 1);
  expect(await figure(proxy, 'control/config_revision')).toBe(0);
  await eventually('it says so', () => scheduler.reports.at(-1)?.configError?.revision === 2);
});

test('after a gap it subscribes again and has the whole table', async () => {
  const scheduler = await useFakeScheduler(opening(1, 1, [web(1)]));
  const proxy = await useProxy({ schedulers: [scheduler.url] });
  await eventually('it has the table', () => scheduler.reports.at(-1)?.revision === 1);
  scheduler.opening = opening(1, 9, [web(3)]);
  scheduler.send({
    type: 'delta',
    epoch: 1,
    base: 7,
    revision: 8,
    upsert: [],
    remove: [],
    patch: [],
    agents: [],
    agentsRemoved: [],
    documents: [],
    documentsRemoved: [],
  });
  await eventually('it has the new table', () => scheduler.reports.at(-1)?.revision === 9);
  expect(scheduler.subscriptions).toHaveLength(2);
  expect(await figure(proxy, 'control/gaps')).toBe(1);
});

test('what changes while a report is on its way is told right after it', async () => {
  const scheduler = await useFakeScheduler([helloFrame({ reportMs: 60_000 })]);
  let answer = (): void => undefined;
  scheduler.holdReport = () => new Promise((resolve) => (answer = resolve));
  const proxy = await useProxy({ schedulers: [scheduler.url] });
  await eventually('it subscribes', () => scheduler.streams.size === 1);
  scheduler.send(...snapshotFrames(1, 1, [web(1)]));
  await eventually('it reports', () => scheduler.reports.length === 1);
  // Two more tables while the first report waits for its answer: told once, when it has come.
  scheduler.send(...snapshotFrames(1, 2, [web(2)]), ...snapshotFrames(1, 3, [web(3)]));
  scheduler.send({ type: 'config', epoch: 1, configRevision: 4, config: {} });
  await eventually('they are applied', async () => (await figure(proxy, 'control/config_revision')) === 4);
  expect(scheduler.reports).toHaveLength(1);
  scheduler.holdReport = null;
  answer();
  await eventually('the last table is told', () => scheduler.reports.at(-1)?.configRevision === 4);
  expect(scheduler.reports.map(({ revision }) => revision)).toEqual([1, 3]);
});

test.each([401, 404, 409])('a report that is answered %i makes it subscribe again', async (status) => {
  const scheduler = await useFakeScheduler(opening(1, 1));
  await useProxy({ schedulers: [scheduler.url] });
  await eventually('it reports', () => scheduler.reports.length > 0);
  scheduler.reportStatus = status;
  await eventually('it subscribes again', () => scheduler.subscriptions.length > 1);
});

test('a stream without heartbeats is given up', async () => {
  const scheduler = await useFakeScheduler(opening(1, 1, [], { heartbeatMs: 30, reportMs: 10_000 }));
  await useProxy({ schedulers: [scheduler.url] });
  await eventually('it subscribes again', () => scheduler.subscriptions.length > 1);
});

test('a heartbeat tells of a delta that was lost: it subscribes again with the digest of what it has, and goes on', async () => {
  const scheduler = await useFakeScheduler(opening(1, 5, [web(1)], { reportMs: 10_000 }));
  const proxy = await useProxy({ schedulers: [scheduler.url] });
  await eventually('its table', async () => (await tableOf(proxy)).revision === 5);
  scheduler.send({ type: 'heartbeat', epoch: 1, revision: 0 }, { type: 'heartbeat', epoch: 1, revision: 5 });
  scheduler.opening = [helloFrame({ session: 'again' }), { type: 'resume', epoch: 1, revision: 7 }];
  scheduler.send({ type: 'heartbeat', epoch: 1, revision: 6 });
  await eventually('it goes on', async () => (await tableOf(proxy)).revision === 7);
  const { digest, services } = await tableOf(proxy);
  expect(services.map(({ name }) => name)).toEqual(['web']);
  expect(scheduler.subscriptions).toHaveLength(2);
  expect(scheduler.subscriptions[0]).not.toHaveProperty('tableDigest');
  expect(scheduler.subscriptions[1]).toMatchObject({
    revision: 5,
    tableDigest: digest,
    accepts: ['resume', 'gzip', 'bound'],
  });
  expect(await figure(proxy, 'control/gaps')).toBe(1);
});

test('heartbeats keep a stream', async () => {
  const scheduler = await useFakeScheduler(opening(1, 1, [], { heartbeatMs: 200 }));
  await useProxy({ schedulers: [scheduler.url] });
  let beats = 0;
  await eventually(
    'ten heartbeats pass',
    () => {
      scheduler.send({ type: 'heartbeat', epoch: 1, revision: 1 });
      beats += 1;
      return beats >= 10;
    },
    5_000,
    100,
  );
  expect(scheduler.subscriptions).toHaveLength(1);
});

test('a scheduler of an older epoch is refused and counted, and the next in the list is asked', async () => {
  const leader = await useFakeScheduler(opening(5, 1, [web(1)]));
  const dataDir = await useTempDir();
  const first = await useProxy({ schedulers: [leader.url], dataDir });
  await eventually('it has the table', () => leader.reports.at(-1)?.ready);
  await first.close();

  const deposed = await useFakeScheduler(opening(4, 7, [web(2)]));
  leader.opening = opening(5, 2, [web(3)]);
  const second = await useProxy({ schedulers: [deposed.url, leader.url], dataDir });
  expect(await tableOf(second)).toMatchObject({ epoch: 5, revision: 1, ready: true });
  await eventually('it follows the leader', async () => (await tableOf(second)).revision === 2);
  expect(await figure(second, 'control/stale_frames')).toBe(1);
  expect(leader.reports.at(-1)?.staleFrames).toBe(1);
  expect(deposed.subscriptions[0]?.epoch).toBe(5);
});

test('a paused leader that wakes up changes nothing on a stream that it still has', async () => {
  const old = await useFakeScheduler(opening(1, 1, [web(1)]));
  const proxy = await useProxy({ schedulers: [old.url] });
  await eventually('it follows the old one', () => old.reports.at(-1)?.ready);
  const next = await useFakeScheduler(opening(2, 1, [web(2)]));
  const answer = await sendJson('POST', `${proxy.admin}/control/v1/announce`, { epoch: 2, schedulers: [next.url] });
  expect(answer.status).toBe(204);
  await eventually('it follows the new one', () => next.reports.at(-1)?.ready);
  await eventually('the old stream is closed', () => old.streams.size === 0);
  const late = await sendJson('POST', `${proxy.admin}/control/v1/announce`, { epoch: 1, schedulers: [old.url] });
  expect(late.status).toBe(409);
  expect(JSON.parse(late.body)).toMatchObject({ epoch: 2 });
});

test('it serves while the scheduler is away, and is back when that returns elsewhere and announces itself', async () => {
  const backend = await useBackend('alive');
  const before = await useFakeScheduler(opening(1, 1, [web(backend.port)]));
  const proxy = await useProxy({ schedulers: [before.url] });
  await eventually('it has the table', () => before.reports.at(-1)?.ready);
  await before.kill();
  expect(await send(`${proxy.outgoing}/`, { headers: { Host: 'web' } })).toMatchObject({ status: 200, body: 'alive' });
  const after = await useFakeScheduler(opening(2, 1, [web(backend.port)]));
  await sendJson('POST', `${proxy.admin}/control/v1/announce`, { epoch: 2, schedulers: [after.url] });
  await eventually('it reports to the new one', () => after.reports.at(-1)?.ready);
});

test('it is back by itself when the scheduler returns where it was', async () => {
  const before = await useFakeScheduler(opening(1, 1));
  await useProxy({ schedulers: ['http://127.0.0.1:1', before.url] });
  await eventually('it reports', () => before.reports.length > 0);
  await before.kill();
  const after = await useFakeScheduler(opening(2, 1), Number(new URL(before.url).port));
  await eventually('it reports again', () => after.reports.length > 0);
});

test('a stream that is not one of frames is given up, and the proxy goes on', async () => {
  const scheduler = await useFakeScheduler([helloFrame(), { type: 'nonsense' } as unknown as Frame]);
  const proxy = await useProxy({ schedulers: [scheduler.url] });
  await eventually('it tries again', () => scheduler.subscriptions.length > 2);
  expect((await send(`${proxy.admin}/admin/ping`)).body).toBe('pong');
});
