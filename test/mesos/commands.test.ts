/** Commands of other people: what they leave behind, and what they write. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from './commands.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nodemesh-commands-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const run = (command: string) =>
  runCommand({ directory, say: () => undefined }, command, { ip: '127.0.0.2', port: '5' });

test('names are filled in, everywhere', async () => {
  await run(`echo "{ip}:{port} {ip} {else}" > ${directory}/said`);
  expect(readFileSync(join(directory, 'said'), 'utf8')).toBe('127.0.0.2:5 127.0.0.2 {else}\n');
});

test('one that leaves a process behind, with its output open, has ended when its shell has', async () => {
  const begun = performance.now();
  await run(`sleep 20 & echo $! > ${directory}/pid`);
  const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
  expect(process.kill(pid, 'SIGKILL')).toBe(true);
  expect(performance.now() - begun).toBeLessThan(10_000);
});

test('one that fails says how, and its last words', async () => {
  await expect(run('echo no such agent {ip} >&2; exit 3')).rejects.toThrow(/exit code 3.*no such agent 127\.0\.0\.2/);
});

test('one that its own deed has killed has not failed', async () => {
  await run('kill -9 $$');
});
