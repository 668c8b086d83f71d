import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type LastSnapshot, loadSnapshot, SnapshotFile } from '../../../agent-proxy/control/last-snapshot.ts';
import { endpoint } from '../../fixtures/control-stream.ts';
import { useTempDir } from '../../fixtures/proxy.ts';

const FILE = 'last-snapshot.jsonl';

function snapshotOf(count: number): LastSnapshot {
  return {
    epoch: 3,
    revision: 12,
    peerKey: 'a-key-that-is-secret',
    schedulers: ['http://10.0.0.1:4180'],
    services: Array.from({ length: count }, (_, index) => ({
      name: `service-${index}`,
      endpoints: [endpoint({ service: `service-${index}`, instance: `i-${index}`, port: 1 })],
    })),
    agents: [{ agentId: 'a', address: '10.0.0.2', incomingPort: 4141, ready: true }],
    documents: [{ kind: 'dtab', name: 'default', version: '1', dtab: '/svc => /#/io.l5d.marathon' }],
    filled: [],
  };
}

async function save(directory: string, snapshot: LastSnapshot): Promise<void> {
  const file = new SnapshotFile(directory, () => snapshot);
  file.touch();
  await file.flush();
  expect(file.failures).toBe(0);
}

test('what was written is what is loaded, and only its owner may read it', async () => {
  const directory = join(await useTempDir(), 'state');
  await save(directory, snapshotOf(1_000));
  expect(loadSnapshot(directory)).toMatchObject({ snapshot: snapshotOf(1_000), why: null });
  expect(statSync(join(directory, FILE)).mode & 0o777).toBe(0o600);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
});

test('a service of many endpoints is written in many lines and loaded as one', async () => {
  const directory = join(await useTempDir(), 'state');
  const endpoints = Array.from({ length: 2_000 }, (_, index) =>
    endpoint({ service: 'web', instance: `web.${index}`, port: 1 + index }),
  );
  const snapshot = {
    ...snapshotOf(3),
    services: [
      { name: 'web', endpoints },
      { name: 'none', endpoints: [] },
    ],
  };
  await save(directory, snapshot);
  expect(loadSnapshot(directory)).toMatchObject({ snapshot, why: null });
  for (const line of readFileSync(join(directory, FILE), 'utf8').split('\n'))
    expect(line.length).toBeLessThan(64 * 1024);
});

test('an empty directory is no snapshot and no problem', async () => {
  expect(loadSnapshot(await useTempDir())).toMatchObject({ snapshot: null, why: null });
});

test.each([
  ['torn', (text: string) => text.slice(0, text.length / 2)],
  ['altered', (text: string) => text.replace('"revision":12', '"revision":13')],
  ['emptied', () => ''],
  ['replaced', () => 'something else\n'],
])('a file that was %s is not believed', async (_how, damage) => {
  const directory = await useTempDir();
  await save(directory, snapshotOf(10));
  const path = join(directory, FILE);
  writeFileSync(path, damage(readFileSync(path, 'utf8')));
  const loaded = loadSnapshot(directory);
  expect(loaded.snapshot).toBeNull();
  expect(loaded.why).not.toBeNull();
});

test('a disk that cannot be written is counted and not thrown', async () => {
  const directory = await useTempDir();
  const file = new SnapshotFile(directory, () => {
    return snapshotOf(1);
  });
  const path = join(directory, `${FILE}.${process.pid}.new`);
  mkdirSync(path);
  file.touch();
  await file.flush();
  expect(file.failures).toBe(1);
});

test('what a worker left that died while it wrote is removed, and what another one is writing is not', async () => {
  const directory = await useTempDir();
  const nobody = spawnSync('true').pid;
  writeFileSync(join(directory, `${FILE}.${nobody}.new`), 'half');
  writeFileSync(join(directory, `${FILE}.${process.ppid}.new`), 'half');
  const file = new SnapshotFile(directory, () => snapshotOf(1));
  await file.flush();
  expect(readdirSync(directory)).toEqual([`${FILE}.${process.ppid}.new`]);
});
