/** Upgrade and CONNECT: bytes that pass both ways as they are, where the configuration says so. */
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { type StaticProxy, useStaticProxy } from '../../fixtures/proxy.ts';
import { headerOf, ok, type RawBackend, type RawSocket, rawClient, useRawBackend } from '../../fixtures/raw-socket.ts';
import { type Keys, routed, straight } from '../../fixtures/static-config.ts';

const ASK =
  'GET /chat HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

interface Ends {
  readonly proxy: StaticProxy;
  readonly app: RawBackend;
  readonly client: RawSocket;
  readonly upstream: RawSocket;
}

async function useAsked(nodemesh: Keys = { upgrades: ['websocket'] }, bytes = ASK): Promise<Ends> {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }, { nodemesh }));
  const client = rawClient(proxy.url, bytes);
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  return { proxy, app, client, upstream };
}

async function useTunnel(): Promise<Ends> {
  const ends = await useAsked();
  ends.upstream.send(SWITCH);
  await ends.client.has('\r\n\r\n');
  return ends;
}

test('an upgrade that is configured passes, and then bytes both ways', async () => {
  const { client, upstream } = await useTunnel();
  expect(headerOf(upstream.text, 'upgrade')).toBe('websocket');
  expect(headerOf(upstream.text, 'connection')).toBe('Upgrade');
  expect(headerOf(upstream.text, 'sec-websocket-key')).toBe('k');
  expect(client.text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
  expect(headerOf(client.text, 'upgrade')).toBe('websocket');
  expect(headerOf(client.text, 'connection')).toBe('Upgrade');
  client.send('\x81\x00GET / HTTP/1.1\r\n\r\n');
  await upstream.endsWith('\x81\x00GET / HTTP/1.1\r\n\r\n');
  upstream.send('HTTP/1.1 500 not a head\r\n\r\n\xff');
  await client.endsWith('not a head\r\n\r\n\xff');
});

test('what comes right behind the 101, or right behind the request, is part of the tunnel', async () => {
  const { client, upstream } = await useAsked(undefined, `${ASK}early`);
  upstream.send(`${SWITCH}first`);
  await client.endsWith('\r\n\r\nfirst');
  await upstream.endsWith('early');
});

test('each side of a tunnel may end by itself, and what the other still says arrives', async () => {
  const { client, upstream } = await useTunnel();
  client.end('last words');
  await upstream.endsWith('last words');
  await eventually('the end arrives', () => upstream.hasEnded);
  upstream.send('still here');
  await client.endsWith('still here');
  expect(client.hasEnded).toBe(false);
  upstream.end(', bye');
  expect(await client.over()).toMatch(/still here, bye$/);
});

test('a tunnel that both sides have ended is over, without a failure, and nothing of it is lost', async () => {
  const { proxy, client, upstream } = await useTunnel();
  client.socket.pause();
  client.end();
  await eventually('the end arrives', () => upstream.hasEnded);
  const long = 'x'.repeat(3_000_000);
  upstream.end(`${long}END`);
  await eventually('the server has said all', () => upstream.isClosed);
  client.socket.resume();
  expect((await client.over()).length).toBeGreaterThan(long.length);
  expect(client.text.endsWith('END')).toBe(true);
  await eventually('it is told', () => proxy.lines.length > 0);
  expect(proxy.lines[0]).toMatch(/" 101 /);
  expect(proxy.lines[0]).not.toContain('reset');
});

test('a tunnel whose server is killed is cut', async () => {
  const { client, upstream } = await useTunnel();
  upstream.socket.resetAndDestroy();
  await eventually('the client sees it', () => client.isClosed || client.hasEnded);
});

test('a tunnel whose client is gone takes its server with it', async () => {
  const { client, upstream } = await useTunnel();
  client.socket.resetAndDestroy();
  await eventually('the server sees it', () => upstream.isClosed || upstream.hasEnded);
});

test('a slow end of a tunnel makes the other wait', async () => {
  const { client, upstream } = await useTunnel();
  upstream.socket.pause();
  await client.fill('x'.repeat(100_000), 60e6);
});

test('of several that are offered the one passes that is configured', async () => {
  const several = ASK.replace('Upgrade: WebSocket', 'Upgrade: h2c , WebSocket, TLS/1.0');
  const { client, upstream } = await useAsked(undefined, several);
  expect(headerOf(upstream.text, 'upgrade')).toBe('websocket');
  upstream.send(`${SWITCH}through`);
  await client.endsWith('through');
});

test('an upgrade that is not configured is an ordinary request', async () => {
  const { client, upstream } = await useAsked({});
  expect(headerOf(upstream.text, 'upgrade')).toBeNull();
  expect(headerOf(upstream.text, 'connection')).toBeNull();
  upstream.send(ok('no'));
  await client.endsWith('no');
});

test('a server may decline to upgrade, and its connection goes on', async () => {
  const { client, upstream } = await useAsked();
  upstream.send(ok('later'));
  await client.endsWith('later');
  client.send('GET /2 HTTP/1.1\r\nHost: web\r\n\r\n');
  await upstream.has('GET /2 ');
});

test.each([
  ['where nobody asked', {}, SWITCH],
  ['to something else', { upgrades: ['websocket'] }, SWITCH.replace('Upgrade: websocket', 'Upgrade: h2c')],
])('a server that switches %s gets no tunnel', async (_what, nodemesh, switching) => {
  const { client, upstream } = await useAsked(nodemesh);
  upstream.send(switching);
  expect(await client.has('switched to what nobody asked for')).toMatch(/^HTTP\/1\.1 502 /);
  await eventually('the server is left', () => upstream.isClosed || upstream.hasEnded);
});

test('CONNECT opens a tunnel where it is configured', async () => {
  const app = await useRawBackend((connection) => connection.send('220 ready\r\n'));
  const dtab = '/svc => /$/io.buoyant.hostportPfx/host ; /host/db => /$/inet/127.0.0.1';
  const config = routed(dtab, { nodemesh: { connect: true } });
  const proxy = await useStaticProxy(config);
  const client = rawClient(proxy.url, `CONNECT db:${app.port} HTTP/1.1\r\nHost: db:${app.port}\r\n\r\n`);
  expect(await client.endsWith('220 ready\r\n')).toMatch(/^HTTP\/1\.1 200 [^\r\n]*\r\n\r\n220 ready/);
  client.send('HELO\r\n');
  await (await app.connection(0)).has('HELO\r\n');
  client.end();
  await eventually('the end arrives', () => app.connections[0]?.hasEnded);
});

test('CONNECT where it is not configured is refused, and nothing is connected to', async () => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const client = rawClient(proxy.url, 'CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\nHELO\r\n');
  expect(await client.over()).toMatch(/^HTTP\/1\.1 501 [\s\S]*not-supported: CONNECT/);
  expect(app.connections).toHaveLength(0);
});

test('a proxy that ends waits for a tunnel as long as its grace, and no longer', async () => {
  const { proxy, client } = await useTunnel();
  const closed = proxy.close(300);
  await eventually('the tunnel is cut', () => client.isClosed || client.hasEnded);
  await closed;
  await expect(send(proxy.url)).rejects.toThrow();
});

test('an offer to upgrade in HTTP/1.0 is ignored', async () => {
  const { client, upstream } = await useAsked(undefined, ASK.replace('HTTP/1.1', 'HTTP/1.0'));
  expect(headerOf(upstream.text, 'upgrade')).toBeNull();
  upstream.send(ok('no'));
  expect(await client.over()).toMatch(/no$/);
});
