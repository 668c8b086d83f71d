/** Clients and servers that go away, or end their side, at any point of a request. */
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { type StaticProxy, useStaticProxy } from '../../fixtures/proxy.ts';
import { headerOf, ok, type RawBackend, type RawSocket, rawClient, useRawBackend } from '../../fixtures/raw-socket.ts';
import { client as clientKeys, type Keys, straight } from '../../fixtures/static-config.ts';

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 10\r\n\r\n';
const SOON_MS = 1_000;

interface Ends {
  readonly proxy: StaticProxy;
  readonly app: RawBackend;
  readonly client: RawSocket;
  readonly upstream: RawSocket;
}

async function useAsked(bytes = GET, router: Keys = {}): Promise<Ends> {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }, router));
  const client = rawClient(proxy.url, bytes);
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  return { proxy, app, client, upstream };
}

function isOver(socket: RawSocket): boolean {
  return socket.isClosed || socket.hasEnded;
}

/** The line of the access log of the first request that is over. */
function lineOf(proxy: StaticProxy): Promise<string> {
  return eventually('it is told', () => proxy.lines.find((line) => line.includes('HTTP/1.')));
}

test.each([
  ['cuts its connection', (client: RawSocket) => client.socket.resetAndDestroy()],
  ['closes its connection', (client: RawSocket) => client.socket.destroy()],
])('a client that %s takes its request upstream with it, within a second', async (_how, leave) => {
  const { proxy, client, upstream } = await useAsked();
  leave(client);
  await eventually('the server sees it', () => isOver(upstream), SOON_MS);
  expect(await lineOf(proxy)).toContain('client-gone');
});

test.each([
  ['cuts its connection', (client: RawSocket) => client.socket.resetAndDestroy()],
  ['closes its connection', (client: RawSocket) => client.socket.destroy()],
])('a client that %s in the middle of its answer takes it upstream, too', async (_how, leave) => {
  const { client, upstream } = await useAsked();
  upstream.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
  await client.endsWith('3\r\none\r\n');
  leave(client);
  // Nothing is written any more that would find out.
  await eventually('the server sees it', () => isOver(upstream), 2 * SOON_MS);
});

test('a client that leaves in the middle of its body takes its request upstream with it', async () => {
  const { proxy, client, upstream } = await useAsked(`${POST}01234`);
  await upstream.endsWith('01234');
  client.socket.destroy();
  await eventually('the server sees it', () => isOver(upstream), SOON_MS);
  expect(upstream.text.endsWith('01234')).toBe(true);
  expect(await lineOf(proxy)).toContain('client-gone');
});

test('a client that ends its side after its request still gets its answer', async () => {
  const { client, upstream } = await useAsked();
  client.end();
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(isOver(upstream)).toBe(false);
  upstream.send(ok('here it is'));
  const answer = await client.over();
  expect(answer).toMatch(/here it is$/);
  expect(answer).toMatch(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)*HTTP\/1\.1 200 OK\r\n/);
});

test('a client of HTTP/1.0 that ends its side gets its answer, and nothing before it', async () => {
  const { client, upstream } = await useAsked('GET / HTTP/1.0\r\nHost: web\r\n\r\n');
  client.end();
  await new Promise((resolve) => setTimeout(resolve, 600));
  upstream.send(ok('here it is'));
  expect(await client.over()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*here it is$/);
});

test('a client that ends its side behind several requests gets all of their answers', async () => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const client = rawClient(proxy.url);
  client.end(GET.replace('/', '/1') + GET.replace('/', '/2') + GET.replace('/', '/3'));
  const upstream = await app.connection(0);
  for (const path of ['/1', '/2', '/3']) {
    await eventually(`${path} comes`, () => app.connections.some(({ text }) => text.includes(`GET ${path} `)));
    app.connections.find(({ text }) => text.includes(`GET ${path} `))?.send(ok(`answer to ${path}`));
  }
  expect(upstream.text).toContain('GET /1 ');
  const answers = await client.over();
  expect(answers.match(/answer to \/\d/g)).toEqual(['answer to /1', 'answer to /2', 'answer to /3']);
});

test('a server that dies before its answer: 502, and the reason', async () => {
  const { proxy, client, upstream } = await useAsked(`${POST}0123456789`);
  await upstream.endsWith('0123456789');
  upstream.socket.resetAndDestroy();
  const answer = await client.has('\n', SOON_MS);
  expect(answer).toMatch(/^HTTP\/1\.1 502 /);
  expect(await client.has('reset: ')).toMatch(
    /reset: \/svc\/web is \/\$\/inet\/127\.0\.0\.1\/\d+: 127\.0\.0\.1:\d+ at 127\.0\.0\.1:\d+: ECONNRESET/,
  );
  expect(headerOf(answer, 'l5d-retryable')).toBeNull();
  expect(await lineOf(proxy)).toContain('reset');
});

