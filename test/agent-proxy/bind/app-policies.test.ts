/** Labels of an app in a proxy that runs: what they say holds at once, for that app and no other, and nothing is lost. */
import { describe, expect, test } from 'vitest';
import { appOf } from '../../../agent-proxy/bind/app-policies.ts';
import type { Frame, MeshDocument, ServiceSettings } from '../../../agent-proxy/control/contract.ts';
import { readPath } from '../../../agent-proxy/routing/path.ts';
import { type Backend, useBackend } from '../../fixtures/backend.ts';
import {
  endpoint,
  type FakeScheduler,
  helloFrame,
  snapshotFrames,
  useFakeScheduler,
} from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { useProxy } from '../../fixtures/proxy.ts';

const NOTHING: ServiceSettings = { off: false, vips: [], exposed: [], policies: [], slowStartMs: 0 };
type Policy = ServiceSettings['policies'][number];

const ofClient = (client: Policy['client'], port: string | null = null): Policy => ({ port, service: {}, client });
const ofService = (service: Policy['service'], port: string | null = null): Policy => ({ port, service, client: {} });

/** A proxy under a scheduler that knows these apps, each at one instance with the ports `http` and `admin`. */
async function useMesh(apps: Readonly<Record<string, readonly Pick<Backend, 'port'>[]>>) {
  const services = Object.entries(apps).map(([name, backends]) => {
    const ports = backends.map(({ port }, index) => ({ name: ['http', 'admin'][index] ?? 'more', port }));
    return { name, endpoints: [endpoint({ service: name, instance: `${name}.1`, port: ports[0]?.port ?? 1, ports })] };
  });
  const scheduler = await useFakeScheduler([helloFrame(), ...snapshotFrames(1, 1, services)]);
  const proxy = await useProxy({ schedulers: [scheduler.url] });
  await eventually('a table', async () => (await send(`${proxy.admin}/admin/ping`)).status === 200);
  await eventually('names', async () => scheduler.reports.some(({ ready }) => ready));
  let revision = 1;
  const tell = async (...documents: MeshDocument[]): Promise<void> => {
    scheduler.send(delta(revision, documents));
    revision += 1;
    await reported(scheduler, revision);
  };
  const label = (name: string, settings: Partial<ServiceSettings>): Promise<void> =>
    tell({ kind: 'settings', name, settings: { ...NOTHING, ...settings } });
  const ask = (host: string, path = '/', timeoutMs = 10_000) =>
    send(proxy.outgoing + path, { headers: { Host: host }, timeoutMs });
  return { ask, label, proxy };
}

function delta(base: number, documents: MeshDocument[]): Frame {
  const none = { upsert: [], remove: [], patch: [], agents: [], agentsRemoved: [], documentsRemoved: [] };
  return { type: 'delta', epoch: 1, base, revision: base + 1, ...none, documents };
}

function reported(scheduler: FakeScheduler, revision: number): Promise<unknown> {
  return eventually(`revision ${revision}`, () => scheduler.reports.some((report) => report.revision === revision));
}

/** Answers with its name, and `/held` when it is let go. */
async function useHolding(name: string) {
  const held: (() => void)[] = [];
  const backend = await useBackend(name, {
    answer: ({ url }, response) => {
      if (url === '/held') held.push(() => response.end(name));
      else response.end(name);
    },
  });
  return { ...backend, port: backend.port, held };
}

describe('the labels of an app', () => {
  test('change how its instances are called, without a restart and without a loss, and concern no other app', async () => {
    const [web, other] = [await useHolding('web'), await useHolding('other')];
    const { ask, label } = await useMesh({ web: [web], other: [other] });
    expect((await ask('other')).body).toBe('other');
    const before = [...other.connections];
    const early = ask('web', '/held');
    await eventually('it is on its way', () => web.held.length === 1);

    await label('web', { policies: [ofClient({ requestAttemptTimeoutMs: 80 })] });
    const timeout = async () => String((await ask('web', '/held', 1_000)).headers['l5d-err']).startsWith('timeout');
    await eventually('a timeout', timeout);
    // What was on its way goes by what held when it was sent.
    for (const answer of web.held) answer();
    expect(await early).toMatchObject({ status: 200, body: 'web' });
    expect((await ask('web')).status).toBe(200);

    await label('web', {});
    const late = ask('web', '/held');
    await eventually('it is on its way', () => web.held.length > 1);
    const slow = ask('other', '/held');
    await eventually('so is that of the other', () => other.held.length === 1);
    expect([...other.connections]).toEqual(before);
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const answer of [...web.held, ...other.held]) answer();
    expect((await late).status).toBe(200);
    expect((await slow).status).toBe(200);
  });

  test('change what holds for the requests to it: judgement, retries, time', async () => {
    let failures = 0;
    const web = await useBackend('web', {
      answer: (_request, response) => {
        response.statusCode = failures > 0 ? 503 : 200;
        failures -= 1;
        response.end();
      },
    });
    const { ask, label } = await useMesh({ web: [web] });
    const failing = async (times: number): Promise<number> => {
      failures = times;
      return (await ask('web')).status;
    };
    const retryable = { responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' } };
    expect(await failing(1)).toBe(503);
    await label('web', { policies: [ofService(retryable)] });
    await eventually('a retry', async () => (await failing(1)) === 200);
    expect(await failing(2)).toBe(200);
    expect(await failing(3)).toBe(503);
    await label('web', { policies: [ofService({ ...retryable, nodemesh: { maxRetries: 1 } })] });
    await eventually('one retry', async () => (await failing(2)) === 503 && (await failing(1)) === 200);
    await label('web', { policies: [ofService(retryable), ofService({ nodemesh: { maxRetries: 0 } }, 'admin')] });
    await eventually('of another port it says nothing', async () => (await failing(2)) === 200);
    await label('web', { policies: [ofService(retryable), ofService({ nodemesh: { maxRetries: 0 } }, 'http')] });
    await eventually('the first port is that of its name', async () => (await failing(1)) === 503);
    await label('web', { policies: [ofService({ totalTimeoutMs: -1 })] });
    await eventually(
      'what cannot be read says nothing',
      async () => (await failing(1)) === 503 && (await failing(0)) === 200,
    );
  });

  test('may take its names away, and give them back', async () => {
    const web = await useBackend('web');
    const { ask, label } = await useMesh({ web: [web] });
    expect((await ask('web')).status).toBe(200);
    await label('web', { off: true });
    expect(await ask('web')).toMatchObject({
      status: 502,
      headers: { 'l5d-err': expect.stringContaining('unknown-name') },
    });
    await label('web', {});
    expect((await ask('web')).status).toBe(200);
  });
});

test.each([
  ['/#/io.l5d.marathon/team/api', { app: 'team/api', port: null }],
  ['/%/io.l5d.port/4141/#/io.l5d.marathon/team/api:admin', { app: 'team/api', port: 'admin' }],
  ['/#/io.nodemesh.mesos/chronos/job', { app: '#io.nodemesh.mesos/chronos/job', port: null }],
  ['/#/io.l5d.marathon', null],
  ['/$/inet/127.0.0.1/80', null],
])('%s is of app %o', (id, app) => {
  expect(appOf(readPath(id))).toEqual(app);
});
