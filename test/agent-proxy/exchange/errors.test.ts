/** Answers of the proxy's own: status, reason code, what it looked up, and the same in `l5d-err`. */
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { type Answer, send } from '../../fixtures/http.ts';
import { freePorts, type StaticProxy, useStaticProxy } from '../../fixtures/proxy.ts';
import { askRaw, headerOf, ok, rawClient, useAnsweringBackend, useRawBackend } from '../../fixtures/raw-socket.ts';
import { type Keys, routed, server, straight, useNames } from '../../fixtures/static-config.ts';

function ask(proxy: StaticProxy, host: string, headers: Record<string, string> = {}): Promise<Answer> {
  return send(proxy.url, { headers: { Host: host, ...headers } });
}

/** `l5d-ctx-deadline`, written now. */
function deadlineIn(ms: number): string {
  return `${Date.now()}000000 ${Date.now() + ms}000000`;
}

/** The text, which is one line, stands in `l5d-err` too, URL-encoded, and nothing in it can become a header. */
function expectMirrored({ body, headers }: Answer): void {
  expect(body).toMatch(/^[a-z-]+: [^\n]+\n$/);
  expect(decodeURIComponent(String(headers['l5d-err']))).toBe(body.trimEnd());
  expect(String(headers['l5d-err'])).toMatch(/^[\x21-\x7e]+$/);
  expect(headers['content-type']).toMatch(/^text\/plain/);
  expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
}

test('a name that nothing is known of: 502, the name, and where it was looked up', async () => {
  const proxy = await useStaticProxy(straight({ web: 1 }));
  const answer = await ask(proxy, 'nothing');
  expect(answer.status).toBe(502);
  expect(answer.body).toMatch(/^unknown-name: .*\/svc\/nothing.* router http/);
  expectMirrored(answer);
});

test('a name that is bound to nothing, or to failure', async () => {
  const proxy = await useStaticProxy(routed('/svc/nil => /$/nil ; /svc/fail => /$/fail'));
  expect((await ask(proxy, 'nil')).body).toMatch(/^no-endpoint: \/svc\/nil /);
  expect((await ask(proxy, 'fail')).body).toMatch(/^unknown-name: .*\/svc\/fail/);
});

test('a name of which nobody can say where it leads: 503, and why', async () => {
  const proxy = await useStaticProxy(routed('/svc/round => /svc/round'));
  const answer = await ask(proxy, 'round');
  expect(answer.status).toBe(503);
  expect(answer.body).toMatch(/^unbound: \/svc\/round: Max recursion level: 100 reached .*could not be found out/);
  expectMirrored(answer);
});

