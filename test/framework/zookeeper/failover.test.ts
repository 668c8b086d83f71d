/**
 * All together, as a scheduler uses it: session, election, store. Two of them count up in the store of an ensemble of
 * three servers, which fail one by one and all at once; nothing that was said to be written may be lost.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  elect,
  openZooKeeper,
  openZooKeeperStore,
  parseConnectString,
  StateStoreError,
  VersionConflict,
  ZooKeeperError,
} from '../../../framework/index.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { type Ensemble, startEnsemble } from '../../fixtures/zookeeper.ts';
import { openTestSession } from './open.ts';

const ROOT = '/dcos-service-nodemesh';
const TIMEOUT_MS = 2000;

let zookeeper: Ensemble;
beforeAll(async () => {
  zookeeper = await startEnsemble(3);
}, 60_000);
afterAll(() => zookeeper.stop());

interface Counting {
  /** The last number that the store has taken, by whichever scheduler. */
  acknowledged: number;
  readonly frameworkIds: Set<unknown>;
  /** Numbers that a leader read when it began, with the last one acknowledged by then. */
  readonly begun: { readonly read: number; readonly acknowledged: number }[];
  stopping: boolean;
}

/** One term: stands in line, and counts as long as it leads. */
async function serve(name: string, counting: Counting): Promise<void> {
  const session = await openZooKeeper(parseConnectString(`zk://${zookeeper.address}`), { timeoutMs: TIMEOUT_MS });
  const election = elect({ session, path: `${ROOT}/lock`, data: name });
  const stop = setInterval(() => counting.stopping && void election.resign(), 20);
  try {
    const lease = await election.elected;
    const store = await openZooKeeperStore(session, ROOT);
    const id = await store.get('framework');
    if (id === null) await store.put('framework', `id of ${name}`, null);
    counting.frameworkIds.add(id?.value ?? `id of ${name}`);
    const found = await store.get('count');
    let count = Number(found?.value ?? 0);
    let version = found?.version ?? null;
    counting.begun.push({ read: count, acknowledged: counting.acknowledged });
    while (lease.isValid()) {
      version = await store.put('count', count + 1, version);
      count += 1;
      counting.acknowledged = count;
    }
  } catch (error) {
    // What a scheduler must be able to live with, and nothing else: a conflict would mean that two led at once.
    if (error instanceof VersionConflict) throw error;
    if (!(error instanceof StateStoreError || error instanceof ZooKeeperError)) throw error;
  } finally {
    clearInterval(stop);
    await session.close();
  }
}

it('no write is lost and nobody leads beside another, whichever servers fail', async () => {
  const counting: Counting = { acknowledged: 0, frameworkIds: new Set(), begun: [], stopping: false };
  const schedulers = ['one', 'two'].map(async (name) => {
    while (!counting.stopping) await serve(name, counting);
  });
  const countsOn = async (): Promise<void> => {
    const from = counting.acknowledged;
    await eventually('it counts on', () => counting.acknowledged > from + 10, 20_000);
  };
  await countsOn();

  const follower = await zookeeper.follower();
  await follower.kill();
  await countsOn();
  follower.start();
  await follower.answering();

  const leader = await zookeeper.leader();
  await leader.kill();
  await countsOn();
  leader.start();
  await leader.answering();

  // Its connections stay open, and nothing answers.
  const silent = await zookeeper.leader();
  silent.pause();
  await countsOn();
  silent.resume();

  await Promise.all(zookeeper.servers.map((server) => server.kill()));
  for (const server of zookeeper.servers) server.start();
  await Promise.all(zookeeper.servers.map((server) => server.answering()));
  await countsOn();

  counting.stopping = true;
  await Promise.all(schedulers);
  expect([...counting.frameworkIds]).toHaveLength(1);
  // One more may be there than was said to be.
  for (const { read, acknowledged } of counting.begun) {
    expect(read).toBeGreaterThanOrEqual(acknowledged);
    expect(read).toBeLessThanOrEqual(acknowledged + 1);
  }
}, 90_000);

it('a session goes on at another server when its own is killed', async () => {
  const [follower, leader] = [await zookeeper.follower(), await zookeeper.leader()];
  // In this order, since nothing is drawn.
  const address = `${follower.address},${leader.address}`;
  const session = await openTestSession(address, { timeoutMs: 4000, random: () => 0 });
  const id = session.id;
  const node = await session.create('/story', Buffer.from('0'), 'ephemeral-sequential');
  let told = 0;
  await session.getData(node, () => {
    told += 1;
  });
  await follower.kill();
  expect((await session.getData(node)).stat.ephemeralOwner).toBe(session.credentials.sessionId);
  expect([session.id, told]).toEqual([id, 1]);
  await session.setData(node, Buffer.from('1'), 0);
  follower.start();
  await follower.answering();
}, 60_000);
