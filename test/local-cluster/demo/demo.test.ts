import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { demoApps } from '../../../local-cluster/demo/apps.ts';
import { refusalOf } from '../../../local-cluster/demo/call-by-name.ts';
import { DemoLoad } from '../../../local-cluster/demo/load.ts';
import { parseApp } from '../../../local-cluster/marathon/app-spec.ts';
import { eventually } from '../eventually.ts';
import { bundleDemo } from './bundle.ts';

const HOST = '127.0.33.50';
let file = '';

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nodemesh-demo-'));
  file = join(directory, 'demo.mjs');
  await writeFile(file, await bundleDemo());
  return () => rm(directory, { recursive: true, force: true });
});

interface Demo {
  readonly port: number;
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
}

async function useDemo(part: string, environment: Record<string, string> = {}): Promise<Demo> {
  const child = spawn(process.execPath, [file, part], {
    env: { HOST, PORT0: '0', MARATHON_APP_ID: `/${part}`, MESOS_TASK_ID: `${part}.instance-1._app.1`, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(Number(/port (\d+)/.exec(chunk.toString())?.[1])));
    child.once('exit', (code) => reject(new Error(`the demo ended with ${code}`)));
  });
  return { port, child, ended };
}

/** A stand-in for the proxy of a node: sends what is asked of a name on to the port that the name has. */
async function useProxy(names: () => Record<string, number>): Promise<{ port: number; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((incoming, response) => {
    seen.push(incoming.headers);
    const port = names()[incoming.headers.host ?? ''];
    if (port === undefined) {
      response.writeHead(502, { 'l5d-err': encodeURIComponent(`no endpoint for ${incoming.headers.host}`) }).end();
      return;
    }
    const outgoing = httpRequest(
      { host: HOST, port, path: incoming.url ?? '/', headers: incoming.headers, agent: false },
      (reply) => {
        response.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(response);
      },
    );
    outgoing.on('error', () => response.destroy());
    outgoing.end();
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

describe("gob's microservice", () => {
  test('web calls word, then gen, by name, and says who answered', async () => {
    const names: Record<string, number> = {};
    const proxy = await useProxy(() => names);
    const word = await useDemo('word');
    const gen = await useDemo('gen', {
      MARATHON_APP_ID: '/gen-growthhack',
      MESOS_TASK_ID: 'gen-growthhack.instance-2._app.1',
      GOB_VARIANT: 'growthhack',
    });
    const web = await useDemo('web', { GOB_PROXY_PORT: String(proxy.port) });
    Object.assign(names, { word: word.port, gen: gen.port });
    const context = {
      'l5d-ctx-trace': 'abc',
      'l5d-dtab': '/svc/gen => /svc/gen-growthhack',
      b3: '1-2-1',
      traceparent: '00-1-2-01',
      'x-b3-traceid': '7',
    };
    const response = await fetch(`http://${HOST}:${web.port}/`, { headers: { ...context, 'x-secret': 'stays' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(response.headers.get('gob-path')).toBe(
      [
        `web=web.instance-1._app.1@${HOST}:${web.port}`,
        `word=word:word.instance-1._app.1@${HOST}:${word.port}`,
        `gen=gen-growthhack:gen-growthhack.instance-2._app.1@${HOST}:${gen.port}`,
      ].join(', '),
    );
    expect((await response.text()).trim().length).toBeGreaterThan(10);
    expect(proxy.seen).toHaveLength(2);
    for (const headers of proxy.seen) {
      expect(headers).toMatchObject(context);
      expect(headers['x-secret']).toBeUndefined();
    }
  });

  test('a failed call is 502 and tells what was reached', async () => {
    const names: Record<string, number> = {};
    const proxy = await useProxy(() => names);
    const word = await useDemo('word');
    const web = await useDemo('web', { GOB_PROXY_PORT: String(proxy.port) });
    Object.assign(names, { word: word.port });
    const response = await fetch(`http://${HOST}:${web.port}/`);
    const path = response.headers.get('gob-path') ?? '';
    expect(response.status).toBe(502);
    expect(path).toMatch(/^web=.*, word=word:word\.instance-1._app\.1@[\d.:]+$/);
    expect((await response.text()).trim()).toBe(`gen answered 502: no endpoint for gen; reached: ${path}`);
  });

  test("the proxy's reason is read as text, whatever it holds", () => {
    expect(refusalOf({ 'l5d-err': 'unknown-name%3A%20looked%20up%20%2Fsvc%2Fgen' })).toBe(
      'unknown-name: looked up /svc/gen',
    );
    expect(refusalOf({ 'l5d-err': '100% of it' })).toBe('100% of it');
    expect(refusalOf({ 'l5d-err': 'two%0D%0Alines%00' })).toBe('two lines');
    expect(refusalOf({})).toBeNull();
  });

  test('without a proxy web still answers, with 502 and its own name', async () => {
    const web = await useDemo('web', { GOB_PROXY_PORT: '1' });
    const response = await fetch(`http://${HOST}:${web.port}/`);
    expect(response.status).toBe(502);
    expect(await response.text()).toContain(`calling word through ${HOST}:1 failed`);
    expect(response.headers.get('gob-path')).toBe(`web=web.instance-1._app.1@${HOST}:${web.port}`);
  });

  test('GOB_DELAY_MS delays answers but not health', async () => {
    const word = await useDemo('word', { GOB_DELAY_MS: '1000' });
    const begin = performance.now();
    expect((await fetch(`http://${HOST}:${word.port}/health`)).status).toBe(200);
    expect(performance.now() - begin).toBeLessThan(1_000);
    await (await fetch(`http://${HOST}:${word.port}/`)).text();
    expect(performance.now() - begin).toBeGreaterThanOrEqual(999);
  });

  test('on SIGTERM it answers on while it drains, finishes what is under way, and ends with 0', async () => {
    const word = await useDemo('word', { GOB_DELAY_MS: '600', GOB_DRAIN_MS: '300' });
    const url = `http://${HOST}:${word.port}`;
    await fetch(`${url}/health`);
    const underWay = fetch(url);
    word.child.kill('SIGTERM');
    await eventually(async () => (await fetch(`${url}/health`)).headers.get('connection')).toBe('close');
    expect((await underWay).status).toBe(200);
    expect(await word.ended).toBe(0);
  });

  test('bad arguments and variables are one line', async () => {
    for (const [args, env, text] of [
      [['cake'], {}, 'usage: demo.mjs web|gen|word'],
      [['web'], { GOB_DELAY_MS: 'soon' }, "GOB_DELAY_MS is 'soon'"],
    ] as const) {
      const child = spawn(process.execPath, [file, ...args], { env: { HOST, PORT0: '0', ...env } });
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect(code).toBe(1);
      expect(stderr).toContain(text);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
  });
});

describe('its apps', () => {
  test('are what Marathon accepts, with the instances of the talk', () => {
    const apps = demoApps('http://127.0.0.1:5050/local/artifacts/demo.mjs');
    for (const app of apps) expect(parseApp(app)).toMatchObject({ ok: true });
    expect(Object.fromEntries(apps.map(({ id, instances }) => [id, instances]))).toEqual({
      ...{ '/web': 1, '/gen': 3, '/word': 3, '/gen-growthhack': 3, '/word-growthhack': 3 },
    });
    expect(demoApps('http://x', { delayMs: 5 })[0]).toMatchObject({ env: { GOB_DELAY_MS: '5' } });
  });

  test('stay off public agents unless they may run there', () => {
    for (const app of demoApps('http://x')) expect(app).not.toHaveProperty('acceptedResourceRoles');
    for (const app of demoApps('http://x', { acceptPublic: true })) {
      expect(parseApp(app)).toMatchObject({ spec: { acceptedResourceRoles: ['*', 'slave_public'] } });
    }
  });
});

describe('its load', () => {
  test('enters at every node in turn, counts failures, and follows a change of the nodes', async () => {
    const entered: Record<string, number> = {};
    const entry = async (name: string, status: number) => {
      const server = createServer((incoming, response) => {
        entered[name] = (entered[name] ?? 0) + 1;
        response.writeHead(incoming.headers.host === 'web' ? status : 400).end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    };
    const [a, b, bad] = [await entry('a', 200), await entry('b', 200), await entry('bad', 503)];
    const load = new DemoLoad({ rps: 200, entries: [a, b] });
    onTestFinished(() => load.stop());
    load.start();
    await eventually(() => load.stats().succeeded).toBeGreaterThan(20);
    expect(Math.abs((entered['a'] ?? 0) - (entered['b'] ?? 0))).toBeLessThan(5);
    expect(load.stats().failed).toBe(0);
    load.setEntries([bad, 'http://127.0.33.99:1', 'not a url']);
    await eventually(() => load.stats().failed).toBeGreaterThan(10);
    expect(load.stats().lastFailure).toEqual(expect.any(String));
    load.setEntries([]);
    await eventually(() => load.stats().outstanding).toBe(0);
  });

  test('never has more than its bound outstanding', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const load = new DemoLoad({ rps: 2_000, entries: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`] });
    onTestFinished(() => load.stop());
    load.start();
    await eventually(() => load.stats().skipped).toBeGreaterThan(0);
    expect(load.stats().outstanding).toBe(200);
  });
});
