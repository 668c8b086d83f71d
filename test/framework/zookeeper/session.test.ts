/** Sessions with real servers, through links that fail. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import zookeeperClient from 'node-zookeeper-client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ZooKeeperError } from '../../../framework/zookeeper/errors.ts';
import type { Session } from '../../../framework/zookeeper/session.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { startTcpLink, type TcpLink } from '../../fixtures/tcp-link.ts';
import { type Ensemble, startZooKeeper } from '../../fixtures/zookeeper.ts';
import { openTestSession } from './open.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

function endOf(session: Session): { error: ZooKeeperError | null; at: number } {
  const end: { error: ZooKeeperError | null; at: number } = { error: null, at: 0 };
  session.onEnd((error) => {
    end.error = error;
    end.at = performance.now();
  });
  return end;
}

describe('a session with one server', () => {
  let zookeeper: Ensemble;
  beforeAll(async () => {
    zookeeper = await startZooKeeper();
  });
  afterAll(() => zookeeper.stop());

  async function linked(): Promise<{ link: TcpLink; session: Session }> {
    const [server] = zookeeper.servers;
    const link = await startTcpLink(server?.port ?? 0);
    onTestFinished(() => link.close());
    return { link, session: await openTestSession(`127.0.0.1:${link.port}`) };
  }
  const name = (): string => `/${randomUUID()}`;

  it('makes, reads, writes, lists and deletes nodes', async () => {
    const session = await openTestSession(zookeeper.address);
    const path = name();
    expect(await session.exists(path)).toBeNull();
    expect(await session.create(path, bytes('one'))).toBe(path);
    const first = await session.getData(path);
    expect(first.data.toString()).toBe('one');
    expect(first.stat).toMatchObject({ version: 0, ephemeralOwner: 0n, dataLength: 3 });

    const second = await session.setData(path, bytes('zwei'), 0);
    expect(second).toMatchObject({ version: 1, czxid: first.stat.czxid, dataLength: 4 });
    expect(second.mzxid).toBeGreaterThan(first.stat.mzxid);
    await session.create(`${path}/ä`, Buffer.alloc(0));
    const numbered = await session.create(`${path}/n-`, Buffer.alloc(0), 'ephemeral-sequential');
    expect(numbered).toBe(`${path}/n-0000000001`);
    expect((await session.getChildren(path)).sort()).toEqual(['n-0000000001', 'ä']);
    await session.sync(path);

    await session.delete(numbered, 0);
    await session.delete(`${path}/ä`, -1);
    await session.delete(path, 1);
    expect(await session.exists(path)).toBeNull();
  });

  it('gives each refusal one meaning', async () => {
    const session = await openTestSession(zookeeper.address);
    const path = name();
    await expect(session.getData(path)).rejects.toMatchObject({ kind: 'no-node' });
    await expect(session.getChildren(path)).rejects.toMatchObject({ kind: 'no-node' });
    await session.create(path, bytes('x'));
    await expect(session.create(path, bytes('x'))).rejects.toMatchObject({ kind: 'node-exists' });
    await expect(session.setData(path, bytes('y'), 7)).rejects.toMatchObject({ kind: 'version-conflict' });
    await expect(session.delete(path, 7)).rejects.toMatchObject({ kind: 'version-conflict' });
    await session.create(`${path}/child`, bytes('x'));
    await expect(session.delete(path, 0)).rejects.toMatchObject({ kind: 'not-empty' });
    await expect(session.create('no-slash', bytes('x'))).rejects.toMatchObject({ kind: 'refused' });
    expect(session.ended).toBeNull();
  });

  it('keeps nodes for whoever knows the password, when the URL has one', async () => {
    const ours = await openTestSession(`nodemesh:se:cret@${zookeeper.address}`);
    const path = name();
    await ours.create(path, bytes('x'));
    const theirs = await openTestSession(zookeeper.address);
    await expect(theirs.getData(path)).rejects.toMatchObject({ kind: 'no-auth' });
    await expect(theirs.setData(path, bytes('y'), 0)).rejects.toThrow('check user and password');
    const again = await openTestSession(`nodemesh:se:cret@${zookeeper.address}`);
    expect((await again.getData(path)).data.toString()).toBe('x');
  });

  it('and another client read what each other wrote', async () => {
    const ours = await openTestSession(`nodemesh:secret@${zookeeper.address}`);
    const path = name();
    await ours.create(path, bytes('ours ä'));
    const theirs = zookeeperClient.createClient(zookeeper.address, { sessionTimeout: 2000 });
    onTestFinished(() => theirs.close());
    theirs.addAuthInfo('digest', bytes('nodemesh:secret'));
    const connected = once(theirs, 'connected');
    theirs.connect();
    await connected;
    const read = await new Promise<string>((resolve, reject) => {
      theirs.getData(path, (error, data) => (error ? reject(error) : resolve(data.toString())));
    });
    expect(read).toBe('ours ä');
    await new Promise<void>((resolve, reject) => {
      theirs.setData(path, bytes('theirs'), 0, (error) => (error ? reject(error) : resolve()));
    });
    await ours.sync(path);
    expect(await ours.getData(path)).toMatchObject({ data: bytes('theirs'), stat: { version: 1 } });
  });

  it('tells watchers once', async () => {
    const session = await openTestSession(zookeeper.address);
    const other = await openTestSession(zookeeper.address);
    const path = name();
    const heard: string[] = [];
    await session.exists(path, () => heard.push('node'));
    await other.create(path, bytes('x'));
    await eventually('the node is heard of', () => heard.length === 1);
    await session.getChildren(path, () => heard.push('children'));
    await session.getData(path, () => heard.push('data'));
    await other.create(`${path}/a`, bytes('x'));
    await other.setData(path, bytes('y'), 0);
    await eventually('both are heard of', () => heard.length === 3);
    await other.delete(`${path}/a`, 0);
    await other.setData(path, bytes('z'), 1);
    await session.sync(path);
    expect(heard).toEqual(['node', 'children', 'data']);
  });

  it('lives on for its timeout and longer with nothing to do', async () => {
    const session = await openTestSession(zookeeper.address, { timeoutMs: 600 });
    const begun = performance.now();
    await eventually('three timeouts are over', () => session.ended !== null || performance.now() > begun + 1800);
    expect(session.ended).toBeNull();
    expect(session.clock.safeUntil).toBeGreaterThan(performance.now());
  });

  it('goes on over a new connection after a cut, and watchers are told to look again', async () => {
    const { link, session } = await linked();
    const id = session.id;
    const path = name();
    const made = await session.create(path, bytes('x'), 'ephemeral-sequential');
    const told: string[] = [];
    await session.exists(path, () => told.push('look'));
    link.cut();
    expect(await session.exists(made)).toMatchObject({ version: 0 });
    expect(session.id).toBe(id);
    expect(link.connections).toBe(2);
    expect(told).toEqual(['look']);
  });

  it('leaves a link that has gone silent within two thirds of the timeout, and repeats what it was asked', async () => {
    const { link, session } = await linked();
    const path = name();
    await session.create(path, bytes('x'));
    link.freeze();
    const asked = performance.now();
    const reading = session.getData(path);
    await eventually('the dead connection is given up', () => link.connections > 1);
    expect(performance.now() - asked).toBeLessThan(2000 * (2 / 3) + 300);
    link.mend();
    link.cut();
    expect((await reading).data.toString()).toBe('x');
    expect(session.ended).toBeNull();
  });

  it('rejects a write whose answer was lost: it may have been carried out', async () => {
    const { link, session } = await linked();
    const path = name();
    link.swallowAnswers();
    const writing = session.create(path, bytes('x'));
    const other = await openTestSession(zookeeper.address);
    await eventually('it was carried out', async () => (await other.exists(path)) !== null);
    link.mend();
    link.cut();
    await expect(writing).rejects.toMatchObject({ kind: 'connection-loss' });
    expect((await session.getData(path)).data.toString()).toBe('x');
  });

  it('never sends what it could not send in time', async () => {
    const [server] = zookeeper.servers;
    const link = await startTcpLink(server?.port ?? 0);
    onTestFinished(() => link.close());
    const session = await openTestSession(`127.0.0.1:${link.port}`, { operationMs: 150 });
    const path = name();
    link.freeze();
    link.cut();
    await eventually('it tries again', () => link.connections > 1);
    await expect(session.create(path, bytes('x'))).rejects.toMatchObject({ kind: 'unreachable' });
    link.mend();
    link.cut();
    await eventually('it is connected again', async () => (await session.exists('/')) !== null);
    expect(await session.exists(path)).toBeNull();
  });

  it('is lost by its own clock before a server ends it', async () => {
    const { link, session } = await linked();
    const path = await session.create(name(), bytes('x'), 'ephemeral-sequential');
    const other = await openTestSession(zookeeper.address);
    let goneAt = 0;
    await other.exists(path, () => {
      goneAt = performance.now();
    });
    const end = endOf(session);
    const safeUntil = (): number => session.clock.safeUntil;
    link.freeze();
    const reading = session.exists('/').catch((error: unknown) => error);
    await eventually('a server ends the session', () => goneAt > 0);
    expect(end.error).toMatchObject({ kind: 'session-lost' });
    expect(end.at).toBeLessThan(goneAt);
    expect(end.at).toBeGreaterThanOrEqual(safeUntil());
    expect(await reading).toMatchObject({ kind: 'session-lost' });
    await expect(session.exists('/')).rejects.toMatchObject({ kind: 'session-lost' });
  });

  it('is lost when a server says so', async () => {
    const session = await openTestSession(zookeeper.address);
    const end = endOf(session);
    await zookeeper.expireSession(session.credentials);
    await eventually('it is lost', () => end.error !== null);
    expect(end.error).toMatchObject({ kind: 'session-lost' });
    await expect(session.create(name(), bytes('x'))).rejects.toThrow('expired');
  });

  it('ends its ephemeral nodes at once when it is closed', async () => {
    const session = await openTestSession(zookeeper.address);
    const path = await session.create(name(), bytes('x'), 'ephemeral-sequential');
    const other = await openTestSession(zookeeper.address);
    await session.close();
    await other.sync('/');
    expect(await other.exists(path)).toBeNull();
    await expect(session.exists('/')).rejects.toMatchObject({ kind: 'closed' });
  });

  it('says whom it could not reach', async () => {
    const { link } = await linked();
    link.freeze();
    const opening = openTestSession(`127.0.0.1:${link.port},localhost:1`, { openMs: 700 });
    await expect(opening).rejects.toThrow(
      /no ZooKeeper server of 127.0.0.1:\d+,localhost:1 could be reached within 0.7 s/,
    );
  });
});
