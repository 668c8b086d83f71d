/** What stands in the way of services while packages are installed, and what is left of it afterwards. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withoutServices } from './without-services.mjs';

let directory = '';
let policy = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nodemesh-policy-'));
  policy = join(directory, 'policy-rc.d');
});
afterEach(() => rmSync(directory, { recursive: true }));

it('services are refused meanwhile, and allowed again afterwards', async () => {
  const answer = await withoutServices(async () => spawnSync(policy, ['nginx', 'start']).status, policy);
  expect(answer).toBe(101);
  expect(existsSync(policy)).toBe(false);
});

it('they are allowed again after a failure too', async () => {
  const failing = withoutServices(() => Promise.reject(new Error('no network')), policy);
  await expect(failing).rejects.toThrow('no network');
  expect(existsSync(policy)).toBe(false);
});

it("the machine's own policy stays as it is", async () => {
  writeFileSync(policy, '#!/bin/sh\nexit 0\n', { mode: 0o700 });
  await withoutServices(async () => undefined, policy);
  expect(readFileSync(policy, 'utf8')).toBe('#!/bin/sh\nexit 0\n');
  expect(statSync(policy).mode & 0o777).toBe(0o700);
});

it('what a killed set-up left is removed by the next one', async () => {
  const left = await withoutServices(async () => readFileSync(policy), policy);
  writeFileSync(policy, left);
  await withoutServices(async () => undefined, policy);
  expect(existsSync(policy)).toBe(false);
});
