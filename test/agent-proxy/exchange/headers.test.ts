/** Which headers go on to the next hop, which do not, and which the proxy adds, in both directions. */
import { expect, test } from 'vitest';
import { PEER_HEADERS, PEER_HEALTH_HEADER } from '../../../agent-proxy/control/wire-words.ts';
import { type StaticProxy, useStaticProxy } from '../../fixtures/proxy.ts';
import { headerOf, ok, rawClient, useAnsweringBackend } from '../../fixtures/raw-socket.ts';
import { type Keys, server, straight } from '../../fixtures/static-config.ts';

interface Passed {
  /** The head of the request as the server got it, and of the answer as the client got it. */
  readonly request: string;
  readonly response: string;
  readonly proxy: StaticProxy;
}

/** One request with these lines, and an answer with those. */
async function pass(lines: string, answered = '', router: Keys = {}): Promise<Passed> {
  let request = '';
  const app = await useAnsweringBackend((head) => {
    request = head;
    return ok('hello', answered);
  });
  const proxy = await useStaticProxy(straight({ web: app.port, other: app.port }, router));
  const client = rawClient(proxy.url, `GET /p?q HTTP/1.1\r\nHost: web\r\n${lines}\r\n`);
  const text = await client.until('it is answered', (all) => /\r\n\r\n[\s\S]/.test(all) || all.includes('HTTP/1.1 4'));
  return { request, response: text.slice(0, text.indexOf('\r\n\r\n') + 2), proxy };
}

/** Names and values of the lines of a head, in order. */
function linesOf(head: string): string[] {
  return head
    .split('\r\n')
    .slice(1)
    .filter((line) => line !== '');
}

test('what an application sends goes on as it was written: order, case, duplicates', async () => {
  const { request } = await pass('X-B: 2\r\nx-a: 1\r\nX-B:  3  \r\nCookie: a=b\r\nX-Empty:\r\nX-Latin: \xe9\r\n');
  expect(linesOf(request).slice(0, 7)).toEqual([
    'Host: web',
    'X-B: 2',
    'x-a: 1',
    'X-B:  3  ',
    'Cookie: a=b',
    'X-Empty:',
    'X-Latin: \xe9',
  ]);
});

test('the same for an answer', async () => {
  const { response } = await pass('', 'Set-Cookie: a\r\nset-cookie: b\r\nX-Latin: \xe9\r\n');
  expect(linesOf(response).slice(0, 4)).toEqual([
    'Content-Length: 5',
    'Set-Cookie: a',
    'set-cookie: b',
    'X-Latin: \xe9',
  ]);
});

const HOP_LINES =
  'Connection: close, X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n' +
  'TE: trailers\r\nTrailer: X-Sum\r\nUpgrade: h2c\r\nProxy-Authenticate: Basic\r\nX-End: 2\r\n';

