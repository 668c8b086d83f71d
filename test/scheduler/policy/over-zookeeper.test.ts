/** Namespaces, and revisions of the configuration, in a real ZooKeeper, whose link fails. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openZooKeeperStore, StateStoreError } from '../../../framework/index.ts';
import { DtabStore, type DtabWrite } from '../../../scheduler/policy/dtab-store.ts';
import { KeptState } from '../../../scheduler/policy/kept-state.ts';
import { ConfigRevisions } from '../../../scheduler/policy/revisions.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { startTcpLink } from '../../fixtures/tcp-link.ts';
import { type Ensemble, startZooKeeper } from '../../fixtures/zookeeper.ts';
import { openTestSession } from '../../framework/zookeeper/open.ts';

let zookeeper: Ensemble;
beforeAll(async () => {
  zookeeper = await startZooKeeper();
});
afterAll(() => zookeeper.stop());

async function open(root: string, address: string) {
  const session = await openTestSession(address, { operationMs: 1_000 });
  const store = await openZooKeeperStore(session, root);
  const dtabs = await DtabStore.open({
    store,
    now: Date.now,
    conflict: (error) => expect.unreachable(error.message),
    logger: { warn: () => undefined },
  });
  onTestFinished(() => dtabs.close());
  const write = (text: string, condition: DtabWrite['condition'] = { kind: 'any' }) =>
    dtabs.write('a', { text, condition, by: 'me', what: 'written' });
  return { dtabs, write };
}

test('a write without ZooKeeper fails and is not half done; what is there afterwards is what a next scheduler reads', async () => {
  const root = `/test/${randomUUID()}`;
  const link = await startTcpLink(zookeeper.servers[0]?.port ?? 0);
  onTestFinished(() => link.close());
  const { dtabs, write } = await open(root, `127.0.0.1:${link.port}`);
  expect(await write('/x => /1')).toMatchObject({ version: 1 });
  link.freeze();
  await expect(write('/x => /2')).rejects.toBeInstanceOf(StateStoreError);
  expect(dtabs.get('a')).toMatchObject({ version: 1, text: '/x => /1' });
  link.mend();
  link.cut();
  // Whether it had arrived is ZooKeeper's to say; from there on versions go on one by one.
  const outcome = await eventually('a write is taken again', () => write('/x => /3').catch(() => null));
  const now = dtabs.get('a');
  expect(outcome).toMatchObject({ kind: 'written', version: now?.version });
  expect([2, 3]).toContain(now?.version);
  const next = await open(root, zookeeper.address);
  expect(next.dtabs.get('a')).toMatchObject({ version: now?.version, text: '/x => /3' });
  expect(next.dtabs.history('a')).toEqual(dtabs.history('a'));
  expect(next.dtabs.names()).toEqual(['a', 'default']);
});

test('a hundred versions of a large namespace fit', async () => {
  const { dtabs, write } = await open(`/test/${randomUUID()}`, zookeeper.address);
  const long = `# ${'x'.repeat(12_000)}\n`;
  for (let n = 1; n <= 100; n += 1) expect(await write(`${long}/x => /${n}`)).toMatchObject({ version: n });
  expect(dtabs.history('a').length).toBeGreaterThan(8);
});

test('two hundred revisions of a large configuration fit beside the records of ten thousand nodes', async () => {
  const root = `/test/${randomUUID()}`;
  const opened = async () =>
    await openZooKeeperStore(await openTestSession(zookeeper.address, { operationMs: 10_000 }), root);
  const store = await opened();
  for (let from = 0; from < 10_000; from += 500) {
    await Promise.all(
      Array.from({ length: 500 }, (_, at) =>
        store.put(`agents/00000000-0000-0000-0000-000000000000-S${from + at}`, { note: 'x'.repeat(600) }, null),
      ),
    );
  }
  const revisions = new ConfigRevisions(new KeptState(store));
  await revisions.load(0);
  for (let n = 0; n < 250; n += 1) {
    const note = 'x'.repeat(12_000);
    const common = { at: n, author: 'me', note, from: null, rollbackOf: null, document: { telemetry: [] } };
    const { revision } = await revisions.add(common);
    await revisions.mark(revision, 'completed', null);
    await revisions.forgetOldest(new Set([revision]));
  }
  const next = await opened();
  expect(await next.list('agents')).toHaveLength(10_000);
  const kept = new ConfigRevisions(new KeptState(next));
  await kept.load(0);
  expect(kept.all()).toEqual(revisions.all());
  expect(kept.all().map(({ revision }) => revision)).toEqual(Array.from({ length: 200 }, (_, at) => 251 - at));
});
