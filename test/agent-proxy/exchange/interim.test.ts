/** Answers before the answer: `100 Continue` and its like, and what a client waits for before it sends its body. */
import { expect, test } from 'vitest';
import { useStaticProxy } from '../../fixtures/proxy.ts';
import { headerOf, ok, type RawSocket, rawClient, useRawBackend } from '../../fixtures/raw-socket.ts';
import { type Keys, straight } from '../../fixtures/static-config.ts';

const EXPECTING = 'POST / HTTP/1.1\r\nHost: web\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n';

async function useWaitingClient(
  bytes: string,
  router: Keys = {},
): Promise<{ client: RawSocket; upstream: RawSocket; url: string }> {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }, router));
  const client = rawClient(proxy.url, bytes);
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  return { client, upstream, url: proxy.url };
}

test('what a client expects is asked of the server, and its 100 told to the client', async () => {
  const { client, upstream } = await useWaitingClient(EXPECTING);
  expect(headerOf(upstream.text, 'expect')).toBe('100-continue');
  expect(client.text).toBe('');
  upstream.send('HTTP/1.1 100 Continue\r\n\r\n');
  expect(await client.has('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('body');
  await upstream.endsWith('\r\n\r\nbody');
  upstream.send(ok('thanks'));
  await client.endsWith('thanks');
  client.send('GET /next HTTP/1.1\r\nHost: web\r\n\r\n');
  await upstream.has('GET /next');
});

test('a server that does not want the body says so at once, and the connection ends: its body may come or not', async () => {
  const { client, upstream } = await useWaitingClient(EXPECTING);
  upstream.send('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno');
  const answer = await client.over();
  expect(answer).toMatch(/^HTTP\/1\.1 417 Expectation Failed\r\n/);
  expect(headerOf(answer, 'connection')).toBe('close');
  expect(answer).toMatch(/\r\n\r\nno$/);
  await upstream.over();
});

test('a client that does not wait for the 100 gets its body through', async () => {
  const { client, upstream } = await useWaitingClient(`${EXPECTING}body`);
  await upstream.endsWith('body');
  upstream.send(ok('thanks'));
  await client.endsWith('thanks');
});

test('a client that never sends what it announced is answered 408', async () => {
  const servers = [{ port: 4140, nodemesh: { bodyTimeoutMs: 200 } }];
  const { client, upstream } = await useWaitingClient(EXPECTING, { servers });
  upstream.send('HTTP/1.1 100 Continue\r\n\r\n');
  expect(await client.over()).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 408 /);
  await upstream.over();
});

test('other interim answers pass, in order', async () => {
  const { client, upstream } = await useWaitingClient('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  upstream.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n');
  await client.has('HTTP/1.1 102 ');
  upstream.send(ok('late'));
  const text = await client.endsWith('late');
  expect(text.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 103', 'HTTP/1.1 102', 'HTTP/1.1 200']);
  expect(headerOf(text, 'link')).toBe('</a.css>');
});

test('a 100 that nobody asked for, and any to a client of HTTP/1.0, is not passed on', async () => {
  const unasked = await useWaitingClient('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  unasked.upstream.send(`HTTP/1.1 100 Continue\r\n\r\n${ok('one')}`);
  expect(await unasked.client.endsWith('one')).toMatch(/^HTTP\/1\.1 200 /);

  const old = await useWaitingClient(EXPECTING.replace('HTTP/1.1', 'HTTP/1.0'));
  expect(headerOf(old.upstream.text, 'expect')).toBeNull();
  old.upstream.send('HTTP/1.1 103 Early Hints\r\n\r\n');
  old.client.send('body');
  await old.upstream.endsWith('body');
  old.upstream.send(ok('two'));
  expect(await old.client.over()).toMatch(/^HTTP\/1\.1 200 [\s\S]*two$/);
});

test('a server that sends interim answers without end to a client that does not read is made to wait', async () => {
  const { client, upstream } = await useWaitingClient('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  client.socket.pause();
  const many = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n'.repeat(1_000);
  await upstream.fill(many, 50e6);
});
