/** What `nodemesh proxy` says of a configuration, and the exit code with which it does. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTempDir } from '../../fixtures/proxy.ts';
import { bundleProxy, type ProxyBundle } from '../../fixtures/proxy-bundle.ts';
import { useTask } from './task.ts';

let bundle: ProxyBundle;

beforeAll(async () => {
  bundle = await bundleProxy();
});
afterAll(() => bundle.remove());

async function useConfig(text: string): Promise<string> {
  const file = join(await useTempDir(), 'linkerd.yaml');
  await writeFile(file, text);
  return file;
}

const FAULTY = 'routers:\n- protocol: http\n  dtap: ""\n  servers: [{port: 4140}, {port: 99999}]\n';

test.each([[[]], [['--validate']]])('faults are one line each, and exit code 1 (%j)', async (options) => {
  const file = await useConfig(FAULTY);
  const task = useTask([bundle.file, ...options, file]);
  expect(await task.exited).toBe(1);
  expect(task.stderr().trimEnd().split('\n')).toEqual([
    `${file}: routers[0].servers[1].port: is not a whole number from 0 to 65535`,
    `${file}: routers[0].dtap: unknown key; did you mean 'dtab'?`,
  ]);
});

test('a file that is not there is one line, and exit code 1', async () => {
  const task = useTask([bundle.file, '/nonexistent.yaml']);
  expect(await task.exited).toBe(1);
  expect(task.stderr()).toMatch(/^\/nonexistent\.yaml: .*cannot be read.*\n$/);
});

test('--validate says that a configuration is valid, and warns of what has no effect', async () => {
  const file = await useConfig('routers: [{protocol: http}]\nusage: {enabled: true}\n');
  const task = useTask([bundle.file, '--validate', file]);
  expect(await task.exited).toBe(0);
  expect(task.stdout()).toBe(`${file} is valid\n`);
  expect(task.stderr()).toBe(`${file}: usage: has no effect: nodemesh reports nothing to anybody\n`);
});

test('--validate reads standard input too', async () => {
  const task = useTask([bundle.file, '--validate', '-'], { stdin: '{"routers": [{"protocol": "http"}]}' });
  expect(await task.exited).toBe(0);
  expect(task.stdout()).toBe('standard input is valid\n');
});

test('bad usage is one line, and exit code 2', async () => {
  const task = useTask([bundle.file, '--nope']);
  expect(await task.exited).toBe(2);
  expect(task.stderr()).toMatch(/^nodemesh: .*--nope.*\n$/);
});
