/** How a body is framed on its way through, for each kind of framing and each version on either side. */
import { expect, test } from 'vitest';
import { type StaticProxy, useStaticProxy } from '../../fixtures/proxy.ts';
import {
  askRaw,
  headerOf,
  ok,
  type RawBackend,
  rawClient,
  useAnsweringBackend,
  useRawBackend,
} from '../../fixtures/raw-socket.ts';
import { straight } from '../../fixtures/static-config.ts';

async function useWeb(answer: string): Promise<{ proxy: StaticProxy; app: RawBackend }> {
  const app = await useAnsweringBackend(() => answer);
  return { app, proxy: await useStaticProxy(straight({ web: app.port })) };
}

/** One request, and what comes of it until the proxy hangs up. */
function ask(proxy: StaticProxy, start = 'GET / HTTP/1.1', lines = 'Connection: close\r\n'): Promise<string> {
  return askRaw(proxy.url, `${start}\r\nHost: web\r\n${lines}\r\n`);
}

function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf('\r\n\r\n') + 4);
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

test('a body with a length keeps it', async () => {
  const { proxy } = await useWeb(ok('hello'));
  const answer = await ask(proxy);
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(headerOf(answer, 'content-length')).toBe('5');
  expect(bodyOf(answer)).toBe('hello');
});

test('a body in chunks stays in chunks, without their extensions, and with its trailers', async () => {
  const { proxy } = await useWeb(`${CHUNKED}5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 42\r\nContent-Length: 9\r\n\r\n`);
  const answer = await ask(proxy);
  expect(headerOf(answer, 'transfer-encoding')).toBe('chunked');
  expect(bodyOf(answer)).toBe('5\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 42\r\n\r\n');
});

test('a body in chunks arrives in chunks at the server, with its trailers', async () => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const body = '3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n';
  const client = rawClient(proxy.url, `POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
  const upstream = await app.connection(0);
  await upstream.endsWith(body);
  upstream.send(ok('done'));
  await client.endsWith('done');
});

test('a body that only its end of the connection ends is put into chunks, and the client keeps its connection', async () => {
  const app = await useAnsweringBackend((_head, { socket }) => {
    socket.end('HTTP/1.1 200 OK\r\n\r\nall of it');
    return '';
  });
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const client = rawClient(proxy.url, 'GET /1 HTTP/1.1\r\nHost: web\r\n\r\n');
  const answer = await client.endsWith('0\r\n\r\n');
  expect(headerOf(answer, 'transfer-encoding')).toBe('chunked');
  expect(bodyOf(answer)).toBe('9\r\nall of it\r\n0\r\n\r\n');
  client.send('GET /2 HTTP/1.1\r\nHost: web\r\n\r\n');
  await client.until('the second answer comes', (text) => text.match(/all of it/g)?.length === 2);
});

test('an answer to HEAD has no body, whatever its head says, and its connection is used again', async () => {
  const { proxy, app } = await useWeb('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
  const client = rawClient(proxy.url);
  for (let count = 1; count <= 3; count += 1) {
    client.send('HEAD / HTTP/1.1\r\nHost: web\r\n\r\n');
    const text = await client.until('it is answered', (all) => all.split('\r\n\r\n').length === count + 1);
    expect(headerOf(text, 'content-length')).toBe('1000');
  }
  expect(app.connections).toHaveLength(1);
});

test.each([204, 304])('an answer of status %d has no body', async (status) => {
  const { proxy, app } = await useWeb(`HTTP/1.1 ${status} X\r\nETag: "a"\r\n\r\n`);
  const client = rawClient(proxy.url);
  for (let count = 1; count <= 2; count += 1) {
    client.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    await client.until('it is answered', (all) => all.split('\r\n\r\n').length === count + 1);
  }
  expect(client.text).not.toMatch(/transfer-encoding/i);
  expect(app.connections).toHaveLength(1);
});

test('a length that a 204 has no right to is not passed on', async () => {
  const { proxy } = await useWeb('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n');
  expect(headerOf(await ask(proxy), 'content-length')).toBeNull();
});

test('a client of HTTP/1.0 gets no chunks: its body ends with the connection', async () => {
  const { proxy } = await useWeb(`${CHUNKED}5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n`);
  const answer = await ask(proxy, 'GET / HTTP/1.0', 'Connection: keep-alive\r\n');
  expect(headerOf(answer, 'transfer-encoding')).toBeNull();
  expect(headerOf(answer, 'connection')).toBe('close');
  expect(bodyOf(answer)).toBe('hello');
});

test('a client of HTTP/1.0 hears of no transfer coding in an answer to HEAD either', async () => {
  const { proxy } = await useWeb(CHUNKED);
  const answer = await ask(proxy, 'HEAD / HTTP/1.0', '');
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(headerOf(answer, 'transfer-encoding')).toBeNull();
});

test('a client of HTTP/1.0 keeps its connection where it asks to and the length is known', async () => {
  const { proxy } = await useWeb(ok('hello'));
  const client = rawClient(proxy.url, 'GET /1 HTTP/1.0\r\nHost: web\r\nConnection: keep-alive\r\n\r\n');
  expect(headerOf(await client.endsWith('hello'), 'connection')).toBe('keep-alive');
  client.send('GET /2 HTTP/1.0\r\nHost: web\r\n\r\n');
  const answers = await client.over();
  expect(answers.match(/hello/g)).toHaveLength(2);
  expect(answers).toMatch(/Connection: close/);
});

test('a request of HTTP/1.0 goes on as HTTP/1.1, with the version that came in Via', async () => {
  const { proxy, app } = await useWeb(ok('hello'));
  await ask(proxy, 'GET / HTTP/1.0', '');
  expect(app.connections[0]?.text).toMatch(/^GET \/ HTTP\/1\.1\r\n/);
  expect(headerOf(app.connections[0]?.text ?? '', 'via')).toBe('1.0 nodemesh');
});

test('a server of HTTP/1.0 is understood, and its connection not used again', async () => {
  const app = await useAnsweringBackend((_head, { socket }) => {
    socket.end('HTTP/1.0 200 OK\r\n\r\nold');
    return '';
  });
  const proxy = await useStaticProxy(straight({ web: app.port }));
  for (let index = 0; index < 2; index += 1) expect(bodyOf(await ask(proxy))).toBe('3\r\nold\r\n0\r\n\r\n');
  expect(app.connections).toHaveLength(2);
});

test('the authority of an absolute target is the Host, and the rest of it goes on as it was written', async () => {
  const { proxy, app } = await useWeb(ok('hello'));
  const lines = 'Host: other\r\nConnection: close\r\n';
  await askRaw(proxy.url, `GET http://web/a%2Fb%20c?a=b%26c HTTP/1.1\r\n${lines}\r\n`);
  const head = app.connections[0]?.text ?? '';
  expect(head).toMatch(/^GET \/a%2Fb%20c\?a=b%26c HTTP\/1\.1\r\n/);
  expect(headerOf(head, 'host')).toBe('web');
  expect(head.match(/^host:/gim)).toHaveLength(1);
});
