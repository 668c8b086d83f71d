/** Names as a running `nodemesh proxy` binds them: files that change, Marathon, and what a request itself may say. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { app, apps, fakeMarathon } from '../agent-proxy/namers/fake-marathon.ts';
import { useBackend } from '../fixtures/backend.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type Answer, send } from '../fixtures/http.ts';
import { useTempDir } from '../fixtures/proxy.ts';
import { router, useProxyProcess } from '../fixtures/proxy-process.ts';
import { useNames } from '../fixtures/static-config.ts';

function ask(url: string, host: string, headers: Record<string, string> = {}): Promise<Answer> {
  return send(`${url}/`, { headers: { Host: host, ...headers } });
}

async function answeredBy(url: string, host: string, name: string): Promise<void> {
  await eventually(`${host} is ${name}`, async () => (await ask(url, host)).body === name);
}

it('io.l5d.fs and a dtab in a file are followed while they change', async () => {
  const [blue, green] = await Promise.all([useBackend('blue'), useBackend('green')]);
  const rootDir = join(await useTempDir(), 'disco');
  const dtabFile = join(await useTempDir(), 'web.dtab');
  // Whole files in one step, as careful people write them.
  const write = async (file: string, text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const proxy = await useProxyProcess({
    namers: [{ kind: 'io.l5d.fs', rootDir }],
    routers: [router('', { interpreter: { kind: 'io.l5d.fs', dtabFile }, bindingTimeoutMs: 500 })],
  });
  const workers = await proxy.workers();
  // Neither is there yet.
  expect((await ask(proxy.url, 'web')).status).toBeGreaterThanOrEqual(500);
  await mkdir(rootDir);
  await write(join(rootDir, 'web'), `127.0.0.1 ${blue.port}\n`);
  await write(dtabFile, '/svc => /#/io.l5d.fs ;\n');
  await answeredBy(proxy.url, 'web', 'blue');
  await write(join(rootDir, 'web'), `127.0.0.1 ${green.port}\n`);
  await answeredBy(proxy.url, 'web', 'green');
  await write(join(rootDir, 'other'), `127.0.0.1 ${blue.port}\n`);
  await write(dtabFile, '/svc => /#/io.l5d.fs ;\n/svc/web => /#/io.l5d.fs/other ;\n');
  await answeredBy(proxy.url, 'web', 'blue');
  expect(await proxy.workers()).toEqual(workers);
});

it('io.l5d.marathon: an app by the domain of its id; its tasks come and go, and Marathon may', async () => {
  const [first, second] = await Promise.all([useBackend('first'), useBackend('second')]);
  const marathon = await fakeMarathon();
  marathon.answers.set('/marathon/v2/apps', apps('team/web'));
  const tasks = (port: number): unknown =>
    marathon.answers.set('/marathon/v2/apps/team/web', app('team/web', [`127.0.0.1:${port}`]));
  tasks(first.port);
  const proxy = await useProxyProcess({
    namers: [{ kind: 'io.l5d.marathon', host: '127.0.0.1', port: marathon.port, uriPrefix: '/marathon', ttlMs: 50 }],
    routers: [
      router('/marathonId => /#/io.l5d.marathon ; /svc => /$/io.buoyant.http.domainToPathPfx/marathonId', {
        bindingTimeoutMs: 2_000,
      }),
    ],
  });
  await answeredBy(proxy.url, 'web.team', 'first');
  tasks(second.port);
  await answeredBy(proxy.url, 'web.team', 'second');
  marathon.down();
  await eventually('it has missed Marathon', () => marathon.refused > 0);
  expect(await ask(proxy.url, 'web.team')).toMatchObject({ status: 200, body: 'second' });
  tasks(first.port);
  marathon.up();
  await answeredBy(proxy.url, 'web.team', 'first');
});

it('a request has a dtab of its own, which later hops get too, and no other request sees', async () => {
  const [usual, canary] = await Promise.all([useBackend('usual'), useBackend('canary')]);
  const names = await useNames({ web: [usual.port], canary: [canary.port] });
  const config = { namers: [], routers: [], ...names.config() };
  const proxy = await useProxyProcess(config);
  const override = { 'l5d-dtab': '/svc/web => /#/io.l5d.fs/canary' };
  for (const [headers, name] of [
    [{}, 'usual'],
    [override, 'canary'],
    [{}, 'usual'],
    [{ 'l5d-ctx-dtab': override['l5d-dtab'] }, 'canary'],
    [{ 'Dtab-local': override['l5d-dtab'] }, 'usual'],
  ] as const) {
    expect(await ask(proxy.url, 'web', headers)).toMatchObject({ status: 200, body: name });
  }
  expect(canary.received[0]?.headers['l5d-ctx-dtab']).toContain('/svc/web');
  expect(usual.received.at(-1)?.headers['dtab-local']).toBe(override['l5d-dtab']);
  expect(usual.received[1]?.headers['l5d-ctx-dtab']).toBeUndefined();
  expect((await ask(proxy.url, 'web', { 'l5d-dtab': '/svc/web >= /x' })).status).toBe(400);
});

it.each([
  ['any', 'elsewhere'],
  ['names', null],
  ['ignore', 'usual'],
])('a dtab of a request that names an address, where localDtab is %s', async (localDtab, name) => {
  const [usual, elsewhere] = await Promise.all([useBackend('usual'), useBackend('elsewhere')]);
  const proxy = await useProxyProcess({
    routers: [router(`/svc/web => /$/inet/127.0.0.1/${usual.port}`, { nodemesh: { localDtab } })],
  });
  const answer = await ask(proxy.url, 'web', { 'l5d-dtab': `/svc/web => /$/inet/127.0.0.1/${elsewhere.port}` });
  if (name !== null) expect(answer).toMatchObject({ status: 200, body: name });
  else {
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(elsewhere.connections.size).toBe(0);
    // The configuration's own dtab may still name one.
    expect(await ask(proxy.url, 'web')).toMatchObject({ status: 200, body: 'usual' });
  }
});
