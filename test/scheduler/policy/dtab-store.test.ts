import { afterEach, describe, expect, test } from 'vitest';
import { DEFAULT_NAMESPACE, firstDtab } from '../../../agent-proxy/routing/table-names/namespace.ts';
import { StateStoreError, VersionConflict } from '../../../framework/index.ts';
import { DtabStore, type DtabWrite, isNamespaceName, isTooLarge } from '../../../scheduler/policy/dtab-store.ts';
import { MAX_HISTORY } from '../../../scheduler/policy/namespace-record.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { TroubledStore } from '../support/troubled-store.ts';

const opened: DtabStore[] = [];
afterEach(async () => {
  for (const dtabs of opened.splice(0)) await dtabs.close();
});

async function open(store = new TroubledStore()) {
  const conflicts: VersionConflict[] = [];
  const warnings: string[] = [];
  let at = 1_000;
  const dtabs = await DtabStore.open({
    store,
    now: () => (at += 1),
    conflict: (error) => void conflicts.push(error),
    logger: { warn: (_fields, message) => void warnings.push(message) },
  });
  opened.push(dtabs);
  const write = (name: string, text: string | null, rest: Partial<DtabWrite> = {}) =>
    dtabs.write(name, { text, condition: { kind: 'any' }, by: 'me', what: 'written', ...rest });
  return { store, dtabs, write, conflicts, warnings };
}

describe('a namespace', () => {
  test('default is there from the first start, and is not made again once it was deleted', async () => {
    const { store, dtabs, write } = await open();
    expect(dtabs.names()).toEqual(['default']);
    expect(dtabs.get('default')).toMatchObject({ version: 1, text: DEFAULT_NAMESPACE.dtab });
    await write('default', null);
    const again = await open(store);
    expect(again.dtabs.names()).toEqual([]);
    expect(again.dtabs.get('default')).toBeNull();
    // As the proxies, which have it built in.
    expect(again.dtabs.dtabOf('default').state).toMatchObject({ kind: 'ok', value: { length: 4 } });
    expect(again.dtabs.history('default').map(({ version, dtab }) => [version, dtab])).toEqual([
      [2, null],
      [1, DEFAULT_NAMESPACE.dtab],
    ]);
  });

  test('default says at first where the apps of several Marathons are', async () => {
    const store = new TroubledStore();
    const firstOf = async (marathons: string) => {
      const common = { now: Date.now, conflict: () => undefined, logger: { warn: () => undefined } };
      const dtabs = await DtabStore.open({ ...common, store, firstDtab: firstDtab(marathons) });
      opened.push(dtabs);
      return dtabs.get('default')?.text;
    };
    const two = '/eu => /#/eu ; /marathonId => /#/io.l5d.marathon';
    expect(await firstOf(two)).toMatch(`${two} ; /marathonId/mesos/marathon => `);
    // What is there is the operator's.
    expect(await firstOf('/other => /#/other')).toMatch(two);
  });

  test('counts its versions from 1, and goes on after it was deleted', async () => {
    const { dtabs, write } = await open();
    expect(await write('a', '/x => /y')).toEqual({ kind: 'written', from: null, version: 1 });
    expect(await write('a', '/x => /z')).toEqual({ kind: 'written', from: 1, version: 2 });
    expect(await write('a', null)).toEqual({ kind: 'written', from: 2, version: 3 });
    expect(dtabs.get('a')).toBeNull();
    expect(await write('a', '/x => /y', { condition: { kind: 'version', version: 1 } })).toEqual({ kind: 'missing' });
    expect(await write('a', '/x => /y')).toEqual({ kind: 'written', from: null, version: 4 });
  });

  test('is written only as it is expected to be', async () => {
    const { dtabs, write } = await open();
    await write('a', '/x => /y');
    expect(await write('a', '/n => /m', { condition: { kind: 'absent' } })).toEqual({ kind: 'exists' });
    expect(await write('b', '/n => /m', { condition: { kind: 'present' } })).toEqual({ kind: 'missing' });
    expect(await write('a', '/n => /m', { condition: { kind: 'version', version: 7 } })).toEqual({
      kind: 'stale',
      version: 1,
    });
    expect(await write('a', '/n => /m', { condition: { kind: 'version', version: null } })).toMatchObject({
      kind: 'stale',
    });
    expect(dtabs.get('a')?.text).toBe('/x => /y');
    expect(await write('a', '/n => /m', { condition: { kind: 'version', version: 1 } })).toMatchObject({ version: 2 });
  });

  test('takes two writes at once one after the other: the second one of a version finds another', async () => {
    const { write } = await open();
    await write('a', '/x => /y');
    const condition = { kind: 'version', version: 1 } as const;
    expect(await Promise.all([write('a', '/1 => /1', { condition }), write('a', '/2 => /2', { condition })])).toEqual([
      { kind: 'written', from: 1, version: 2 },
      { kind: 'stale', version: 2 },
    ]);
  });

  test('refuses a text that is no dtab, and a change that its check refuses', async () => {
    const { dtabs, write } = await open();
    await expect(write('a', '/x => ')).rejects.toThrow('expected but');
    await write('a', '/x => /y');
    const seen: unknown[] = [];
    const check = async (...dtabPair: unknown[]) => {
      seen.push(dtabPair);
      return ['/svc/web'];
    };
    expect(await write('a', null, { check })).toEqual({ kind: 'unbinds', names: ['/svc/web'] });
    expect(seen).toHaveLength(1);
    expect(dtabs.get('a')?.version).toBe(1);
  });

  test('keeps its text as it was written, and a bounded history', async () => {
    const { store, dtabs, write } = await open();
    const text = '# why\n/x => /y ;\n';
    await write('a', text);
    expect(dtabs.get('a')?.text).toBe(text);
    for (let n = 0; n < MAX_HISTORY + 5; n += 1) await write('a', `/x => /${n}`);
    expect(dtabs.history('a')).toHaveLength(MAX_HISTORY + 1);
    expect(dtabs.history('a')[0]).toMatchObject({ version: MAX_HISTORY + 6, dtab: `/x => /${MAX_HISTORY + 4}` });
    const large = `# ${'x'.repeat(40_000)}\n/x => /y`;
    for (let n = 0; n < 20; n += 1) await write('a', large);
    expect(JSON.stringify(store.values.get('dtabs/a')?.value).length).toBeLessThan(140_000);
    expect(dtabs.history('a')).toHaveLength(3);
    // Each newline takes two bytes: both versions are as large as can be.
    const largest = `${'\n'.repeat(49_000)}/x => /y`;
    for (let n = 0; n < 3; n += 1) await write('a', largest);
    expect(dtabs.history('a')).toHaveLength(2);
  });

  test('has a name that is a key of every store, and a size that every proxy takes', () => {
    expect(['default', 'a.b-c_D9'].every(isNamespaceName)).toBe(true);
    expect(['', '.a', 'a/b', 'a b', 'ä', 'x'.repeat(101)].some(isNamespaceName)).toBe(false);
    expect(isTooLarge('a', '/x => /y')).toBe(false);
    expect(isTooLarge('a', `# ${'x'.repeat(50_000)}\n/x => /y`)).toBe(true);
    // Escaped it is four times as long.
    expect(isTooLarge('a', `/x => /\\x00${'y'.repeat(20_000)}`)).toBe(true);
  });
});

