/** `nodemesh migrate` against a Marathon and a namerd. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../../../scheduler/cli/main.ts';
import { type JsonObject, optionFaults, renderedApp } from '../../dcos-package/catalog.ts';
import { appFaults } from '../../dcos-package/marathon-rules.ts';

const CONTEXT = { version: '1.2.3', dist: '/nowhere', relaunch: [] };

let directory: string;
let server: Server;
let url: string;
let written: string;
let login: string | undefined;

const answers = new Map<string, unknown>();

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nodemesh-migrate-'));
  answers.clear();
  server = createServer((request, response) => {
    login = request.headers.authorization;
    const answer = answers.get(request.url ?? '');
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? { message: 'there is none' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    written += String(chunk);
    return true;
  });
  vi.stubEnv('DCOS_ACS_TOKEN', undefined);
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<string> {
  written = '';
  await main(['migrate', ...args], CONTEXT);
  return written;
}

function file(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

test("linkerd's package options become an options file that renders", async () => {
  const options = file('linkerd.json', { linkerd: { instances: 5, 'routing-port': 5140, mem: 512, colour: 'blue' } });
  const out = join(directory, 'out');
  const report = await run('--options', options, '--out', out);
  expect(report).toMatch(/^7 settings: 4 taken over, 1 changed, 1 left out, 1 not understood\.\n/);
  expect(report).toContain('linkerd.colour = blue');
  expect(report).toContain(`dcos package install nodemesh --options=${out}/nodemesh-options.json`);
  const made = JSON.parse(readFileSync(join(out, 'nodemesh-options.json'), 'utf8')) as JsonObject;
  expect(optionFaults(made)).toEqual([]);
  const app = renderedApp(made);
  expect(appFaults(app)).toEqual([]);
  expect(app['env']).toMatchObject({ NODEMESH_PROXY_MEM: '512', NODEMESH_PORTS: expect.stringContaining('out=5140') });
  await expect(run('--options', options, '--out', out)).rejects.toThrow(/EEXIST.*another directory/);
});

test('a running app, the configuration that it fetches, and a namerd', async () => {
  answers.set('/v2/apps/edge/linkerd', {
    app: { id: '/edge/linkerd', cmd: './linkerd site.yaml', cpus: 0.5, fetch: [{ uri: `${url}/site.yaml` }] },
  });
  answers.set(
    '/site.yaml',
    'routers: [{protocol: http, interpreter: {kind: io.l5d.namerd, dst: /$/inet/n/4100}, maxHeadersKB: 64}]',
  );
  answers.set('/api/1/dtabs', ['default', 'blue']);
  answers.set('/api/1/dtabs/default', [{ prefix: '/svc/old', dst: '/svc/new' }]);
  answers.set('/api/1/dtabs/blue', [{ prefix: '/svc', dst: '/#/io.l5d.marathon/blue' }]);
  vi.stubEnv('DCOS_ACS_TOKEN', 'abc');
  const out = join(directory, 'out');
  await run('--marathon', url, '--app', '/edge/linkerd', '--namerd', url, '--out', out);
  const options = JSON.parse(readFileSync(join(out, 'nodemesh-options.json'), 'utf8'));
  expect(Buffer.from(options.mesh.config, 'base64').toString()).toBe(readFileSync(join(out, 'linkerd.yaml'), 'utf8'));
  expect(readFileSync(join(out, 'linkerd.yaml'), 'utf8')).toContain('maxHeadersKB: 64');
  expect(readFileSync(join(out, 'default.dtab'), 'utf8')).toMatch(/mesos-dns(.|\n)*\/svc\/old => \/svc\/new ;\n$/);
  expect(readFileSync(join(out, 'blue.dtab'), 'utf8')).toBe('/svc => /#/io.l5d.marathon/blue ;\n');
  // namerd has no login.
  expect(login).toBeUndefined();
  const printed = await run('--marathon', url, '--app', 'edge/linkerd', '--json');
  expect(login).toBeUndefined();
  expect(JSON.parse(printed)).toMatchObject({ options: { proxies: { cpus: 0.5 } } });
});

test('the token of the DC/OS CLI goes to Marathon, or user and password of a file', async () => {
  answers.set('/v2/apps/linkerd', { app: { id: '/linkerd', cmd: 'linkerd' } });
  vi.stubEnv('DCOS_ACS_TOKEN', 'abc');
  await run('--marathon', url, '--app', '/linkerd');
  expect(login).toBe('token=abc');
  await run('--marathon', url, '--app', '/linkerd', '--marathon-credential-file', file('credential', 'me:secret\n'));
  expect(login).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`);
});

describe('what goes wrong is said in a sentence', () => {
  test.each<[string, () => string[], RegExp]>([
    ['nothing is given', () => [], /nothing to look at: give --options/],
    ['an app without its Marathon', () => ['--app', '/x'], /--marathon and --app belong together/],
    ['no JSON', () => ['--options', file('x', '{')], /is not JSON/],
    ['another package', () => ['--options', file('x', {})], /no block "linkerd"/],
    ['a file that is not there', () => ['--options', '/nowhere/x'], /cannot be read \(ENOENT\)/],
    ['no such app', () => ['--marathon', url, '--app', '/x'], /Marathon has no app \/x: there is none/],
    [
      'nobody there',
      () => ['--marathon', 'http://127.0.0.1:1', '--app', '/x'],
      /cannot reach Marathon .*connection refused|cannot reach Marathon/,
    ],
    ['no namerd', () => ['--namerd', url], /namerd at .* answered 404 to GET api\/1\/dtabs/],
    ['no URL', () => ['--namerd', 'namerd'], /Give an http or https URL/],
  ])('%s', async (_what, args, sentence) => {
    await expect(run(...args())).rejects.toThrow(sentence);
  });
});
