/** Connections to servers that must not be used again, and requests that meet one that dies. */
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { type StaticProxy, useStaticProxy } from '../../fixtures/proxy.ts';
import { headerOf, ok, type RawBackend, type RawSocket, rawClient, useRawBackend } from '../../fixtures/raw-socket.ts';
import { straight } from '../../fixtures/static-config.ts';

interface Setting {
  readonly app: RawBackend;
  readonly proxy: StaticProxy;
}

async function useWeb(): Promise<Setting> {
  const app = await useRawBackend();
  return { app, proxy: await useStaticProxy(straight({ web: app.port })) };
}

/** A request whose answer is these bytes, on the connection with this index. */
async function answered({ app, proxy }: Setting, index: number, answer: string, last: string): Promise<RawSocket> {
  const client = rawClient(proxy.url, 'GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  const upstream = await app.connection(index);
  await upstream.has('\r\n\r\n');
  upstream.send(answer);
  await client.endsWith(last);
  return upstream;
}

test.each([
  ['bytes behind a complete answer', `${ok('first')}HTTP/1.1 200 OK\r\n`],
  ['a whole answer behind the one', `${ok('first')}${ok('smuggled')}`],
  ['Connection: close', ok('first', 'Connection: close\r\n')],
  ['HTTP/1.0 without keep-alive', ok('first').replace('1.1', '1.0')],
])('a connection with %s is not used again', async (_what, answer) => {
  const setting = await useWeb();
  const first = await answered(setting, 0, answer, 'first');
  await eventually('it is left', () => first.isClosed || first.hasEnded);
  await answered(setting, 1, ok('second'), 'second');
});

test('a server of HTTP/1.0 that keeps its connection is asked again on it', async () => {
  const setting = await useWeb();
  const answer = ok('first', 'Connection: keep-alive\r\n').replace('1.1', '1.0');
  const upstream = await answered(setting, 0, answer, 'first');
  const client = rawClient(setting.proxy.url, 'GET /2 HTTP/1.1\r\nHost: web\r\n\r\n');
  await upstream.has('GET /2 ');
  upstream.send(ok('second'));
  await client.endsWith('second');
});

test("bytes on a connection that nobody uses close it, and are nobody's answer", async () => {
  const setting = await useWeb();
  const first = await answered(setting, 0, ok('first'), 'first');
  first.send(ok('smuggled'));
  await eventually('it is left', () => first.isClosed || first.hasEnded);
  await answered(setting, 1, ok('second'), 'second');
});

test('an answer before its request is out ends the connection', async () => {
  const { app, proxy } = await useWeb();
  const client = rawClient(proxy.url, 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 10\r\n\r\n01234');
  const upstream = await app.connection(0);
  await upstream.endsWith('01234');
  upstream.send(ok('early'));
  await client.endsWith('early');
  await eventually('it is left', () => upstream.isClosed || upstream.hasEnded);
  client.send('56789GET /2 HTTP/1.1\r\nHost: web\r\n\r\n');
  expect(await (await app.connection(1)).has('\r\n\r\n')).toMatch(/^GET \/2 /);
});

/** A connection that was used once; the next request on it is read, and the connection dies. */
async function dyingOnReuse({ app, proxy }: Setting, request: string): Promise<RawSocket> {
  const first = await answered({ app, proxy }, 0, ok('first'), 'first');
  const client = rawClient(proxy.url, request);
  await first.until('the second comes', (text) => text.split('\r\n\r\n').length > 2 || text.includes('POST'));
  first.socket.resetAndDestroy();
  return client;
}

test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])(
  '%s on an old connection that dies is sent again',
  async (method) => {
    const setting = await useWeb();
    const client = await dyingOnReuse(setting, `${method} / HTTP/1.1\r\nHost: web\r\n\r\n`);
    const second = await setting.app.connection(1);
    await second.has('\r\n\r\n');
    second.send(method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n' : ok('again'));
    await client.has('HTTP/1.1 200 ');
  },
);

test.each(['POST', 'PATCH'])('%s is not: it may have been taken', async (method) => {
  const setting = await useWeb();
  const body = 'Content-Length: 4\r\n\r\nonce';
  const first = await answered(setting, 0, ok('first'), 'first');
  const client = rawClient(setting.proxy.url, `${method} / HTTP/1.1\r\nHost: web\r\n${body}`);
  await first.endsWith('once');
  first.socket.resetAndDestroy();
  const answer = await client.has('reset: ');
  expect(answer).toMatch(/^HTTP\/1\.1 502 /);
  expect(headerOf(answer, 'l5d-retryable')).toBeNull();
  expect(setting.app.connections).toHaveLength(1);
});

test('a request with a body is sent again with all of it', async () => {
  const setting = await useWeb();
  const first = await answered(setting, 0, ok('first'), 'first');
  const client = rawClient(setting.proxy.url, 'PUT / HTTP/1.1\r\nHost: web\r\nContent-Length: 8\r\n\r\nfull');
  await first.endsWith('full');
  first.socket.resetAndDestroy();
  const second = await setting.app.connection(1);
  await second.endsWith('full');
  client.send('body');
  await second.endsWith('\r\n\r\nfullbody');
  second.send(ok('again'));
  await client.endsWith('again');
});

test('once a byte of an answer has come, nothing is sent again', async () => {
  const setting = await useWeb();
  const first = await answered(setting, 0, ok('first'), 'first');
  const client = rawClient(setting.proxy.url, 'GET /2 HTTP/1.1\r\nHost: web\r\n\r\n');
  await first.has('GET /2 ');
  first.send('H');
  // The byte and the end come as two events.
  await new Promise((resolve) => setTimeout(resolve, 50));
  first.socket.destroy();
  expect(await client.has('bad-response: ')).toMatch(/^HTTP\/1\.1 502 /);
  expect(setting.app.connections).toHaveLength(1);
});
