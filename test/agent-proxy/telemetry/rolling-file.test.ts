import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RollingFile, type RollingFileOptions } from '../../../agent-proxy/telemetry/rolling-file.ts';
import { eventually } from '../../fixtures/eventually.ts';

const NOON = Date.UTC(2026, 10, 25, 12);
const DAY_MS = 24 * 3_600_000;

let folder = '';
let now = NOON;
let errors: Error[] = [];
let open: RollingFile[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rolling-'));
  now = NOON;
  errors = [];
});

afterEach(async () => {
  for (const file of open) await file.close();
  open = [];
  rmSync(folder, { recursive: true });
});

function rolling(options: Partial<RollingFileOptions> = {}): RollingFile {
  const file = new RollingFile({
    path: join(folder, 'access.log'),
    policy: { kind: 'never' },
    append: true,
    rolls: true,
    rotateCount: -1,
    wallClock: () => now,
    onError: (error) => errors.push(error),
    ...options,
  });
  open.push(file);
  return file;
}

function contents(): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'latin1')]));
}

it('writes lines by itself, a little later', async () => {
  const file = rolling();
  file.append('one');
  file.append('t\xf6');
  await eventually('both lines', () => contents()['access.log'] === 'one\nt\xf6\n');
});

it('makes the folder where it is missing', async () => {
  const file = rolling({ path: join(folder, 'logs', 'a.log') });
  file.append('one');
  await file.flush();
  expect(readFileSync(join(folder, 'logs', 'a.log'), 'utf8')).toBe('one\n');
});

it('goes on with a file that is there, or empties it', async () => {
  writeFileSync(join(folder, 'access.log'), 'old\n');
  const appending = rolling();
  appending.append('new');
  await appending.flush();
  expect(contents()).toEqual({ 'access.log': 'old\nnew\n' });
  const emptying = rolling({ append: false });
  emptying.append('a');
  await emptying.flush();
  emptying.append('b');
  await emptying.flush();
  expect(contents()).toEqual({ 'access.log': 'a\nb\n' });
});

it('drops and counts what the queue cannot take', async () => {
  const file = rolling({ queueLimit: 10 });
  file.append('12345678');
  file.append('too much');
  file.append('1');
  expect(file.dropped).toBe(1);
  await file.flush();
  expect(contents()).toEqual({ 'access.log': '12345678\n1\n' });
});

it('rolls when the day is over', async () => {
  const file = rolling({ policy: { kind: 'daily' } });
  file.append('first');
  await file.flush();
  now += DAY_MS;
  file.append('second');
  await file.flush();
  expect(contents()).toEqual({ 'access-20261125.log': 'first\n', 'access.log': 'second\n' });
});

it('rolls a file that an earlier process left yesterday', async () => {
  writeFileSync(join(folder, 'access.log'), 'old\n');
  utimesSync(join(folder, 'access.log'), NOON / 1000, (NOON - DAY_MS) / 1000);
  const file = rolling({ policy: { kind: 'daily' } });
  file.append('new');
  await file.flush();
  expect(contents()).toEqual({ 'access-20261124.log': 'old\n', 'access.log': 'new\n' });
});

it('rolls when it is large, and keeps as many as it may', async () => {
  const file = rolling({ policy: { kind: 'size', bytes: 3 }, rotateCount: 2 });
  for (const line of ['aaa', 'bbb', 'ccc', 'ddd']) {
    file.append(line);
    await file.flush();
    now += 1000;
  }
  expect(contents()).toEqual({
    'access-20261125-120001.log': 'bbb\n',
    'access-20261125-120002.log': 'ccc\n',
    'access.log': 'ddd\n',
  });
});

it('overwrites no rolled file of the same second', async () => {
  const file = rolling({ policy: { kind: 'size', bytes: 1 } });
  for (const line of ['a', 'b', 'c']) {
    file.append(line);
    await file.flush();
  }
  expect(contents()).toEqual({
    'access-20261125-120000.log': 'a\n',
    'access-20261125-120000-1.log': 'b\n',
    'access.log': 'c\n',
  });
});

it('removes nothing that it did not roll', async () => {
  writeFileSync(join(folder, 'access-notes.log'), 'mine\n');
  const file = rolling({ policy: { kind: 'size', bytes: 1 }, rotateCount: 0 });
  for (const line of ['a', 'b']) {
    file.append(line);
    await file.flush();
  }
  expect(contents()).toEqual({ 'access-notes.log': 'mine\n', 'access.log': 'b\n' });
});

it('goes on in the new file when another process has moved its own', async () => {
  const file = rolling();
  file.append('before');
  await file.flush();
  renameSync(join(folder, 'access.log'), join(folder, 'moved.log'));
  file.append('after');
  await file.flush();
  renameSync(join(folder, 'access.log'), join(folder, 'moved-too.log'));
  writeFileSync(join(folder, 'access.log'), 'theirs\n');
  file.append('last');
  await file.flush();
  expect(contents()).toEqual({
    'moved.log': 'before\n',
    'moved-too.log': 'after\n',
    'access.log': 'theirs\nlast\n',
  });
});

it('leaves the rolling to the worker that rolls', async () => {
  const file = rolling({ policy: { kind: 'size', bytes: 1 }, rolls: false });
  for (const line of ['a', 'b']) {
    file.append(line);
    await file.flush();
  }
  expect(contents()).toEqual({ 'access.log': 'a\nb\n' });
});

it('counts what could not be written, complains once, and writes again when it can', async () => {
  writeFileSync(join(folder, 'logs'), 'a file in the way');
  const file = rolling({ path: join(folder, 'logs', 'a.log') });
  for (const line of ['lost', 'lost too']) {
    file.append(line);
    await file.flush();
  }
  expect(file.dropped).toBe(2);
  expect(errors).toHaveLength(1);
  rmSync(join(folder, 'logs'));
  file.append('found');
  await file.flush();
  expect(readFileSync(join(folder, 'logs', 'a.log'), 'utf8')).toBe('found\n');
});
