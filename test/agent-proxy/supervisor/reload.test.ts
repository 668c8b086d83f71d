/** A new configuration takes over from the one before: no request fails, and what is wrong changes nothing. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useBackend } from '../../fixtures/backend.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { freePorts } from '../../fixtures/proxy.ts';
import { bundleProxy, type ProxyBundle } from '../../fixtures/proxy-bundle.ts';
import { startClients } from './keep-alive-clients.ts';
import { useStandalone, useTask } from './task.ts';

const IP = '127.0.35.13';
/** Whole processes start and end several times. */
const SLOW_MS = 60_000;
let bundle: ProxyBundle;

beforeAll(async () => {
  bundle = await bundleProxy();
});
afterAll(() => bundle.remove());

/** A router that listens on these ports and sends all to one backend. */
function configTo(backend: number, admin: number, ports: readonly number[], more = ''): string {
  const servers = ports.map((port) => `{ip: ${IP}, port: ${port}}`).join(', ');
  return `admin: {ip: ${IP}, port: ${admin}}
routers:
- protocol: http
  servers: [${servers}]
  dtab: |
    /svc/* => /$/inet/127.0.0.1/${backend};
${more}`;
}

async function answerOf(port: number): Promise<string> {
  return (await send(`http://${IP}:${port}/`, { headers: { Host: 'web' } })).body;
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, IP);
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

test(
  'no request fails across reloads, for clients that keep their connections, and what is new holds',
  async () => {
    const [first, second] = await Promise.all([useBackend('first'), useBackend('second')]);
    const [admin = 0, port = 0] = await freePorts(IP, 2);
    const task = await useStandalone(bundle.file, configTo(first.port, admin, [port]), { workers: 2 });
    const busy = startClients(`http://${IP}:${port}/`, 'web', 20, 1);
    const slow = startClients(`http://${IP}:${port}/`, 'web', 5, 300);
    try {
      for (const backend of [second, first, second]) {
        const before = busy.answered();
        await eventually('requests are answered', () => busy.answered() > before + 50);
        await task.reload(configTo(backend.port, admin, [port]));
        const name = backend === first ? 'first' : 'second';
        expect(await answerOf(port)).toBe(name);
      }
      // Two for the new configuration: the others have ended, though their clients keep asking.
      await eventually('old workers are gone', async () => (await task.children()).length === 2, 15_000);
    } finally {
      expect([...(await busy.stop()), ...(await slow.stop())]).toEqual([]);
    }
  },
  SLOW_MS,
);

test(
  'a request in flight is answered by the worker that has it, and an idle connection is closed at last',
  async () => {
    let release = (): void => undefined;
    const backend = await useBackend('slow', {
      answer: (_request, response) => {
        release = () => response.end('late');
        response.flushHeaders();
      },
    });
    const [admin = 0, port = 0] = await freePorts(IP, 2);
    const task = await useStandalone(bundle.file, configTo(backend.port, admin, [port]));
    const idle = connect(port, IP);
    const idleClosed = new Promise((resolve) => idle.on('close', resolve));
    idle.on('error', () => undefined);
    const body = new Promise<string>((resolve, reject) => {
      const outgoing = request(`http://${IP}:${port}/`, { headers: { Host: 'web' }, agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('error', reject);
        response.on('end', () => resolve(text));
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
    await eventually('the request is in flight', () => backend.received.length === 1);
    await task.reload(configTo(backend.port, admin, [port]));
    expect(await task.children()).toHaveLength(2);
    await idleClosed;
    expect(await task.children()).toHaveLength(2);
    release();
    expect(await body).toBe('late');
    await eventually('the old worker is gone', async () => (await task.children()).length === 1);
  },
  SLOW_MS,
);

test('listeners come and go', async () => {
  const backend = await useBackend('alive');
  const [admin = 0, kept = 0, removed = 0, added = 0] = await freePorts(IP, 4);
  const task = await useStandalone(bundle.file, configTo(backend.port, admin, [kept, removed]));
  expect(await answerOf(removed)).toBe('alive');
  await task.reload(configTo(backend.port, admin, [kept, added]));
  expect(await answerOf(kept)).toBe('alive');
  expect(await answerOf(added)).toBe('alive');
  await eventually('the old one is closed', () => isRefused(removed));
  expect((await send(`http://${IP}:${admin}/admin/ping`)).body).toBe('pong');
});

test.each([
  ['faults', (port: number) => `admin: {ip: ${IP}}\nrouters: [{protocol: http, servers: [{port: ${port}}], dtap: ""}]`],
  ['a port that is taken', (_port: number, taken: number, admin: number) => configTo(1, admin, [taken])],
])('a configuration with %s is told, and the one before goes on', async (what, broken) => {
  const backend = await useBackend('alive');
  const [admin = 0, port = 0] = await freePorts(IP, 2);
  const task = await useStandalone(bundle.file, configTo(backend.port, admin, [port]));
  const [before] = await task.children();
  const taken = await useBackend('other', { ip: IP });
  await task.reload(broken(port, taken.port, admin));
  expect(task.stdout()).toContain('configuration not reloaded');
  expect(task.stdout()).toContain(
    what === 'faults'
      ? "routers[0].dtap: unknown key; did you mean 'dtab'?"
      : `cannot listen on ${IP}:${taken.port}: the port is taken by another process`,
  );
  expect(await answerOf(port)).toBe('alive');
  await eventually('nothing is left of the attempt', async () => (await task.children()).join() === String(before));
});

test('a configuration from standard input cannot be read again, and goes on', async () => {
  const backend = await useBackend('alive');
  const [admin = 0, port = 0] = await freePorts(IP, 2);
  const task = useTask([bundle.file, '-'], { stdin: configTo(backend.port, admin, [port]) });
  await eventually('it listens', () => task.stdout().includes('worker listening'));
  task.process.kill('SIGHUP');
  await eventually('it says so', () => task.stdout().includes('which cannot be read again'));
  expect(await answerOf(port)).toBe('alive');
});

test('warnings of a configuration are told at the start and at each reload', async () => {
  const backend = await useBackend('alive');
  const [admin = 0, port = 0] = await freePorts(IP, 2);
  const config = configTo(backend.port, admin, [port], 'usage: {enabled: true}\n');
  const task = await useStandalone(bundle.file, config);
  const warnings = (): number => task.stdout().match(/warn .*linkerd\.yaml: usage: has no effect/g)?.length ?? 0;
  expect(warnings()).toBe(1);
  await task.reload(config);
  expect(warnings()).toBe(2);
});
