/** Which goals a scheduler can launch: those of its archives now, and those that an earlier one of its starts had. */
import { expect, test } from 'vitest';
import { sha256Of } from '../../../agent-proxy/control/code-archive.ts';
import { openFileStore, type StateStore } from '../../../framework/index.ts';
import type { Artifact, ProxyArchive } from '../../../scheduler/proxy/artifacts.ts';
import type { ProxyPlan } from '../../../scheduler/proxy/goal.ts';
import { loadGoals } from '../../../scheduler/proxy/goals.ts';
import { useTempDir } from '../../fixtures/proxy.ts';
import { fakeArchive, PLAN } from './fake-archive.ts';

const BIGGER: ProxyPlan = { ...PLAN, mem: 512 };

const ONE = fakeArchive('1');
const TWO = fakeArchive('2');

/** Archives at hand. Only of those in `codes` there is the code. */
function at(archives: [ProxyArchive, ...ProxyArchive[]], codes: Readonly<Record<string, Buffer>> = {}) {
  const lent = new Map<string, Buffer>();
  const find = (path: string): Artifact | undefined => {
    const bytes = codes[path];
    return bytes === undefined ? undefined : { size: bytes.length, read: () => bytes };
  };
  return { archives, at: find, lent, lend: (path: string, bytes: Buffer) => void lent.set(path, bytes) };
}

async function withStore<T>(work: (store: StateStore) => Promise<T>): Promise<T> {
  const store = await openFileStore(await useTempDir());
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

test('the first archive is what proxies are to be; each can be launched', () =>
  withStore(async (store) => {
    const goals = await loadGoals(store, at([TWO, ONE]), PLAN);
    expect(goals.wanted.version).toBe('2');
    expect(goals.find(goals.wanted)).toEqual({ archive: TWO, plan: PLAN });
    const other = goals.ofCode(ONE.manifest.code.sha256, goals.wanted.id);
    expect(other === null ? null : goals.find(other)).toEqual({ archive: ONE, plan: PLAN });
  }));

test('a goal of before is launched with the task that it had, as long as its archive is at hand', () =>
  withStore(async (store) => {
    const before = (await loadGoals(store, at([ONE]), PLAN)).wanted;
    const now = await loadGoals(store, at([TWO, ONE]), BIGGER);
    expect(now.wanted.relaunchKey).not.toBe(before.relaunchKey);
    expect(now.find(before)).toEqual({ archive: ONE, plan: PLAN });
    const later = await loadGoals(store, at([TWO]), BIGGER);
    expect(later.find(before)).toBeNull();
    expect((await loadGoals(store, at([TWO, ONE]), BIGGER)).find(before)).toEqual({
      archive: ONE,
      plan: PLAN,
    });
  }));

test('code tells the goal together with the task that it runs in', () =>
  withStore(async (store) => {
    const small = (await loadGoals(store, at([ONE]), PLAN)).wanted;
    const goals = await loadGoals(store, at([ONE]), BIGGER);
    const code = ONE.manifest.code.sha256;
    expect(goals.ofCode(code, small.id)?.id).toBe(small.id);
    expect(goals.ofCode(code, goals.wanted.id)?.id).toBe(goals.wanted.id);
    expect(goals.ofCode('f'.repeat(64), small.id)).toBeNull();
    expect(goals.ofCode(code, 'nobody knows')).toBeNull();
  }));

test('the code of before is kept, and makes a task together with an archive that has the same Node.js', () =>
  withStore(async (store) => {
    const code = Buffer.from('code of 1');
    const before = (await loadGoals(store, at([ONE], { [ONE.code.path]: code }), PLAN)).wanted;
    const artifacts = at([TWO]);
    const found = (await loadGoals(store, artifacts, PLAN)).find(before);
    expect(found?.archive.manifest).toMatchObject({ version: '1', code: ONE.manifest.code });
    // Without a Node.js in it an archive is its code.
    const { path, sha256 } = found?.archive.code ?? { path: '', sha256: '' };
    expect([found?.archive.path, found?.archive.manifest.sha256]).toEqual([path, sha256Of(code)]);
    expect(artifacts.lent.get(path)).toEqual(code);
    expect(sha256).toBe(sha256Of(code));
  }));

test('with a Node.js it is laid over the archive that has it; with another one it does not come back', () =>
  withStore(async (store) => {
    const withNode = (archive: ProxyArchive, digest: string): ProxyArchive => ({
      ...archive,
      manifest: { ...archive.manifest, runtime: { node: '20', sha256: digest } },
    });
    const one = withNode(ONE, 'same');
    const before = (await loadGoals(store, at([one], { [one.code.path]: Buffer.from('1') }), PLAN)).wanted;
    const same = withNode(TWO, 'same');
    expect((await loadGoals(store, at([same]), PLAN)).find(before)?.archive).toMatchObject({
      ...{ path: same.path, isLaidOver: true },
      manifest: { sha256: same.manifest.sha256, version: '1' },
    });
    expect((await loadGoals(store, at([withNode(TWO, 'other')]), PLAN)).find(before)).toBeNull();
  }));

test('the code of six versions is kept, and none that no ZooKeeper would take', () =>
  withStore(async (store) => {
    for (const version of ['1', '2', '3', '4', '6', '7', '8']) {
      const archive = fakeArchive(version);
      await loadGoals(store, at([archive], { [archive.code.path]: Buffer.from(version) }), PLAN);
    }
    expect(await store.list('scheduler/code')).toHaveLength(6);
    const large = fakeArchive('5');
    await loadGoals(store, at([large], { [large.code.path]: Buffer.alloc(800_000) }), PLAN);
    expect(await store.list('scheduler/code')).toHaveLength(6);
  }));
