import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFileStore, type StateStore, StateStoreError, VersionConflict } from '../../../framework/index.ts';

let home: string;
let directory: string;
const open: StateStore[] = [];

async function openStore(): Promise<StateStore> {
  const store = await openFileStore(directory);
  open.push(store);
  return store;
}

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'file-store-'));
  directory = join(home, 'state');
});

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  await rm(home, { recursive: true });
});

/** What a failure says: one line, no more. */
async function sentence(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StateStoreError);
  const { message } = error as Error;
  expect(message).not.toContain('\n');
  return message;
}

describe('a key', () => {
  test('has a version that grows, and is there again after a restart', async () => {
    const store = await openStore();
    expect(await store.get('agents/S1')).toBeNull();
    expect(await store.put('agents/S1', { a: 1 }, null)).toBe(1);
    expect(await store.put('agents/S1', { a: 2 }, 1)).toBe(2);
    await store.close();
    expect(await (await openStore()).get('agents/S1')).toEqual({ value: { a: 2 }, version: 2 });
  });

  test('is written only by who read its last version', async () => {
    const store = await openStore();
    await store.put('k', 1, null);
    await expect(store.put('k', 2, null)).rejects.toThrow(VersionConflict);
    await expect(store.put('k', 2, 7)).rejects.toThrow(/version 1, not 7/);
    await expect(store.delete('k', 7)).rejects.toThrow(VersionConflict);
    await expect(store.put('other', 2, 1)).rejects.toThrow(/version none, not 1/);
    expect(await store.get('k')).toEqual({ value: 1, version: 1 });
    await store.delete('k', 1);
    expect(await store.get('k')).toBeNull();
  });

  test('of two writes at once only one wins', async () => {
    const store = await openStore();
    await store.put('k', 0, null);
    const results = await Promise.allSettled([store.put('k', 1, 1), store.put('k', 2, 1)]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected']);
    expect((await store.get('k'))?.value).toBe(1);
  });

  test('is listed below its prefix, and nothing else is', async () => {
    const store = await openStore();
    for (const key of ['agents/b', 'agents/a', 'agents/deep/c', 'framework']) await store.put(key, {}, null);
    expect(await store.list('agents')).toEqual(['agents/a', 'agents/b']);
    expect(await store.list('nothing')).toEqual([]);
  });

  test.each(['', '/a', 'a/', 'a//b', '../x', 'a/../b', '.lock', 'a b', 'a/.tmp'])('%j is none', async (key) => {
    const store = await openStore();
    expect(() => store.get(key)).toThrow(StateStoreError);
  });
});

describe('a crash', () => {
  test('in the middle of a write leaves the old value, and its rubbish is swept away', async () => {
    const store = await openStore();
    await store.put('agents/S1', 'old', null);
    await store.close();
    await writeFile(join(directory, 'agents', '.tmp-1'), '{"version":2,"val');
    const again = await openStore();
    expect((await again.get('agents/S1'))?.value).toBe('old');
    expect(await readdir(join(directory, 'agents'))).toEqual(['S1.json']);
  });

  test('with kill -9 at any moment loses nothing that was said to be written', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.split('\n').length > 60) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const last = Number(said.trim().split('\n').at(-1));
    const found = await (await openStore()).get('counter');
    expect(found?.value).toBeGreaterThanOrEqual(last);
    expect(found?.value).toBeLessThanOrEqual(last + 1);
  });
});

/** Strips its types with esbuild, since Node.js 20 cannot; then counts up for ever. */
const WRITER = `
  import { build } from 'esbuild';
  import { writeFileSync } from 'node:fs';
  const { outputFiles } = await build({ entryPoints: ['framework/state/file-store.ts'], bundle: true, write: false, platform: 'node', format: 'esm' });
  const { openFileStore } = await import('data:text/javascript;base64,' + Buffer.from(outputFiles[0].text).toString('base64'));
  const store = await openFileStore(process.argv[1]);
  for (let count = 1, version = null; ; count += 1) {
    version = await store.put('counter', count, version);
    process.stdout.write(count + '\\n');
  }
`;

describe('the lock', () => {
  test('refuses a second scheduler with one clear line', async () => {
    await openStore();
    expect(await sentence(openFileStore(directory))).toMatch(
      new RegExp(`${directory} is in use by process ${process.pid}; only one scheduler may use it`),
    );
  });

  test('refuses it also while the other one is another process', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(await sentence(openFileStore(directory))).toContain(`in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'close');
    await openStore();
  });

  test('of a dead process is taken over, and so is one whose pid is used again', async () => {
    await mkdir(directory);
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'close');
    for (const lock of [
      { pid: dead.pid, started: null, token: 'x' },
      { pid: process.pid, started: 'another boot/1', token: 'x' },
    ]) {
      await writeFile(join(directory, '.lock-9'), JSON.stringify(lock));
      const store = await openStore();
      await store.close();
    }
  });

  test('that is damaged counts as none', async () => {
    await mkdir(directory);
    await writeFile(join(directory, '.lock-1'), '');
    await openStore();
  });

  test('is given back by close, and leaves no rubbish', async () => {
    const store = await openStore();
    await store.close();
    expect(await readdir(directory)).toEqual(['.lock-1']);
    await (await openStore()).close();
    expect(await readdir(directory)).toEqual(['.lock-2']);
    expect(() => store.get('k')).toThrow(/closed/);
  });

  test('is held by one of many that try at once to take over a stale one', async () => {
    await mkdir(directory);
    await writeFile(
      join(directory, '.lock-1'),
      JSON.stringify({ pid: process.pid, started: 'another boot/1', token: 'x' }),
    );
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => openStore()));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a directory that cannot be used', () => {
  test('because a file is in its place says so', async () => {
    await writeFile(directory, '');
    expect(await sentence(openFileStore(directory))).toMatch(/cannot be used: a file is in the place of a directory/);
    expect(await sentence(openFileStore(join(directory, 'below')))).toMatch(/a file is in the place/);
  });

  test.skipIf(process.getuid?.() === 0)('because it is not writable says so', async () => {
    await mkdir(directory);
    await chmod(directory, 0o500);
    expect(await sentence(openFileStore(directory))).toMatch(/no permission/);
  });

  test('because it cannot be made says so', async () => {
    expect(await sentence(openFileStore('/proc/nowhere/state'))).toMatch(
      /state directory \/proc\/nowhere\/state cannot be used/,
    );
  });

  test.each([
    ['empty', '', /it is empty/],
    ['cut short', '{"version":1,"val', /not the JSON/],
    ['something else', '{"hello":1}', /not the JSON/],
  ])('because a file is %s names that file, and gives the lock back', async (_name, content, message) => {
    const store = await openStore();
    await store.put('agents/S1', {}, null);
    await store.close();
    await writeFile(join(directory, 'agents', 'S1.json'), content);
    const said = await sentence(openFileStore(directory));
    expect(said).toMatch(message);
    expect(said).toContain(join(directory, 'agents', 'S1.json'));
    expect((await readdir(directory)).filter((name) => !name.startsWith('.lock'))).toEqual(['agents']);
    await writeFile(join(directory, 'agents', 'S1.json'), '{"version":1,"value":1}');
    await openStore();
  });
});

test('what is on the disk is JSON that a person can read', async () => {
  const store = await openStore();
  await store.put('framework', { frameworkId: 'f-1' }, null);
  expect(JSON.parse(await readFile(join(directory, 'framework.json'), 'utf8'))).toEqual({
    version: 1,
    value: { frameworkId: 'f-1' },
  });
});
