/** The scheduler's archive, made of a built checkout in miniature, unpacked, and started with nothing of the host. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packageScheduler } from '../../dcos-package/build/package-scheduler.mjs';
import { type BuiltCheckout, builtCheckout, smallRuntime } from '../fixtures/built-checkout.ts';

let checkout: BuiltCheckout;
beforeAll(async () => {
  checkout = await builtCheckout();
});
afterAll(() => checkout.remove());

function pack(out: string) {
  return packageScheduler(checkout.root, {
    out: join(checkout.root, out),
    runtime: smallRuntime(),
    manifests: [join(checkout.root, 'proxy.json')],
  });
}

it('has the command with all that it loads, the dashboard, the licences, and nothing else', async () => {
  const { file } = await pack('one');
  expect(file).toBe(join(checkout.root, 'one', 'nodemesh-scheduler-4.5.6-linux-x64.tar.gz'));
  const names = execFileSync('tar', ['-tzf', file]).toString().trim().split('\n');
  expect(names).toEqual(
    [
      'bin/nodemesh',
      ...['LICENSE', 'LICENSE.dependencies', 'LICENSE.nodejs'],
      ...['lib/demo.mjs', 'lib/nodemesh.mjs', 'lib/part-ABC.mjs', 'lib/proxy.mjs'],
      ...['lib/dashboard/app.css', 'lib/dashboard/app.js', 'lib/dashboard/index.html'],
      ...['lib/package/proxy.json', 'bin/node'],
    ].map((name) => `nodemesh-scheduler/${name}`),
  );
});

it('is the same bytes whenever it is packed', async () => {
  const [one, two] = [await pack('two'), await pack('three')];
  expect(readFileSync(two.file).equals(readFileSync(one.file))).toBe(true);
  expect(two).toMatchObject({ sha256: one.sha256, size: readFileSync(one.file).length });
});

it('starts from anywhere with an empty PATH, and hands its words on', async () => {
  const { file } = await pack('four');
  mkdirSync(join(checkout.root, 'un packed'));
  execFileSync('tar', ['-xzf', file, '-C', join(checkout.root, 'un packed')]);
  const command = join(checkout.root, 'un packed', 'nodemesh-scheduler', 'bin', 'nodemesh');
  const { stdout, stderr } = spawnSync(command, ['scheduler', '--name', 'a b'], { cwd: '/', env: { PATH: '' } });
  expect(stderr.toString()).toBe('');
  expect(JSON.parse(stdout.toString())[0]).toEqual(['scheduler', '--name', 'a b']);
});

it('tells the licences of what is bundled, and of nothing else', async () => {
  const { file } = await pack('five');
  const notices = execFileSync('tar', ['-xzOf', file, 'nodemesh-scheduler/LICENSE.dependencies']).toString();
  expect(notices).toContain('@scope/used 1.0.0 (MIT)\n\nPermission is hereby granted\n');
  expect(notices).not.toContain('unused');
});
