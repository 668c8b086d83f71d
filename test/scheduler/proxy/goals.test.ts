/** Which goals a scheduler can launch: those of its archives now, and those that an earlier one of its starts had. */
import { expect, test } from 'vitest';
import { openFileStore, type StateStore } from '../../../framework/index.ts';
import type { ProxyPlan } from '../../../scheduler/proxy/goal.ts';
import { loadGoals } from '../../../scheduler/proxy/goals.ts';
import { useTempDir } from '../../fixtures/proxy.ts';
import { fakeArchive, PLAN } from './fake-archive.ts';

const BIGGER: ProxyPlan = { ...PLAN, mem: 512 };

const ONE = fakeArchive('1');
const TWO = fakeArchive('2');

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
    const goals = await loadGoals(store, { archives: [TWO, ONE] }, PLAN);
    expect(goals.wanted.version).toBe('2');
    expect(goals.find(goals.wanted)).toEqual({ archive: TWO, plan: PLAN });
    const other = goals.ofCode(ONE.manifest.code.sha256, goals.wanted.id);
    expect(other === null ? null : goals.find(other)).toEqual({ archive: ONE, plan: PLAN });
  }));

test('a goal of before is launched with the task that it had, as long as its archive is at hand', () =>
  withStore(async (store) => {
    const before = (await loadGoals(store, { archives: [ONE] }, PLAN)).wanted;
    const now = await loadGoals(store, { archives: [TWO, ONE] }, BIGGER);
    expect(now.wanted.relaunchKey).not.toBe(before.relaunchKey);
    expect(now.find(before)).toEqual({ archive: ONE, plan: PLAN });
    const later = await loadGoals(store, { archives: [TWO] }, BIGGER);
    expect(later.find(before)).toBeNull();
    expect((await loadGoals(store, { archives: [TWO, ONE] }, BIGGER)).find(before)).toEqual({
      archive: ONE,
      plan: PLAN,
    });
  }));

test('code tells the goal together with the task that it runs in', () =>
  withStore(async (store) => {
    const small = (await loadGoals(store, { archives: [ONE] }, PLAN)).wanted;
    const goals = await loadGoals(store, { archives: [ONE] }, BIGGER);
    const code = ONE.manifest.code.sha256;
    expect(goals.ofCode(code, small.id)?.id).toBe(small.id);
    expect(goals.ofCode(code, goals.wanted.id)?.id).toBe(goals.wanted.id);
    expect(goals.ofCode('f'.repeat(64), small.id)).toBeNull();
    expect(goals.ofCode(code, 'nobody knows')).toBeNull();
  }));
