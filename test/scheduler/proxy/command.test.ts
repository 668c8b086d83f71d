/** The command of a proxy's task, run as an agent runs it: by `/bin/sh`, in a sandbox, with what the fetcher left there. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256Of } from '../../../agent-proxy/control/code-archive.ts';
import { codeArchive } from '../../../scheduler/proxy/archive.ts';
import {
  ARCHIVE_FILE,
  archiveCommand,
  CODE_ARCHIVE_FILE,
  imageCommand,
  pingCommand,
} from '../../../scheduler/proxy/command.ts';
import { PROXY_START, startScript } from '../../../scheduler/proxy/start-script.ts';

/** Says how it was started. */
const CODE = Buffer.from(`
const { argv, env, cwd, execPath } = process;
console.log(JSON.stringify({ words: argv.slice(2), path: env.PATH, library: env.LD_LIBRARY_PATH, cwd: cwd(), execPath }));
`);
const WORDS = ['--node-ip', '10.0.0.9', '--ports', 'out=4140,in=4141,admin=9990', "it's $HOME"];
const ARCHIVE = codeArchive('1.2.3', 1, CODE);

let sandbox: string;

beforeEach(() => {
  sandbox = mkdtempSync(join(tmpdir(), 'nodemesh-command-'));
  writeFileSync(join(sandbox, ARCHIVE_FILE), ARCHIVE);
});
afterEach(() => rmSync(sandbox, { recursive: true }));

/** With nothing in the environment but this. */
function run(command: string, environment: Record<string, string> = {}) {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const { status, stdout, stderr } = spawnSync('env', ['-i', ...variables, '/bin/sh', '-c', command], { cwd: sandbox });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

function hostNode(sha256 = sha256Of(ARCHIVE)): string {
  return archiveCommand({ sha256, hasRuntime: false }, WORDS);
}

test("becomes the proxy with the agent's Node.js, the system's tools, and words that no shell changes", () => {
  const { status, stdout, stderr } = run(hostNode(), {
    PATH: dirname(process.execPath),
    LD_LIBRARY_PATH: '/opt/mesosphere/lib',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    ...{ words: WORDS, path: '/usr/bin:/bin', cwd: sandbox, execPath: process.execPath },
  });
  // Its disk is counted too.
  expect(existsSync(join(sandbox, ARCHIVE_FILE))).toBe(false);
});

test('NODEMESH_NODE comes before the node on the PATH', () => {
  const link = join(sandbox, 'another-node');
  symlinkSync(process.execPath, link);
  writeFileSync(join(sandbox, 'node'), '#!/bin/sh\necho wrong\n', { mode: 0o755 });
  const { stdout } = run(hostNode(), { PATH: sandbox, NODEMESH_NODE: link });
  expect(JSON.parse(stdout)).toMatchObject({ words: WORDS });
});

test.each([{}, { NODEMESH_NODE: '/nowhere/node' }])(
  'an agent without a Node.js is one clear line (%j)',
  (environment) => {
    const { status, stdout, stderr } = run(hostNode(), { PATH: '/nowhere', ...environment });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(
      'nodemesh: there is no Node.js on this agent (NODEMESH_NODE, or node on the PATH); use an archive that has one\n',
    );
  },
);

test('another archive than the scheduler has is one clear line, and nothing of it is unpacked', () => {
  const wanted = 'b'.repeat(64);
  const { status, stdout, stderr } = run(hostNode(wanted), { NODEMESH_NODE: process.execPath });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toBe(
    `nodemesh: the archive has the SHA-256 ${sha256Of(ARCHIVE)} and not ${wanted}: it was changed on its way, or in the fetcher's cache\n`,
  );
  expect(readdirSync(sandbox)).toEqual([ARCHIVE_FILE]);
});

test('an archive that is not there, or none, is an error and starts nothing', () => {
  writeFileSync(join(sandbox, ARCHIVE_FILE), 'none');
  const none = run(hostNode(sha256Of(Buffer.from('none'))), { NODEMESH_NODE: process.execPath });
  expect(none).toMatchObject({ status: 1, stdout: '' });
  expect(none.stderr).toMatch(/nodemesh: nodemesh-proxy\.tar\.gz cannot be unpacked\n$/);
  rmSync(join(sandbox, ARCHIVE_FILE));
  const absent = run(hostNode(), { NODEMESH_NODE: process.execPath });
  expect(absent).toMatchObject({ status: 1, stdout: '' });
  expect(absent.stderr).toMatch(/nodemesh: the digest of nodemesh-proxy\.tar\.gz cannot be had/);
});

test('an archive with a Node.js needs none on the agent', () => {
  mkdirSync(join(sandbox, 'packed', 'bin'), { recursive: true });
  const packed = join(sandbox, 'packed');
  symlinkSync(process.execPath, join(packed, 'bin', 'node'));
  writeFileSync(join(packed, 'proxy.mjs'), CODE);
  writeFileSync(join(packed, PROXY_START), startScript({ script: '../proxy.mjs' }), { mode: 0o755 });
  execFileSync('tar', ['-C', packed, '-czf', join(sandbox, ARCHIVE_FILE), 'bin', 'proxy.mjs']);
  const sum = sha256Of(readFileSync(join(sandbox, ARCHIVE_FILE)));
  const { stdout, stderr } = run(archiveCommand({ sha256: sum, hasRuntime: true }, WORDS));
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ words: WORDS, path: '/usr/bin:/bin' });
});