test('what belongs to one hop is taken off, with all that Connection names', async () => {
  const { request, response } = await pass(HOP_LINES, HOP_LINES);
  for (const head of [request, response]) {
    for (const name of ['x-hop', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade', 'proxy-authenticate']) {
      expect([name, headerOf(head, name)]).toEqual([name, null]);
    }
    expect(headerOf(head, 'x-end')).toBe('2');
  }
  expect(headerOf(request, 'connection')).toBeNull();
  // The client has asked for the end of its connection itself.
  expect(headerOf(response, 'connection')).toBe('close');
});

test('Connection cannot take off what says where a message ends, whom it is for, or its context', async () => {
  const { request } = await pass(
    'Connection: host, content-length, l5d-ctx-thing, X-Hop\r\nContent-Length: 0\r\nl5d-ctx-thing: x\r\nX-Hop: 1\r\n',
  );
  expect(headerOf(request, 'host')).toBe('web');
  expect(headerOf(request, 'content-length')).toBe('0');
  expect(headerOf(request, 'l5d-ctx-thing')).toBe('x');
  expect(headerOf(request, 'x-hop')).toBeNull();
});

test('what only a proxy may say is never passed on from a client', async () => {
  const forged = [
    ...Object.values(PEER_HEADERS).map((name) => `${name.toUpperCase()}: forged`),
    'L5d-Dst-Client: forged',
    'l5d-dst-service: forged',
    'l5d-dst-residual: forged',
    'l5d-reqid: forged',
    'X-Forwarded-Client-Cert: forged',
    'x-forwarded-client-cert: forged',
    `${PEER_HEALTH_HEADER}: forged`,
  ];
  const { request } = await pass(forged.map((line) => `${line}\r\n`).join(''));
  expect(request).not.toContain('forged');
});

test('the names of the request, and its trace, are told to the server', async () => {
  const { request } = await pass('');
  expect(headerOf(request, 'l5d-dst-service')).toBe('/svc/web');
  expect(headerOf(request, 'l5d-dst-client')).toMatch(/^\/\$\/inet\/127\.0\.0\.1\/\d+$/);
  expect(headerOf(request, 'l5d-dst-residual')).toBeNull();
  expect(headerOf(request, 'l5d-reqid')).toMatch(/^[0-9a-f]{16}$/);
  expect(headerOf(request, 'l5d-ctx-trace')).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(headerOf(request, 'via')).toBe('1.1 nodemesh');
});

test('Via is appended to, in both directions', async () => {
  const { request, response } = await pass('Via: 1.0 a\r\nX: 1\r\nvia: 1.1 b\r\n', 'Via: 1.1 c\r\n');
  expect(headerOf(request, 'via')).toBe('1.0 a, 1.1 b, 1.1 nodemesh');
  expect(request.match(/^via:/gim)).toHaveLength(1);
  expect(headerOf(response, 'via')).toBe('1.1 c, 1.1 nodemesh');
});

test('a request that came through too many proxies is a loop', async () => {
  const via = (count: number): string => `Via: ${Array.from({ length: count }, () => '1.1 x').join(', ')}\r\n`;
  const keys = server({ maxCallDepth: 3 });
  expect((await pass(via(3), '', keys)).response).toMatch(/^HTTP\/1\.1 200 /);
  const { response, request } = await pass(via(4), '', keys);
  expect(response).toMatch(/^HTTP\/1\.1 400 /);
  expect(decodeURIComponent(headerOf(response, 'l5d-err') ?? '')).toMatch(/came through 4 proxies, and more than 3/);
  expect(request).toBe('');
});

test('context passes, and so does a dtab that is not ours', async () => {
  const { request } = await pass('l5d-ctx-thing: x\r\nDtab-Local: /a => /b\r\nl5d-sample: 0.5\r\n');
  expect(headerOf(request, 'l5d-ctx-thing')).toBe('x');
  expect(headerOf(request, 'dtab-local')).toBe('/a => /b');
});

test("a request's own dtab says what its name means, and goes on as context", async () => {
  const { request } = await pass('l5d-dtab: /svc/web => /svc/other\r\nl5d-ctx-dtab: /x => /y\r\n');
  expect(headerOf(request, 'l5d-dtab')).toBeNull();
  expect(headerOf(request, 'l5d-ctx-dtab')).toMatch(/^\/x ?=> ?\/y ?; ?\/svc\/web ?=> ?\/svc\/other$/);
  expect(headerOf(request, 'l5d-dst-service')).toBe('/svc/web');
});

test('a dtab that cannot be read is answered 400', async () => {
  const { response, request } = await pass('l5d-dtab: /svc/web =>\r\n');
  expect(response).toMatch(/^HTTP\/1\.1 400 /);
  expect(decodeURIComponent(headerOf(response, 'l5d-err') ?? '')).toMatch(
    /^bad-request: its l5d-dtab cannot be read: /,
  );
  expect(request).toBe('');
});

test('clearContext: nothing of what a caller says of context is believed, and nothing of it told', async () => {
  const lines = 'l5d-ctx-thing: x\r\nl5d-dtab: /svc/web => /nowhere\r\nl5d-sample: 1\r\nl5d-ctx-deadline: 1 2\r\n';
  const { request, response } = await pass(lines, 'l5d-thing: y\r\n', server({ clearContext: true }));
  expect(response).toMatch(/^HTTP\/1\.1 200 /);
  expect(request.match(/^l5d-[^:]*/gim)?.sort()).toEqual([
    'l5d-ctx-trace',
    'l5d-dst-client',
    'l5d-dst-service',
    'l5d-reqid',
  ]);
  expect(response).not.toMatch(/^l5d-/im);
});

test('addForwardedHeader and timestampHeader add what they are asked for', async () => {
  const keys = server({
    addForwardedHeader: { by: { kind: 'ip' }, for: { kind: 'static', label: 'me' } },
    timestampHeader: 'x-at',
  });
  const { request } = await pass('Forwarded: for=a\r\n', '', keys);
  expect(request.match(/^forwarded: .*/gim)).toEqual([
    'Forwarded: for=a',
    expect.stringMatching(/^Forwarded: by=127\.0\.0\.1;for=_me;host=web;proto=http$/),
  ]);
  expect(Math.abs(Number(headerOf(request, 'x-at')) - Date.now())).toBeLessThan(5_000);
});

test('what a server says of retries and success is passed on to a client', async () => {
  const { response } = await pass('', 'l5d-retryable: true\r\nl5d-success-class: 1.0\r\nl5d-nodemesh-health: x\r\n');
  expect(headerOf(response, 'l5d-retryable')).toBe('true');
  expect(headerOf(response, 'l5d-success-class')).toBe('1.0');
  expect(headerOf(response, PEER_HEALTH_HEADER)).toBeNull();
});
