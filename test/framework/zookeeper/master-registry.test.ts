/** The leading master by a real ZooKeeper, with nodes such as masters make. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type MasterSource, parseConnectString, zooKeeperMasters } from '../../../framework/index.ts';
import type { Session } from '../../../framework/zookeeper/session.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { startTcpLink, type TcpLink } from '../../fixtures/tcp-link.ts';
import { type Ensemble, startZooKeeper } from '../../fixtures/zookeeper.ts';
import { openTestSession } from './open.ts';

let zookeeper: Ensemble;
beforeAll(async () => {
  zookeeper = await startZooKeeper();
});
afterAll(() => zookeeper.stop());

/** Beyond what a busy machine may hold a process up. */
const PATIENT = { timeoutMs: 4_000, openMs: 20_000 };
/** Where the test waits for a session to be lost. */
const HASTY = { timeoutMs: 1_500, openMs: 1_000 };

interface Detection {
  readonly path: string;
  readonly link: TcpLink;
  readonly masters: MasterSource;
  readonly seen: string[];
  readonly log: string[];
}

async function detect(times = PATIENT): Promise<Detection> {
  const link = await startTcpLink(zookeeper.servers[0]?.port ?? 0);
  onTestFinished(() => link.close());
  const path = `/mesos-${randomUUID()}`;
  const log: string[] = [];
  const write = (_: object, message: string): void => void log.push(message);
  const where = parseConnectString(`zk://127.0.0.1:${link.port}${path}`);
  const masters = zooKeeperMasters(where, {
    ...times,
    logger: { debug: write, info: write },
  });
  onTestFinished(() => masters.close());
  const seen: string[] = [];
  masters.watch(() => seen.push(masters.current().join(',')));
  return { path, link, masters, seen, log };
}

/** A master, as long as its session is. */
async function startMaster(path: string, ip: string): Promise<Session> {
  const session = await openTestSession(zookeeper.address);
  if ((await session.exists(path)) === null) await session.create(path, Buffer.alloc(0));
  const info = JSON.stringify({ address: { hostname: ip, ip, port: 5050 }, ip: 16_777_343, pid: `master@${ip}:5050` });
  await session.create(`${path}/json.info_`, Buffer.from(info), 'ephemeral-sequential');
  return session;
}

it('follows the masters from before the first of them, through their comings and goings', async () => {
  const { path, seen } = await detect();
  const first = await startMaster(path, '10.0.0.1');
  await eventually('the first leads', () => seen.length === 1);
  const second = await startMaster(path, '10.0.0.2');
  await first.create(`${path}/log_replicas`, Buffer.alloc(0));
  await first.close();
  await eventually('the second leads', () => seen.length === 2);
  await second.close();
  await eventually('none leads', () => seen.length === 3);
  expect(seen).toEqual(['http://10.0.0.1:5050', 'http://10.0.0.2:5050', '']);
});

it('keeps the leader while ZooKeeper is away, and finds the next one over a new session', async () => {
  const { path, link, masters, seen, log } = await detect(HASTY);
  const first = await startMaster(path, '10.0.0.1');
  await eventually('the first leads', () => seen.length === 1);
  const sessions = (): number => log.filter((message) => message === 'connected to ZooKeeper').length;
  expect(sessions()).toBe(1);

  link.freeze();
  await eventually('the session is lost, and none can be had', () => log.includes('who leads cannot be told now'));
  expect(masters.current()).toEqual(['http://10.0.0.1:5050']);
  await first.close();
  await startMaster(path, '10.0.0.2');
  link.mend();
  link.cut();
  await eventually('the second leads', () => seen.length === 2);
  expect(seen).toEqual(['http://10.0.0.1:5050', 'http://10.0.0.2:5050']);
});

it('can be closed while it still looks for a server', async () => {
  const { link, masters } = await detect();
  link.freeze();
  const begun = performance.now();
  await masters.close();
  expect(performance.now() - begun).toBeLessThan(5_000);
});
