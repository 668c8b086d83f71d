/** Archives on disk: written with the same bytes for the same files, and refused where they are not what they say. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGunzip, gunzipSync } from 'node:zlib';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { readCode, sha256Of } from '../../../agent-proxy/control/code-archive.ts';
import { readTar } from '../../../agent-proxy/control/tar.ts';
import { SUPERVISOR_PROTOCOL } from '../../../agent-proxy/control/wire-words.ts';
import { HOST_NODE, type ProxyContents, writeArchive } from '../../../scheduler/proxy/archive.ts';
import { loadArtifacts, type ProxyArtifacts } from '../../../scheduler/proxy/artifacts.ts';
import { useTempDir } from '../../fixtures/proxy.ts';

const CODE = Buffer.from('// the proxy\n');
const CONTENTS: ProxyContents = {
  version: '1.2.3',
  code: CODE,
  license: Buffer.from('licence'),
  runtime: {
    ...{ node: '24.0.0', platform: 'linux-x64', license: Buffer.from('its licence') },
    binary: Buffer.alloc(300_000, 'node'),
  },
};

function archiveFor(platform: string): ProxyContents {
  return { ...CONTENTS, runtime: CONTENTS.runtime && { ...CONTENTS.runtime, platform } };
}

let directory: string;
beforeEach(async () => {
  directory = await useTempDir();
  writeFileSync(join(directory, 'proxy.mjs'), CODE);
});

async function load(files: readonly string[] = [], version = '9.9.9'): Promise<ProxyArtifacts> {
  const artifacts = await loadArtifacts({ dist: directory, version, files });
  onTestFinished(() => artifacts.close());
  return artifacts;
}

async function served(artifacts: ProxyArtifacts, path: string): Promise<Buffer> {
  const content = artifacts.at(path)?.read();
  if (content === undefined) throw new Error(`nothing is served at ${path}`);
  return Buffer.isBuffer(content) ? content : await buffer(content);
}

test('an archive holds the code, a Node.js and both licences, and is the same whenever it is written', async () => {
  const once = await writeArchive(CONTENTS, join(directory, 'once'));
  const again = await writeArchive(CONTENTS, join(directory, 'again'));
  const bytes = readFileSync(once.file);
  expect(readFileSync(again.file).equals(bytes)).toBe(true);
  const { file, ...manifest } = once;
  expect(file).toBe(join(directory, 'once', 'nodemesh-proxy-1.2.3-linux-x64.tar.gz'));
  expect(JSON.parse(readFileSync(`${file}.json`, 'utf8'))).toEqual(manifest);
  expect(manifest).toEqual({
    ...{
      version: '1.2.3',
      platform: 'linux-x64',
      sha256: sha256Of(bytes),
      size: bytes.length,
      supervisor: SUPERVISOR_PROTOCOL,
    },
    runtime: { node: '24.0.0', sha256: sha256Of(CONTENTS.runtime?.binary ?? Buffer.alloc(0)) },
    code: { file: 'proxy.mjs', sha256: sha256Of(CODE) },
  });
  const names = ['package.json', 'proxy.mjs', 'LICENSE', 'LICENSE.nodejs', 'bin/nodemesh-proxy', 'bin/node'];
  const limits = { file: 1_000_000, archive: 1_000_000 };
  const files = await readTar(Readable.from([bytes]).pipe(createGunzip()), names, limits);
  expect([...files.keys()]).toEqual(names);
  expect(files.get('bin/node')?.equals(CONTENTS.runtime?.binary ?? Buffer.alloc(0))).toBe(true);
});

test('an archive is served whole, and its code alone for upgrades', async () => {
  const { file, sha256 } = await writeArchive(CONTENTS, directory);
  const artifacts = await load([file]);
  const { path, code } = artifacts.wanted;
  expect(path).toBe(`/artifacts/nodemesh-proxy-1.2.3-linux-x64-${sha256.slice(0, 12)}.tar.gz`);
  expect(artifacts.at(path)?.size).toBe(readFileSync(file).length);
  // More than one reads at a time, each from the beginning.
  const [one, two] = await Promise.all([served(artifacts, path), served(artifacts, path)]);
  expect(sha256Of(one)).toBe(sha256);
  expect(sha256Of(two)).toBe(sha256);
  const alone = await served(artifacts, code.path);
  expect(sha256Of(alone)).toBe(code.sha256);
  expect(await readCode(Readable.from([gunzipSync(alone)]))).toMatchObject({ version: '1.2.3', bytes: CODE });
  expect(alone.length).toBeLessThan(1_000);
});

test('what was loaded is served, also when another build takes its place', async () => {
  const { file, sha256 } = await writeArchive(CONTENTS, directory);
  const artifacts = await load([file]);
  await writeArchive({ ...CONTENTS, code: Buffer.from('// another\n') }, directory);
  expect(sha256Of(await served(artifacts, artifacts.wanted.path))).toBe(sha256);
});

test('a hundred readers leave nothing behind on the file', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  onTestFinished(() => void process.off('warning', warned));
  const { file } = await writeArchive(CONTENTS, directory);
  const artifacts = await load([file]);
  await Promise.all(Array.from({ length: 100 }, () => served(artifacts, artifacts.wanted.path)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});

test('of several the first is wanted, and all are served', async () => {
  const { file } = await writeArchive(CONTENTS, directory);
  const artifacts = await load([HOST_NODE, file]);
  expect(artifacts.wanted.manifest).toMatchObject({ platform: HOST_NODE, version: '9.9.9', runtime: null });
  for (const { path } of artifacts.archives) expect((await served(artifacts, path)).length).toBeGreaterThan(0);
});

test('without a word the newest in dist/package is taken, or else the code of the build', async () => {
  expect((await load()).wanted.manifest).toMatchObject({ version: '9.9.9', platform: HOST_NODE });
  const packages = join(directory, 'package');
  const here = archiveFor(`${process.platform}-${process.arch}`);
  const older = await writeArchive({ ...here, version: '2.0.0' }, packages);
  const newer = await writeArchive({ ...here, version: '1.0.0' }, packages);
  await writeArchive({ ...archiveFor('another-platform'), version: '3.0.0' }, packages);
  utimesSync(`${older.file}.json`, new Date(2020, 1), new Date(2020, 1));
  utimesSync(`${newer.file}.json`, new Date(2021, 1), new Date(2021, 1));
  writeFileSync(join(packages, 'unfinished.tar.gz'), 'no manifest');
  expect((await load()).wanted.manifest.version).toBe('1.0.0');
});

test('the code of the build makes the same archive each time', async () => {
  const [one, two] = [await load(), await load()];
  expect(one.wanted).toEqual(two.wanted);
});

test.each<[string, (file: string) => void, RegExp]>([
  ['is not there', () => undefined, /^the archive .*gone\.tar\.gz cannot be read \(ENOENT\)/],
  [
    'has no manifest',
    (file) => rmSync(`${file}.json`),
    /^the manifest .*\.tar\.gz\.json cannot be read \(ENOENT\); make both with npm run package:proxy$/,
  ],
  [
    'has changed',
    (file) => writeFileSync(file, 'x'),
    /^the archive .* is not the one that .*\.json describes; make both/,
  ],
  ['has a manifest that is no JSON', (file) => writeFileSync(`${file}.json`, '{'), /^the manifest .* is no JSON/],
  [
    'has a manifest that is another thing',
    (file) => writeFileSync(`${file}.json`, '{}'),
    /is not one of ours: version: /,
  ],
])('an archive that %s is refused with one sentence', async (what, damage, why) => {
  const { file } = await writeArchive(CONTENTS, directory);
  damage(file);
  const given = what === 'is not there' ? join(directory, 'gone.tar.gz') : file;
  await expect(load([given])).rejects.toThrow(why);
});

test('an archive that comes alone, under any name, is known by the manifest that came with the scheduler', async () => {
  const packages = join(directory, 'package');
  const { file, sha256 } = await writeArchive(CONTENTS, packages);
  await writeArchive({ ...CONTENTS, version: '1.2.2' }, packages);
  const fetched = join(directory, 'fetched');
  renameSync(file, fetched);
  expect((await load([fetched])).wanted.manifest).toMatchObject({ version: '1.2.3', sha256 });
  writeFileSync(fetched, 'x');
  await expect(load([fetched])).rejects.toThrow(
    /has no manifest beside it, and its SHA-256 [0-9a-f]{64} is that of no archive that came with this scheduler \(nodemesh-proxy-1\.2\.2-linux-x64\.tar\.gz, nodemesh-proxy-1\.2\.3-linux-x64\.tar\.gz\); fetch the one/,
  );
});

test('a manifest that speaks of other code is refused', async () => {
  const { file } = await writeArchive(CONTENTS, directory);
  const manifest = JSON.parse(readFileSync(`${file}.json`, 'utf8'));
  writeFileSync(`${file}.json`, JSON.stringify({ ...manifest, supervisor: SUPERVISOR_PROTOCOL + 1 }));
  await expect(load([file])).rejects.toThrow(`the code in ${file} is not what ${file}.json says`);
});

test('a build that is not there is one sentence', async () => {
  mkdirSync(join(directory, 'empty'));
  await expect(loadArtifacts({ dist: join(directory, 'empty'), version: '1', files: [] })).rejects.toThrow(
    /cannot be read; build it with npm run build$/,
  );
});

test('a write that fails leaves neither an archive nor a manifest', async () => {
  const long = { ...CONTENTS, version: 'x'.repeat(300) };
  await expect(writeArchive(long, directory)).rejects.toThrow();
  expect(existsSync(join(directory, `nodemesh-proxy-${long.version}-linux-x64.tar.gz`))).toBe(false);
});
