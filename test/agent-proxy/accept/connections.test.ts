/** Connections of clients: how many, how long without a request, how slow a head may be, and how many requests ahead. */
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { type StaticProxyOptions, useStaticProxy } from '../../fixtures/proxy.ts';
import { headerOf, ok, rawClient, useAnsweringBackend, useRawBackend } from '../../fixtures/raw-socket.ts';
import { type Keys, server, straight } from '../../fixtures/static-config.ts';

async function useWeb(keys: Keys, options: StaticProxyOptions = {}) {
  const app = await useAnsweringBackend(() => ok('hello'));
  return { app, proxy: await useStaticProxy(straight({ web: app.port }, server(keys)), options) };
}

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';

test('a head that does not come in time is answered 408, however its bytes drip', async () => {
  const { app, proxy } = await useWeb({ nodemesh: { headTimeoutMs: 300 } });
  const client = rawClient(proxy.url, 'GET / HTTP/1.1\r\n');
  const startedAt = performance.now();
  const drip = setInterval(() => client.send('X: 1\r\n'), 50);
  const answer = await client.over();
  clearInterval(drip);
  expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*bad-request: its head did not come in time/);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(app.connections).toHaveLength(0);
});

test('the time of a head runs anew for each request', async () => {
  const { proxy } = await useWeb({ nodemesh: { headTimeoutMs: 400 } });
  const client = rawClient(proxy.url);
  for (let count = 1; count <= 4; count += 1) {
    client.send(GET.slice(0, 20));
    await new Promise((resolve) => setTimeout(resolve, 200));
    client.send(GET.slice(20));
    await client.until('it is answered', (text) => text.match(/hello/g)?.length === count);
  }
});

test('a connection without a request is closed after its idle time, before its first and after its last', async () => {
  const { proxy } = await useWeb({ serverSession: { idleTimeMs: 200 } });
  const silent = rawClient(proxy.url);
  expect(await silent.over(1_500)).toBe('');
  const client = rawClient(proxy.url, GET);
  await client.endsWith('hello');
  await eventually('it is closed', () => client.hasEnded || client.isClosed, 1_500);
});

test('a connection at work is not idle', async () => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }, server({ serverSession: { idleTimeMs: 150 } })));
  const client = rawClient(proxy.url, GET);
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  await new Promise((resolve) => setTimeout(resolve, 500));
  upstream.send(ok('late'));
  await client.endsWith('late');
});

test('an old connection is closed after its request', async () => {
  const { proxy } = await useWeb({ serverSession: { lifeTimeMs: 200 } });
  const client = rawClient(proxy.url, GET);
  expect(headerOf(await client.endsWith('hello'), 'connection')).toBeNull();
  await new Promise((resolve) => setTimeout(resolve, 300));
  client.send(GET);
  const answers = await client.over();
  expect(answers.match(/hello/g)).toHaveLength(2);
  expect(answers).toMatch(/Connection: close/);
});

test.each([
  ['of its server', { nodemesh: { maxConnections: 3 } }, {}],
  ['that the limit of open files allows', {}, { maxConnections: 3 }],
])(
  'connections beyond the number %s are closed at once, and the others suffer nothing',
  async (_what, keys, options) => {
    const { proxy } = await useWeb(keys, options);
    const clients = [1, 2, 3].map(() => rawClient(proxy.url, GET));
    for (const client of clients) await client.endsWith('hello');
    const fourth = rawClient(proxy.url, GET);
    await eventually('it is closed', () => fourth.hasEnded || fourth.isClosed);
    expect(fourth.text).toBe('');
    clients[0]?.send(GET);
    await clients[0]?.until('it is answered', (text) => text.match(/hello/g)?.length === 2);
    clients[1]?.socket.destroy();
    await eventually(
      'there is room again',
      async () => (await send(proxy.url, { headers: { Host: 'web' } })).status === 200,
    );
  },
);

test('requests that come ahead of their turn are answered in order', async () => {
  const seen: string[] = [];
  const app = await useRawBackend((connection) => {
    connection.socket.on('data', () => {
      const paths = connection.text.match(/GET \S+/g) ?? [];
      const path = paths.at(-1) ?? '';
      seen.push(path);
      // The earlier, the slower.
      setTimeout(() => connection.send(ok(path)), 60 - 10 * seen.length);
    });
  });
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const client = rawClient(proxy.url, [1, 2, 3, 4, 5].map((index) => GET.replace('/', `/${index}`)).join(''));
  const text = await client.endsWith('GET /5');
  expect(text.match(/GET \/\d/g)).toEqual(['GET /1', 'GET /2', 'GET /3', 'GET /4', 'GET /5']);
  expect(seen).toHaveLength(5);
});

test('requests that come ahead do not pile up: their client has to wait', async () => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const client = rawClient(proxy.url, GET);
  await (await app.connection(0)).has('\r\n\r\n');
  await client.fill(`GET /${'x'.repeat(1_000)} HTTP/1.1\r\nHost: web\r\n\r\n`.repeat(20), 20e6);
  expect(app.connections).toHaveLength(1);
});

test('empty lines before a request are ignored', async () => {
  const { proxy } = await useWeb({});
  const client = rawClient(proxy.url, `\r\n\r\n${GET}`);
  await client.endsWith('hello');
  client.send('\r\n');
  client.send(GET);
  await client.until('the second is answered', (text) => text.match(/hello/g)?.length === 2);
});

test('a head may come octet by octet', async () => {
  const { proxy } = await useWeb({});
  const client = rawClient(proxy.url);
  for (const octet of `${GET}${GET}`) {
    client.send(octet);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.until('both are answered', (text) => text.match(/hello/g)?.length === 2);
});