test('a name without an address: 502, and what it is bound to', async () => {
  const names = await useNames({ web: [] });
  const proxy = await useStaticProxy(names.config());
  const answer = await ask(proxy, 'web');
  expect(answer.status).toBe(502);
  expect(answer.body).toMatch(/^no-endpoint: \/svc\/web is \/#\/io\.l5d\.fs\/web: 0 instances of /);
  expectMirrored(answer);
});

test('a host that there is not: 502, and that it is the host', async () => {
  const proxy = await useStaticProxy(routed('/svc/web => /$/inet/no-such-host.invalid/80'));
  const answer = await ask(proxy, 'web');
  expect(answer.status).toBe(502);
  expect(answer.body).toMatch(/^no-endpoint: .*no-such-host\.invalid/);
  expect(answer.body).toMatch(/there is no host|could not be resolved/);
  expectMirrored(answer);
});

test('instances of which a transformer leaves none: 502, and that they are known', async () => {
  const names = await useNames({ web: [1, 2] });
  const transformers = [{ kind: 'io.l5d.specificHost', host: '10.9.9.9' }];
  const proxy = await useStaticProxy(names.config({ interpreter: { kind: 'default', transformers } }));
  const answer = await ask(proxy, 'web');
  expect(answer.status).toBe(502);
  expect(answer.body).toMatch(/^no-endpoint: .*: 2 instances are known, and none has the port or is on the node/);
});

test('an address that refuses: 502, the client, the address, and the reason', async () => {
  const [port = 0] = await freePorts('127.0.0.1', 1);
  const proxy = await useStaticProxy(straight({ web: port }));
  const answer = await ask(proxy, 'web');
  expect(answer.status).toBe(502);
  expect(answer.body).toBe(
    `refused: /svc/web is /$/inet/127.0.0.1/${port}: 127.0.0.1:${port} at 127.0.0.1:${port}: ECONNREFUSED: ` +
      'the connection was refused or could not be made\n',
  );
  expect(answer.headers['l5d-retryable']).toBe('true');
  expectMirrored(answer);
});

test.each([
  ['in time: 503, and how long it waited', false, /^timeout: \/svc\/web was not bound within \d+ ms/],
  ["before its caller's deadline", true, /^deadline: \/svc\/web was not bound/],
])('a name that is not bound %s', async (_when, hasDeadline, said) => {
  // It takes the question and never answers it.
  const marathon = await useRawBackend();
  const namers = [{ kind: 'io.l5d.marathon', host: '127.0.0.1', port: marathon.port }];
  const bindingTimeoutMs = hasDeadline ? 8_000 : 300;
  const proxy = await useStaticProxy(routed('/svc => /#/io.l5d.marathon', { bindingTimeoutMs }, { namers }));
  const headers: Record<string, string> = hasDeadline ? { 'l5d-ctx-deadline': deadlineIn(300) } : {};
  const answer = await ask(proxy, 'web', headers);
  expect(answer.status).toBe(503);
  expect(answer.body).toMatch(said);
  expectMirrored(answer);
});

test('a request in which no identifier finds a name: 400, and the last reason', async () => {
  const proxy = await useStaticProxy(straight({ web: 1 }, { identifier: [{ kind: 'io.l5d.header' }] }));
  const answer = await ask(proxy, 'web');
  expect(answer.status).toBe(400);
  expect(answer.body).toMatch(/^unidentified: io\.l5d\.header: /);
  expectMirrored(answer);
  expect((await ask(proxy, 'web', { 'l5d-name': 'no-slash' })).status).toBe(400);
});

test('a line end in a name cannot become a header', async () => {
  const proxy = await useStaticProxy(
    straight({ web: 1 }, { identifier: { kind: 'io.l5d.header.token', header: 'x-to' } }),
  );
  const answer = await ask(proxy, 'web', { 'x-to': 'a\xe9%0d%0aX-Evil: 1' });
  expect(answer.status).toBe(502);
  expect(answer.headers['x-evil']).toBeUndefined();
  expectMirrored(answer);
});

test('long names are cut, so that a header fits', async () => {
  const proxy = await useStaticProxy(straight({ web: 1 }));
  const answer = await ask(proxy, 'x'.repeat(3_000));
  expect(answer.status).toBe(502);
  expect(String(answer.headers['l5d-err']).length).toBeLessThan(4_000);
});

test('an answer to HEAD is a head, and the connection goes on', async () => {
  const proxy = await useStaticProxy(straight({ web: 1 }));
  const client = rawClient(proxy.url, 'HEAD / HTTP/1.1\r\nHost: nothing\r\n\r\n');
  const head = await client.endsWith('\r\n\r\n');
  expect(Number(headerOf(head, 'content-length'))).toBeGreaterThan(20);
  client.send('GET / HTTP/1.1\r\nHost: nothing\r\n\r\n');
  await client.until('the next one is answered', (text) => text.endsWith('\n') && !text.endsWith('\r\n'));
});

test('a refusal while a body is coming lets the connection go on behind it', async () => {
  const proxy = await useStaticProxy(straight({ web: 1 }));
  const client = rawClient(proxy.url, 'POST / HTTP/1.1\r\nHost: nothing\r\nContent-Length: 100000\r\n\r\nsome');
  await client.has('unknown-name');
  client.send(`${'x'.repeat(100_000 - 4)}GET / HTTP/1.1\r\nHost: other\r\n\r\n`);
  await client.has('/svc/other');
});

test('a body that breaks behind a refusal takes neither that answer with it nor the one before', async () => {
  const backend = await useAnsweringBackend(() => ok('first'));
  const proxy = await useStaticProxy(straight({ web: backend.port }));
  const broken = 'POST / HTTP/1.1\r\nHost: nothing\r\nTransfer-Encoding: chunked\r\n\r\nT';
  const text = await askRaw(proxy.url, `GET / HTTP/1.1\r\nHost: web\r\n\r\n${broken}`);
  expect(text).toMatch(/^HTTP\/1\.1 200 .*first.*HTTP\/1\.1 502 .*unknown-name: [^\n]*\n$/s);
});

test('requests beyond maxConcurrentRequests are shed at once, and none is lost of the others', async () => {
  const held: (() => void)[] = [];
  const app = await useRawBackend((connection) => held.push(() => connection.send(ok('done'))));
  const proxy = await useStaticProxy(straight({ web: app.port }, server({ maxConcurrentRequests: 2 })));
  const clients = [1, 2].map(() => rawClient(proxy.url, 'GET / HTTP/1.1\r\nHost: web\r\n\r\n'));
  await eventually('both arrive', () => app.connections.filter(({ text }) => text !== '').length === 2);
  const shed = await ask(proxy, 'web');
  expect(shed).toMatchObject({ status: 503, headers: { 'l5d-retryable': 'true' } });
  expect(shed.body).toMatch(/^shed: maxConcurrentRequests/);
  for (const answer of held) answer();
  for (const client of clients) await client.endsWith('done');
  // The permits are back.
  clients[0]?.send('GET /again HTTP/1.1\r\nHost: web\r\n\r\n');
  await eventually('it arrives', () => app.connections.some(({ text }) => text.includes('GET /again')));
});

test('requests beyond what a router may have under way are shed', async () => {
  const app = await useRawBackend();
  const nodemesh = { shedding: { maxPendingRequests: 3 } };
  const proxy = await useStaticProxy(straight({ web: app.port }, { nodemesh }));
  for (let count = 0; count < 3; count += 1) rawClient(proxy.url, 'GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  await eventually('all arrive', () => app.connections.filter(({ text }) => text !== '').length === 3);
  const shed = await ask(proxy, 'web');
  expect(shed).toMatchObject({ status: 503, headers: { 'l5d-retryable': 'true' } });
  expect(shed.body).toMatch(/^shed: 4 requests are under way in router http/);
});

const FRAMED: readonly [string, string, number][] = [
  ['two lengths', 'Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd', 400],
  ['a length and chunks', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['a space before a colon', 'X : 1\r\n\r\n', 400],
  ['a folded header', 'X: 1\r\n 2\r\n\r\n', 400],
  ['a bare CR', 'X: 1\r2\r\n\r\n', 400],
  ['a bare LF', 'X: 1\nY: 2\r\n\r\n', 400],
  ['a NUL', 'X: \0\r\n\r\n', 400],
  ['a second Host', 'Host: other\r\n\r\n', 400],
  ['another expectation', 'Expect: a-miracle\r\n\r\n', 417],
];

test.each(FRAMED)(
  'a head with %s is refused, its connection closed, and nothing of it sent',
  async (_what, lines, status) => {
    const app = await useAnsweringBackend(() => ok('.'));
    const proxy = await useStaticProxy(straight({ web: app.port }));
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: web\r\n\r\n';
    const answer = await askRaw(proxy.url, `POST / HTTP/1.1\r\nHost: web\r\n${lines}${smuggled}`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(headerOf(answer, 'connection')).toBe('close');
    expect(app.connections).toHaveLength(0);
  },
);

const LIMITED: Keys = { maxHeadersKB: 1, maxInitialLineKB: 1, nodemesh: { maxHeaderCount: 10 } };

test.each([
  ['a first line that is too long', `GET /${'x'.repeat(1_100)} HTTP/1.1\r\nHost: web\r\n\r\n`, 414],
  ['headers that are too long', `GET / HTTP/1.1\r\nHost: web\r\nX: ${'x'.repeat(2_100)}\r\n\r\n`, 431],
  ['too many headers', `GET / HTTP/1.1\r\nHost: web\r\n${'X: 1\r\n'.repeat(10)}\r\n`, 431],
])('%s: refused with its own status, by the limits of the configuration', async (_what, bytes, status) => {
  const app = await useAnsweringBackend(() => ok('.'));
  const proxy = await useStaticProxy(straight({ web: app.port }, LIMITED));
  expect(await askRaw(proxy.url, bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(app.connections).toHaveLength(0);
  const fits = `GET /${'x'.repeat(900)} HTTP/1.1\r\nHost: web\r\nConnection: close\r\nX: ${'x'.repeat(900)}\r\n\r\n`;
  expect(await askRaw(proxy.url, fits)).toMatch(/^HTTP\/1\.1 200 /);
});