test.each([
  ['a length', 'Content-Length: 100\r\n\r\n0123456789'],
  ['chunks', 'Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n'],
])(
  'a server that dies in the middle of a body with %s: the client sees that it is not complete',
  async (_how, rest) => {
    const { proxy, client, upstream } = await useAsked();
    upstream.send(`HTTP/1.1 200 OK\r\n${rest}`);
    await client.until('the beginning comes', (text) => text.includes('0123456789'));
    upstream.socket.destroy();
    await eventually('the client is cut', () => isOver(client), SOON_MS);
    expect(client.text.endsWith('0\r\n\r\n')).toBe(false);
    const line = await lineOf(proxy);
    expect(line).toMatch(/" 200 /);
    expect(line).toContain('reset');
  },
);

test('a client of HTTP/1.0, to whom the end of the connection is the end of the body, is cut with a reset', async () => {
  const { client, upstream } = await useAsked('GET / HTTP/1.0\r\nHost: web\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n');
  await client.endsWith('0123456789');
  upstream.socket.destroy();
  await eventually('the client is cut', () => client.isClosed || client.hasEnded, SOON_MS);
  expect(client.error).toBe('ECONNRESET');
});

test.each([
  ['a bad chunk', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n'],
  ['a chunk without its end', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabcdefg'],
])('a body of an answer with %s cuts both connections', async (_what, rest) => {
  const { proxy, client, upstream } = await useAsked();
  upstream.send(`HTTP/1.1 200 OK\r\n${rest}`);
  await eventually('the client is cut', () => isOver(client), SOON_MS);
  await eventually('the server is left', () => isOver(upstream), SOON_MS);
  expect(client.text.endsWith('0\r\n\r\n')).toBe(false);
  expect(await lineOf(proxy)).toContain('bad-response');
});

test.each([
  ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['differing lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'],
  ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['a space before a colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
  ['no status', 'HTTP/1.1 OK\r\n\r\n'],
  ['a coding beyond chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['a head too long', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ['no HTTP at all', '220 smtp ready\r\n'],
])('an answer with %s is answered 502, and its connection closed', async (_what, bytes) => {
  const { proxy, client, upstream } = await useAsked();
  upstream.send(bytes);
  const answer = await client.has('bad-response: ', SOON_MS);
  expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
  expect(headerOf(answer, 'connection')).toBeNull();
  await eventually('the server is left', () => isOver(upstream), SOON_MS);
  expect(await lineOf(proxy)).toContain('bad-response');
  client.send(GET);
});

test('a fault in a body that has begun closes both connections, and the server cannot take it for complete', async () => {
  const { proxy, client, upstream } = await useAsked(
    'POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
  );
  await upstream.endsWith('abc\r\n');
  client.send('xyz\r\n0\r\n\r\n');
  await eventually('the server is left', () => isOver(upstream), SOON_MS);
  expect(upstream.text.slice(upstream.text.indexOf('\r\n\r\n') + 4)).not.toContain('0\r\n\r\n');
  expect(await client.over()).toMatch(/^HTTP\/1\.1 400 [\s\S]*bad-request: the size of a chunk/);
  const figures = Object.entries(await metrics(proxy));
  expect(figures.find(([name]) => /^rt\/http\/server\/.*\/requests$/.test(name))?.[1]).toBe(1);
});

test('a fault in the first bytes of a body: the server hears nothing of it', async () => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const head = 'POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n';
  expect(await rawClient(proxy.url, `${head}xyz\r\n`).over()).toMatch(/^HTTP\/1\.1 400 /);
  expect(app.connections.map(({ text }) => text).join('')).toBe('');
});

async function metrics(proxy: StaticProxy): Promise<Record<string, number>> {
  return (await (await fetch(`${proxy.admin}/admin/metrics.json`)).json()) as Record<string, number>;
}

test('a body that stops coming is answered 408, and its server left', async () => {
  const servers = [{ port: 4140, nodemesh: { bodyTimeoutMs: 200 } }];
  const { client, upstream } = await useAsked(`${POST}01234`, { servers });
  await upstream.endsWith('01234');
  expect(await client.over()).toMatch(/^HTTP\/1\.1 408 [\s\S]*body did not go on in time/);
  await eventually('the server is left', () => isOver(upstream), SOON_MS);
});

test('a client that sends no more once it has its answer is not waited for', async () => {
  const servers = [{ port: 4140, nodemesh: { bodyTimeoutMs: 200 } }];
  const { client, upstream } = await useAsked(`${POST}01234`, { servers });
  await upstream.endsWith('01234');
  upstream.send(ok('enough'));
  await client.endsWith('enough');
  await eventually('it is left', () => isOver(client), SOON_MS);
  expect(client.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
});

test('an answer that is read for nobody, because another attempt is made, does not hold its connection for long', async () => {
  const retried = {
    service: {
      kind: 'io.l5d.static',
      configs: [{ prefix: '/', responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' } }],
    },
    ...clientKeys({ failureAccrual: { kind: 'none' } }),
  };
  const { app, client, upstream } = await useAsked(GET, retried);
  upstream.send('HTTP/1.1 500 No\r\nContent-Length: 1000\r\n\r\nendless');
  const second = await app.connection(1);
  await second.has('\r\n\r\n');
  second.send(ok('fine'));
  await client.endsWith('fine');
  await eventually('the first connection is left', () => isOver(upstream), 4_000);
});