test('an image has all of it in one place', () => {
  expect(imageCommand(['--node-ip', '10.0.0.9'])).toBe(
    'exec /opt/nodemesh-proxy/bin/nodemesh-proxy --node-ip 10.0.0.9',
  );
});

test('a ping succeeds where a proxy answers, and nowhere else; with curl, and with Node.js alone', async () => {
  // Only at one address, as on an agent: what is asked at another is refused.
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/admin/ping' ? 200 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.9', resolve));
  const { port } = server.address() as AddressInfo;
  mkdirSync(join(sandbox, 'nodemesh-proxy', 'bin'), { recursive: true });
  symlinkSync(process.execPath, join(sandbox, 'nodemesh-proxy', 'bin', 'node'));
  const outcomes = async (url: string): Promise<number[]> => {
    const commands = [true, false].map((hasRuntime) => pingCommand({ sha256: '', hasRuntime }, url));
    const withoutCurl = commands.map((command) => command.replace('PATH=/usr/bin:/bin', 'PATH=/nowhere'));
    // As the Docker executor has it run, with curl in the image and without.
    const image = pingCommand('image', url).replace('/opt', '.');
    const docker = [image, `PATH=/nowhere\n${image}`].map((command) => `/bin/sh -c " ${command} "`);
    return await Promise.all([...commands, ...withoutCurl, ...docker].map((command) => ping(command)));
  };
  try {
    expect(await outcomes(`http://127.0.0.9:${port}/admin/ping`)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await outcomes(`http://127.0.0.9:${port}/else`)).not.toContain(0);
    expect(await outcomes(`http://127.0.0.1:${port}/admin/ping`)).not.toContain(0);
  } finally {
    server.close();
  }
});

function ping(command: string): Promise<number> {
  return new Promise((resolve) => {
    const env = { PATH: dirname(process.execPath), LD_LIBRARY_PATH: '/opt/mesosphere/lib' };
    const child = execFile('/bin/sh', ['-c', command], { cwd: sandbox, env });
    child.once('exit', (code) => resolve(code ?? -1));
  });
}

test('other code is laid over that of the archive, when it is what it should be', () => {
  const other = codeArchive('1.2.2', 1, Buffer.from('console.log("the code of before");'));
  const withOther = (codeSha256: string): string =>
    archiveCommand({ sha256: sha256Of(ARCHIVE), hasRuntime: false, codeSha256 }, WORDS);
  writeFileSync(join(sandbox, CODE_ARCHIVE_FILE), other);
  const environment = { NODEMESH_NODE: process.execPath };
  expect(run(withOther(sha256Of(ARCHIVE)), environment).stderr).toContain('the archive has the SHA-256');
  writeFileSync(join(sandbox, ARCHIVE_FILE), ARCHIVE);
  expect(run(withOther(sha256Of(other)), environment)).toEqual({
    status: 0,
    stdout: 'the code of before\n',
    stderr: '',
  });
});
