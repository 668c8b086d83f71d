/** `compressionLevel` on its way: what is compressed arrives as it was, and what is not is untouched. */
import { gunzipSync, inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { type StaticProxy, useStaticProxy } from '../../fixtures/proxy.ts';
import { askRaw, headerOf, rawClient, useAnsweringBackend, useRawBackend } from '../../fixtures/raw-socket.ts';
import { straight } from '../../fixtures/static-config.ts';

const TEXT = 'a line of text that repeats itself\n'.repeat(2_000);
const GET = 'GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n';

async function useText(lines = 'Content-Type: text/plain\r\nETag: "v1"\r\n', level = 6): Promise<StaticProxy> {
  const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${TEXT.length}\r\n${lines}\r\n`;
  const app = await useAnsweringBackend((head) => answer + (head.startsWith('HEAD') ? '' : TEXT));
  return await useStaticProxy(straight({ web: app.port }, { compressionLevel: level }));
}

/** The content of an answer in chunks. */
function content(answer: string): Buffer {
  let rest = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  let all = '';
  for (;;) {
    const size = Number.parseInt(rest, 16);
    const from = rest.indexOf('\r\n') + 2;
    if (size === 0) return Buffer.from(all, 'latin1');
    all += rest.slice(from, from + size);
    rest = rest.slice(from + size + 2);
  }
}

test.each([
  ['gzip', gunzipSync],
  ['deflate', inflateSync],
])('%s: a text arrives as it was, in fewer bytes', async (coding, unpack) => {
  const proxy = await useText();
  const answer = await askRaw(proxy.url, `${GET}Accept-Encoding: ${coding}\r\n\r\n`);
  expect(headerOf(answer, 'content-encoding')).toBe(coding);
  expect(headerOf(answer, 'content-length')).toBeNull();
  expect(headerOf(answer, 'transfer-encoding')).toBe('chunked');
  expect(headerOf(answer, 'vary')).toBe('Accept-Encoding');
  expect(headerOf(answer, 'etag')).toBe('W/"v1"');
  expect(unpack(content(answer)).toString()).toBe(TEXT);
  expect(answer.length).toBeLessThan(TEXT.length / 10);
});

test.each([
  ['a client that does not ask for it', `${GET}\r\n`, undefined, 6],
  ['a client of HTTP/1.0', `${GET.replace('1.1', '1.0')}Accept-Encoding: gzip\r\n\r\n`, undefined, 6],
  ['what is compressed already', `${GET}Accept-Encoding: gzip\r\n\r\n`, 'Content-Type: image/png\r\n', 6],
  ['what nobody may change', `${GET}Accept-Encoding: gzip\r\n\r\n`, 'Cache-Control: no-transform\r\n', 6],
  ['a router without compression', `${GET}Accept-Encoding: gzip\r\n\r\n`, undefined, 0],
])('not for %s', async (_whom, request, lines, level) => {
  const proxy = await useText(lines, level);
  const answer = await askRaw(proxy.url, request);
  expect(headerOf(answer, 'content-encoding')).toBeNull();
  expect(headerOf(answer, 'content-length')).toBe(String(TEXT.length));
  expect(answer.endsWith(TEXT)).toBe(true);
});

test('an answer to HEAD is the head alone', async () => {
  const proxy = await useText();
  const answer = await askRaw(proxy.url, `${GET.replace('GET', 'HEAD')}Accept-Encoding: gzip\r\n\r\n`);
  expect(answer.endsWith('\r\n\r\n')).toBe(true);
});

test('several answers on one connection do not mix', async () => {
  const proxy = await useText();
  const ask = 'GET / HTTP/1.1\r\nHost: web\r\nAccept-Encoding: gzip\r\n\r\n';
  const client = rawClient(proxy.url, ask.repeat(5));
  const all = await client.until('all are answered', (text) => text.match(/\r\n0\r\n\r\n/g)?.length === 5);
  const answers = all.split(/(?=HTTP\/1\.1 200)/);
  expect(answers.map((answer) => gunzipSync(content(answer)).toString() === TEXT)).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
});

test('a client that reads nothing makes its server wait', async () => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }, { compressionLevel: 1 }));
  const client = rawClient(proxy.url, `${GET}Accept-Encoding: gzip\r\n\r\n`);
  client.socket.pause();
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 400000000\r\n\r\n');
  // Does not compress well.
  const noise = Array.from({ length: 100_000 }, () => String.fromCharCode(33 + Math.random() * 90)).join('');
  await upstream.fill(noise, 60e6);
});

test('a client that is gone in the middle takes its request upstream with it', async () => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }, { compressionLevel: 6 }));
  const client = rawClient(proxy.url, `${GET}Accept-Encoding: gzip\r\n\r\n`);
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n${TEXT}`);
  await client.has('\r\n\r\n');
  client.socket.resetAndDestroy();
  await eventually('the server sees it', () => upstream.isClosed || upstream.hasEnded);
});