describe('what is told', () => {
  test('comes after the store has it, to whoever listens and to whoever follows the dtab', async () => {
    const { store, dtabs, write } = await open();
    const told: string[] = [];
    dtabs.onChange((name) =>
      told.push(`${name} ${dtabs.get(name)?.version ?? 'gone'} ${store.values.has(`dtabs/${name}`)}`),
    );
    const activity = dtabs.dtabOf('a');
    const sizes: unknown[] = [];
    const stop = activity.observe(() => sizes.push(activity.state.kind === 'ok' && activity.state.value.length));
    await write('a', '/x => /y ; /z => /y');
    await write('b', '/x => /y');
    await write('a', null);
    expect(told).toEqual(['a 1 true', 'b 1 true', 'a gone true']);
    expect(sizes).toEqual([2, 0]);
    stop();
    await write('a', '/x => /y');
    expect(sizes).toHaveLength(2);
  });
});

describe('a store that fails', () => {
  test('takes no half of a write: nothing changes, and the next write is taken', async () => {
    const { store, dtabs, write } = await open();
    await write('a', '/x => /y');
    store.trouble = 'unreachable';
    await expect(write('a', '/x => /z')).rejects.toBeInstanceOf(StateStoreError);
    expect(dtabs.get('a')?.text).toBe('/x => /y');
    store.trouble = 'none';
    expect(await write('a', '/x => /z', { condition: { kind: 'version', version: 1 } })).toMatchObject({ version: 2 });
  });

  test('that loses its answer is read again, and what is there counts', async () => {
    const { store, dtabs, write } = await open();
    await write('a', '/x => /y');
    store.trouble = 'answer-lost';
    await expect(write('a', '/x => /z')).rejects.toBeInstanceOf(StateStoreError);
    expect(dtabs.get('a')?.text).toBe('/x => /y');
    store.trouble = 'none';
    await eventually('what the store has', () => dtabs.get('a')?.text === '/x => /z');
    expect(dtabs.get('a')?.version).toBe(2);
  });

  test('is read before the next write too', async () => {
    const { store, write } = await open();
    await write('a', '/x => /y');
    store.trouble = 'answer-lost';
    await expect(write('a', '/x => /z')).rejects.toThrow();
    store.trouble = 'none';
    expect(await write('a', '/x => /1', { condition: { kind: 'version', version: 1 } })).toEqual({
      kind: 'stale',
      version: 2,
    });
  });

  test('to which another scheduler writes is a conflict, which is told', async () => {
    const { store, write, conflicts } = await open();
    await write('a', '/x => /y');
    const other = store.values.get('dtabs/a');
    if (other !== undefined) store.values.set('dtabs/a', { ...other, version: 5_000 });
    await expect(write('a', '/x => /z')).rejects.toBeInstanceOf(VersionConflict);
    expect(conflicts).toHaveLength(1);
  });

  test('is told of a record that nobody can read', async () => {
    const store = new TroubledStore();
    store.values.set('dtabs/a', {
      version: 1,
      value: { version: 1, dtab: '/x =>', at: 0, by: '', what: '', history: [] },
    });
    await expect(open(store)).rejects.toThrow('state key dtabs/a');
  });
});
