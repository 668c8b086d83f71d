/** WebSocket and CONNECT through a proxy as its own process, where they are configured and where they are not. */
import { expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { router, useProxyProcess } from '../fixtures/proxy-process.ts';
import { headerOf, ok, rawClient, useAnsweringBackend, useRawBackend } from '../fixtures/raw-socket.ts';

const HANDSHAKE =
  'GET /chat HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
/** RFC 6455 1.3: the answer to that key. */
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

it('a websocket passes where it is configured, and its frames as they are', async () => {
  const app = await useRawBackend();
  const proxy = await useProxyProcess({
    routers: [router(`/svc/* => /$/inet/127.0.0.1/${app.port}`, { nodemesh: { upgrades: ['websocket'] } })],
  });
  const client = rawClient(proxy.url, HANDSHAKE);
  const upstream = await app.connection(0);
  const head = await upstream.has('\r\n\r\n');
  expect(headerOf(head, 'sec-websocket-key')).toBe('dGhlIHNhbXBsZSBub25jZQ==');
  upstream.send(SWITCH);
  expect(headerOf(await client.has('\r\n\r\n'), 'sec-websocket-accept')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  client.send('\x81\x85\x00\x00\x00\x00hello');
  await upstream.endsWith('\x81\x85\x00\x00\x00\x00hello');
  upstream.send('\x81\x05world');
  await client.endsWith('\x81\x05world');
  upstream.end('\x88\x00');
  await client.endsWith('\x88\x00');
  await eventually('the end arrives', () => client.hasEnded);
});

it('where neither is configured, a handshake is an ordinary request and CONNECT is refused', async () => {
  const app = await useAnsweringBackend(() => ok('plain'));
  const proxy = await useProxyProcess({ routers: [router(`/svc/* => /$/inet/127.0.0.1/${app.port}`)] });
  expect(await rawClient(proxy.url, HANDSHAKE).endsWith('plain')).toMatch(/^HTTP\/1\.1 200 /);
  expect(headerOf(app.connections[0]?.text ?? '', 'upgrade')).toBeNull();
  const refused = await rawClient(proxy.url, 'CONNECT web:443 HTTP/1.1\r\nHost: web:443\r\n\r\n').over();
  expect(refused).toMatch(/^HTTP\/1\.1 501 /);
  expect(app.connections).toHaveLength(1);
});

it('CONNECT opens a tunnel to what the name leads to, where it is configured', async () => {
  const app = await useRawBackend((connection) => connection.send('220 ready\r\n'));
  const proxy = await useProxyProcess({
    routers: [
      router('/svc => /$/io.buoyant.hostportPfx/host ; /host/db => /$/inet/127.0.0.1', { nodemesh: { connect: true } }),
    ],
  });
  const authority = `db:${app.port}`;
  const client = rawClient(proxy.url, `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  expect(await client.endsWith('220 ready\r\n')).toMatch(/^HTTP\/1\.1 200 [^\r\n]*\r\n\r\n220 ready/);
  client.send('HELO\r\n');
  const upstream = await app.connection(0);
  await upstream.endsWith('HELO\r\n');
  expect(upstream.text).toBe('HELO\r\n');
  client.end();
  await eventually('the end arrives', () => upstream.hasEnded);
});
