/**
 * The set-up that every npm script begins with, on a checkout in miniature: what is up to date is left alone, what
 * changed is made again, and nothing half done is ever taken for done.
 */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../dcos-package/build/child.mjs';
import { setUp } from '../../dcos-package/build/set-up.mjs';

const LOCKFILE = {
  name: 'miniature',
  version: '4.5.6',
  lockfileVersion: 3,
  requires: true,
  packages: { '': { name: 'miniature', version: '4.5.6' } },
};

const CHECKOUT: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ name: 'miniature', version: '4.5.6', type: 'module' }),
  'package-lock.json': JSON.stringify(LOCKFILE),
  'nodemesh.ts': [
    "const part = await import('./scheduler/main.ts');",
    "part.main(process.env['NODEMESH_VERSION'] ?? 'unknown');",
    '',
  ].join('\n'),
  'scheduler/main.ts':
    'export const main = (version: string): boolean => process.stdout.write(`version ${version}`);\n',
  'agent-proxy/standalone.ts': 'export function aTellingName(): number {\n  return 1;\n}\naTellingName();\n',
  'scheduler/proxy/archive.ts': "export const HOST_NODE = 'host-node';\n",
  'local-cluster/demo/app.ts': "process.stdout.write('demo');\n",
  'scheduler/dashboard/build.mjs': [
    "import { mkdir, writeFile } from 'node:fs/promises';",
    'export async function buildDashboard({ outdir, version }) {',
    '  await mkdir(outdir, { recursive: true });',
    '  await writeFile(`${outdir}/index.html`, version);',
    '  return {};',
    '}',
    '',
  ].join('\n'),
};

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nodemesh-set-up-'));
  for (const [file, text] of Object.entries(CHECKOUT)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const UP_TO_DATE = { dependencies: 'up to date', build: 'up to date' };

describe('the set-up', () => {
  it('installs and builds a fresh checkout, and does neither a second time', async () => {
    expect(await setUp({ root, build: true })).toEqual({ dependencies: 'installed', build: 'built' });
    expect(await setUp({ root, build: true })).toEqual(UP_TO_DATE);
    expect(await setUp({ root, build: false })).toEqual({ dependencies: 'up to date', build: 'not wanted' });
  });

  it('builds a command that runs, knows its version and can be called by its name', async () => {
    await setUp({ root, build: true });
    const command = join(root, 'dist/nodemesh.mjs');
    expect((await run(command, [], { cwd: root, output: 'collect' })).output).toBe('version 4.5.6');
    expect((await stat(command)).mode & 0o111).toBe(0o111);
    expect((await run(join(root, 'dist/demo.mjs'), [], { cwd: root, output: 'collect' })).output).toBe('demo');
    expect(await readFile(join(root, 'dist/dashboard/index.html'), 'utf8')).toBe('4.5.6');
    expect(await readFile(join(root, 'dist/proxy.mjs'), 'utf8')).toContain('aTellingName');
    expect(await readFile(join(root, 'dist/nodemesh.mjs.map'), 'utf8')).toContain('"../nodemesh.ts"');
  });

  it('builds again when a source changed, and leaves no file of the build before', async () => {
    await setUp({ root, build: true });
    await writeFile(join(root, 'dist/stale.mjs'), '');
    await appendFile(join(root, 'scheduler/main.ts'), 'export const more = 1;\n');
    expect(await setUp({ root, build: true })).toEqual({ dependencies: 'up to date', build: 'built' });
    expect(existsSync(join(root, 'dist/stale.mjs'))).toBe(false);
  });

  it('installs and builds again when the lockfile changed', async () => {
    await setUp({ root, build: true });
    await appendFile(join(root, 'package-lock.json'), '\n');
    expect(await setUp({ root, build: true })).toEqual({ dependencies: 'installed', build: 'built' });
  });

  it('builds again when a built file is gone', async () => {
    await setUp({ root, build: true });
    await rm(join(root, 'dist/proxy.mjs'));
    expect((await setUp({ root, build: true })).build).toBe('built');
    expect(existsSync(join(root, 'dist/proxy.mjs'))).toBe(true);
  });

  it('builds over what an interrupted build left', async () => {
    await mkdir(join(root, '.dist-building'));
    await writeFile(join(root, '.dist-building/half.mjs'), '');
    await setUp({ root, build: true });
    expect(existsSync(join(root, 'dist/half.mjs'))).toBe(false);
    expect(existsSync(join(root, '.dist-building'))).toBe(false);
  });

  it('names what is missing or broken in the sources, and keeps the build before', async () => {
    await setUp({ root, build: true });
    await writeFile(join(root, 'scheduler/main.ts'), 'export const main = ;\n');
    await expect(setUp({ root, build: true })).rejects.toThrow(/do not build:\n {2}scheduler\/main\.ts:1: /);
    await rm(join(root, 'agent-proxy/standalone.ts'));
    await expect(setUp({ root, build: true })).rejects.toThrow('agent-proxy/standalone.ts is missing');
    expect(existsSync(join(root, 'dist/nodemesh.mjs'))).toBe(true);
    await writeFile(join(root, 'agent-proxy/standalone.ts'), CHECKOUT['agent-proxy/standalone.ts'] ?? '');
    await writeFile(join(root, 'scheduler/main.ts'), CHECKOUT['scheduler/main.ts'] ?? '');
    expect(await setUp({ root, build: true })).toEqual(UP_TO_DATE);
  });

  it('says that the dependencies could not be installed', async () => {
    const absent = { version: '1.0.0', resolved: 'file:absent.tgz' };
    const dependencies = { absent: 'file:absent.tgz' };
    const manifest = { name: 'miniature', version: '4.5.6', dependencies };
    const packages = { '': manifest, 'node_modules/absent': absent };
    await writeFile(join(root, 'package.json'), JSON.stringify(manifest));
    await writeFile(join(root, 'package-lock.json'), JSON.stringify({ ...LOCKFILE, packages }));
    await expect(setUp({ root, build: true })).rejects.toThrow('the dependencies could not be installed');
    expect(existsSync(join(root, '.nodemesh/set-up.lock'))).toBe(false);
  });

  it('does not empty a directory of dependencies that is only linked to', async () => {
    const shared = join(root, 'shared');
    await mkdir(shared);
    await writeFile(join(shared, 'precious'), '');
    await symlink(shared, join(root, 'node_modules'));
    await expect(setUp({ root, build: true })).rejects.toThrow(
      /node_modules is a link to .*shared, which holds other dependencies than package-lock\.json and this Node\.js v\S+ want; install there/,
    );
    expect(existsSync(join(shared, 'precious'))).toBe(true);
  });

  it('is done once when two ask for it at the same time', async () => {
    const outcomes = await Promise.all([setUp({ root, build: true }), setUp({ root, build: true })]);
    expect(outcomes).toContainEqual({ dependencies: 'installed', build: 'built' });
    expect(outcomes).toContainEqual(UP_TO_DATE);
  });

  it('does not wait for a process that died while it held the lock', async () => {
    const { output } = await run(process.execPath, ['-p', 'process.pid'], { cwd: root, output: 'collect' });
    await mkdir(join(root, '.nodemesh'));
    await writeFile(join(root, '.nodemesh/set-up.lock'), output);
    expect((await setUp({ root, build: true })).build).toBe('built');
  });
});
