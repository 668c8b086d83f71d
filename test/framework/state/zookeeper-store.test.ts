/** The state store in ZooKeeper, with a real server and links that fail. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type StateStore, StateStoreError, VersionConflict } from '../../../framework/state/state-store.ts';
import { openZooKeeperStore } from '../../../framework/state/zookeeper-store.ts';
import type { Session } from '../../../framework/zookeeper/session.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { startTcpLink, type TcpLink } from '../../fixtures/tcp-link.ts';
import { type Ensemble, startZooKeeper } from '../../fixtures/zookeeper.ts';
import { openTestSession } from '../zookeeper/open.ts';

let zookeeper: Ensemble;
beforeAll(async () => {
  zookeeper = await startZooKeeper();
});
afterAll(() => zookeeper.stop());

interface Opened {
  readonly root: string;
  readonly session: Session;
  readonly store: StateStore;
}

async function open(root = `/test/${randomUUID()}`, address = zookeeper.address): Promise<Opened> {
  const session = await openTestSession(address);
  return { root, session, store: await openZooKeeperStore(session, root) };
}

async function openLinked(options: { operationMs?: number } = {}): Promise<Opened & { link: TcpLink }> {
  const link = await startTcpLink(zookeeper.servers[0]?.port ?? 0);
  onTestFinished(() => link.close());
  const root = `/test/${randomUUID()}`;
  const session = await openTestSession(`127.0.0.1:${link.port}`, options);
  return { root, session, link, store: await openZooKeeperStore(session, root) };
}

describe('the store', () => {
  it('keeps what was put, under versions that grow', async () => {
    const { root, store } = await open();
    expect(await store.get('framework')).toBeNull();
    const first = await store.put('framework', { id: 'one' }, null);
    expect(await store.get('framework')).toEqual({ value: { id: 'one' }, version: first });
    const second = await store.put('framework', { id: 'zwei', when: null }, first);
    expect(second).toBeGreaterThan(first);
    const again = await open(root);
    expect(await again.store.get('framework')).toEqual({ value: { id: 'zwei', when: null }, version: second });
    await again.store.delete('framework', second);
    expect(await store.get('framework')).toBeNull();
  });

  it('lists the keys below a prefix, and a key may have others below it', async () => {
    const { store } = await open();
    expect(await store.list('agents')).toEqual([]);
    await store.put('agents/b', 1, null);
    const a = await store.put('agents/a', 1, null);
    await store.put('agents/c/deep', 1, null);
    expect(await store.list('agents')).toEqual(['agents/a', 'agents/b']);
    expect(await store.list('agents/c')).toEqual(['agents/c/deep']);
    expect(await store.get('agents/c')).toBeNull();
    const c = await store.put('agents/c', 2, null);
    expect(await store.list('agents')).toEqual(['agents/a', 'agents/b', 'agents/c']);
    await store.delete('agents/a', a);
    await store.delete('agents/c', c);
    expect(await store.list('agents')).toEqual(['agents/b']);
    expect((await store.get('agents/c/deep'))?.value).toBe(1);
    await store.put('agents/c', 3, null);
  });

  it('lets one of two writers win', async () => {
    const ours = await open();
    const theirs = await open(ours.root);
    const first = await ours.store.put('key', 'ours', null);
    await expect(theirs.store.put('key', 'theirs', null)).rejects.toThrow(VersionConflict);
    const read = await theirs.store.get('key');
    const second = await theirs.store.put('key', 'theirs', read?.version ?? 0);
    await expect(ours.store.put('key', 'ours again', first)).rejects.toThrow(
      `state key key has version ${second}, not ${first}`,
    );
    await expect(ours.store.delete('key', first)).rejects.toThrow(VersionConflict);
    // Without having read it, by its version alone.
    const third = await open(ours.root);
    await expect(third.store.put('key', 'third', first)).rejects.toThrow(VersionConflict);
    await third.store.put('key', 'third', second);
    expect((await ours.store.get('key'))?.value).toBe('third');
  });

  it('takes a key that was made again for another one, however often it was written', async () => {
    const ours = await open();
    const theirs = await open(ours.root);
    const first = await ours.store.put('key', 'ours', null);
    await theirs.store.get('key');
    await theirs.store.delete('key', first);
    await expect(ours.store.put('key', 'gone', first)).rejects.toThrow('version none');
    const other = await ours.store.put('key', 'ours', null);
    expect(other).toBeGreaterThan(first);

    // The same count of writes as when it was read: ZooKeeper itself sees no difference.
    const held = await theirs.store.get('key');
    await ours.store.delete('key', other);
    await ours.store.put('key', 'made again', null);
    await expect(theirs.store.put('key', 'theirs', held?.version ?? 0)).rejects.toThrow(VersionConflict);
  });

  it('writes many keys side by side', async () => {
    const { store } = await open();
    const keys = Array.from({ length: 200 }, (_, index) => `agents/${String(index).padStart(3, '0')}`);
    const versions = await Promise.all(keys.map((key) => store.put(key, { key }, null)));
    expect(new Set(versions).size).toBe(200);
    expect(await store.list('agents')).toEqual(keys);
  });

  it('refuses a value that is too large, and keys that are none', async () => {
    const { store } = await open();
    const large = 'x'.repeat(512 * 1024);
    await expect(store.put('big', large, null)).rejects.toThrow(/state key big has 524\d+ bytes.*several keys/);
    expect(await store.get('big')).toBeNull();
    await store.put('big', large.slice(200), null);
    expect((await store.get('big'))?.value).toBe(large.slice(200));
    for (const key of ['', '/a', 'a/', 'a//b', '..', 'ä', '.a']) {
      await expect(store.get(key)).rejects.toThrow('is no key of a state store');
    }
  });

  it('says when a node is damaged or belongs to somebody else', async () => {
    const { root, session, store } = await open();
    await session.create(`${root}/framework`, Buffer.from('not ours'));
    await expect(store.get('framework')).rejects.toThrow(`the node ${root}/framework in ZooKeeper is damaged`);

    const secret = `/${randomUUID()}`;
    await open(secret, `nodemesh:secret@${zookeeper.address}`);
    await expect(open(secret)).rejects.toThrow(/cannot open the state store at .*check user and password/);
    const { store: own } = await open(secret, `nodemesh:secret@${zookeeper.address}`);
    await own.put('key', 1, null);
    const stranger = await openTestSession(zookeeper.address);
    await expect(stranger.getData(`${secret}/key`)).rejects.toMatchObject({ kind: 'no-auth' });
    await expect(openZooKeeperStore(stranger, `${secret}/below`)).rejects.toThrow(
      /cannot open.*check user and password/,
    );
  });

  it('is closed for good, and leaves the session to its caller', async () => {
    const { session, store } = await open();
    await store.close();
    await expect(store.get('key')).rejects.toThrow(StateStoreError);
    expect(await session.exists('/')).not.toBeNull();
  });
});

describe('a store whose connection fails', () => {
  it('waits for another connection, and goes on', async () => {
    const { link, store } = await openLinked();
    link.cut();
    const version = await store.put('key', 1, null);
    link.cut();
    expect(await store.get('key')).toEqual({ value: 1, version });
  });

  it.each(['make', 'change', 'delete'] as const)('recognises its own write whose answer was lost: %s', async (what) => {
    const { link, root, store } = await openLinked();
    const other = await open(root);
    const before = what === 'make' ? null : await store.put('key', 'before', null);
    link.swallowAnswers();
    const write = what === 'delete' ? store.delete('key', before ?? 0) : store.put('key', 'after', before);
    const found = await eventually('it was carried out', async () => {
      const now = await other.store.get('key');
      return what === 'delete' ? now === null && 'gone' : now?.value === 'after' && now;
    });
    link.mend();
    link.cut();
    if (what === 'delete') expect(await write).toBeUndefined();
    else expect(await write).toBe(found === 'gone' ? 0 : found.version);
    // And it can go on from there.
    const version = found === 'gone' ? null : found.version;
    await store.put('key', 'further', version);
  });

  it('writes again what never arrived', async () => {
    const { link, session, store } = await openLinked();
    const before = await store.put('key', 'before', null);
    link.freeze();
    const writing = store.put('key', 'after', before);
    await eventually('the dead connection is given up', () => link.connections > 1);
    link.mend();
    link.cut();
    const version = await writing;
    expect(version).toBeGreaterThan(before);
    expect(await store.get('key')).toEqual({ value: 'after', version });
    expect(session.ended).toBeNull();
  });

  it('ends in a conflict when somebody else wrote meanwhile', async () => {
    const { link, root, store } = await openLinked();
    const other = await open(root);
    const before = await store.put('key', 'before', null);
    link.freeze();
    const writing = store.put('key', 'ours', before);
    await other.store.get('key');
    await other.store.put('key', 'theirs', before);
    link.mend();
    link.cut();
    await expect(writing).rejects.toThrow(VersionConflict);
  });

  it('F8: says what to do when no server can be reached for too long, or the session is lost', async () => {
    const { link, store } = await openLinked({ operationMs: 200 });
    link.freeze();
    link.cut();
    const impatient = store.get('key');
    await expect(impatient).rejects.toThrow(StateStoreError);
    await expect(impatient).rejects.toThrow(/cannot read .*no ZooKeeper server of .*see whether they run/);
    await eventually('the session is lost', async () => {
      const error = await store.get('key').catch((failure: unknown) => failure);
      return (
        error instanceof StateStoreError && /the ZooKeeper session was lost.*start this one again/.test(error.message)
      );
    });
  });

  it('is told at once that the session is lost, also what is under way', async () => {
    const { link, session, store } = await openLinked();
    link.freeze();
    const writing = store.put('key', 1, null);
    await zookeeper.expireSession(session.credentials);
    link.mend();
    link.cut();
    await expect(writing).rejects.toThrow(/the ZooKeeper session was lost: the server says that it has expired/);
    await expect(store.get('key')).rejects.toThrow(StateStoreError);
  });
});
