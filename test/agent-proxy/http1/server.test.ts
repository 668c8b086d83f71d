/** What the server side makes of requests that are out of the ordinary, byte by byte. */
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Backend, useBackend } from '../../fixtures/backend.ts';
import { endpoint, helloFrame, snapshotFrames, useFakeScheduler } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { type RunningProxy, useProxy } from '../../fixtures/proxy.ts';

async function useWeb(given?: Backend): Promise<{ proxy: RunningProxy; backend: Backend }> {
  const backend = given ?? (await useBackend('hello'));
  const web = { name: 'web', endpoints: [endpoint({ service: 'web', instance: 'web.1', port: backend.port })] };
  const scheduler = await useFakeScheduler([helloFrame(), ...snapshotFrames(1, 1, [web])]);
  const proxy = await useProxy({ schedulers: [scheduler.url] });
  await eventually('it has the table', () => scheduler.reports.at(-1)?.ready);
  return { proxy, backend };
}

/** Sends bytes and reads until the connection ends. */
function exchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
    socket.write(bytes, 'latin1');
  });
}

test('a request of HTTP/1.1 without a Host is answered 400 and says so', async () => {
  const { proxy } = await useWeb();
  const answer = await exchange(proxy.outgoing, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toMatch(/^bad-request: it has no Host header: /m);
});

test('a request of HTTP/1.0 may do without a Host, but then nothing is found by it', async () => {
  const { proxy } = await useWeb();
  const answer = await exchange(proxy.outgoing, 'GET / HTTP/1.0\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*^unidentified: /m);
});

test('a request with two Hosts is answered 400', async () => {
  const { proxy, backend } = await useWeb();
  const answer = await exchange(
    proxy.outgoing,
    'GET / HTTP/1.1\r\nHost: web\r\nHost: api\r\nConnection: close\r\n\r\n',
  );
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toMatch(/^bad-request: .*more than one Host/m);
  expect(backend.received).toHaveLength(0);
});

test('lengths that contradict each other never reach an application', async () => {
  const { proxy, backend } = await useWeb();
  const both = 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
  expect(await exchange(proxy.outgoing, both)).toMatch(/^HTTP\/1\.1 400 /);
  const two = 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd';
  expect(await exchange(proxy.outgoing, two)).toMatch(/^HTTP\/1\.1 400 /);
  expect(backend.received).toHaveLength(0);
});

test('the authority of an absolute target is the host', async () => {
  const { proxy, backend } = await useWeb();
  const bytes = 'GET http://web:80/a%20b?c=%2F HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n';
  expect(await exchange(proxy.outgoing, bytes)).toMatch(/^HTTP\/1\.1 200 /);
  expect(backend.received[0]).toMatchObject({ url: '/a%20b?c=%2F', headers: { host: 'web:80' } });
});

test('a client of HTTP/1.0 is served, and its connection closed', async () => {
  const { proxy } = await useWeb();
  const answer = await exchange(proxy.outgoing, 'GET / HTTP/1.0\r\nHost: web\r\n\r\n');
  expect(answer).toMatch(/ 200 /);
  expect(answer).toMatch(/hello$/);
});

test('an offer to upgrade to what is not configured is only ignored', async () => {
  const { proxy, backend } = await useWeb();
  const bytes = 'GET / HTTP/1.1\r\nHost: web\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n';
  expect(await exchange(proxy.outgoing, bytes)).toMatch(/^HTTP\/1\.1 200 /);
  expect(backend.received[0]?.headers.upgrade).toBeUndefined();
});

test('CONNECT is refused with 501, and what comes behind it is not taken for a request', async () => {
  const { proxy, backend } = await useWeb();
  const behind = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
  const answer = await exchange(proxy.outgoing, `CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n${behind}`);
  expect(answer).toMatch(/^HTTP\/1\.1 501 [\s\S]*^not-supported: CONNECT is not allowed/m);
  expect(backend.received).toHaveLength(0);
});

test('what the parser does not take for a request is answered with a reason, and counted', async () => {
  const { proxy, backend } = await useWeb();
  const refused: [string, RegExp][] = [
    ['PA[NT / HTTP/1.1\r\nHost: web\r\n\r\n', /^HTTP\/1\.1 400 [\s\S]*^bad-request: its method is not a token/m],
    [`GET / HTTP/1.1\r\nHost: web\r\nX: ${'x'.repeat(60_000)}\r\n\r\n`, /^HTTP\/1\.1 431 [\s\S]*^bad-request: /m],
    ['GET / HTTP/1.1\r\nHost web\r\n\r\n', /^HTTP\/1\.1 400 [\s\S]*^bad-request: /m],
  ];
  for (const [bytes, expected] of refused) {
    const answer = await exchange(proxy.outgoing, bytes);
    expect(answer).toMatch(expected);
    const [, header = ''] = /^l5d-err: (.*)\r$/m.exec(answer) ?? [];
    expect(answer.endsWith(`\r\n\r\n${decodeURIComponent(header)}\n`)).toBe(true);
  }
  expect(backend.received).toHaveLength(0);
  const server = `rt/outgoing/server/${new URL(proxy.outgoing).host.replace(':', '/')}`;
  const figures = JSON.parse((await send(`${proxy.admin}/admin/metrics.json?q=${server}`)).body) as object;
  expect(figures).toMatchObject({ requests: 3, 'failures/bad-request': 3, pending: 0 });
});

test('bytes that are no request after one that is do not become a part of its answer', async () => {
  const { proxy } = await useWeb();
  const answer = await exchange(proxy.outgoing, 'GET / HTTP/1.1\r\nHost: web\r\n\r\nPA[NT / HTTP/1.1\r\n\r\n');
  // The first is answered whole, then the other.
  expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nhelloHTTP\/1\.1 400 [\s\S]*bad-request: [^\n]*\n$/);
});

test('the address of the proxy as the Host is answered with a hint, another name is not', async () => {
  const { proxy } = await useWeb();
  const hint = "; send the service's name in the Host header (curl -H 'Host: web')\n";
  const bare = await send(`${proxy.outgoing}/`);
  expect(bare.status).toBe(502);
  expect(bare.body).toMatch(/^unknown-name: looked up \/svc\/127\.0\.35\.1 in /);
  expect(bare.body.endsWith(hint)).toBe(true);
  const { port } = new URL(proxy.outgoing);
  for (const [host, isHinted] of [
    [`[::1]:${port}`, true],
    [`localhost:${port}`, true],
    [`nothing:${port}`, false],
    ['127.0.35.1', false],
    ['127.0.35.1:1', false],
  ] as const) {
    expect((await send(`${proxy.outgoing}/`, { headers: { Host: host } })).body.endsWith(hint)).toBe(isHinted);
  }
});

test('a request with a chunked body arrives with it', async () => {
  const { proxy, backend } = await useWeb();
  const bytes =
    'POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  expect(await exchange(proxy.outgoing, bytes)).toMatch(/^HTTP\/1\.1 200 /);
  expect(backend.received[0]).toMatchObject({
    method: 'POST',
    body: 'abc',
    headers: { 'transfer-encoding': 'chunked' },
  });
});

test('requests without a body have none upstream, whatever the method', async () => {
  const { proxy, backend } = await useWeb();
  for (const method of ['GET', 'POST', 'DELETE', 'HEAD', 'OPTIONS']) {
    const answer = await exchange(proxy.outgoing, `${method} / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  }
  expect(backend.received.map(({ method, body }) => `${method}${body}`)).toEqual([
    'GET',
    'POST',
    'DELETE',
    'HEAD',
    'OPTIONS',
  ]);
  expect(backend.received.every(({ headers }) => headers['transfer-encoding'] === undefined)).toBe(true);
});

test('several requests on one connection are answered in order', async () => {
  const { proxy, backend } = await useWeb();
  const bytes = ['/1', '/2', '/3']
    .map((path, index) => `GET ${path} HTTP/1.1\r\nHost: web\r\n${index === 2 ? 'Connection: close\r\n' : ''}\r\n`)
    .join('');
  const answer = await exchange(proxy.outgoing, bytes);
  expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
  expect(backend.received.map(({ url }) => url)).toEqual(['/1', '/2', '/3']);
});

test('connections to applications are kept and used again', async () => {
  const { proxy, backend } = await useWeb();
  for (let index = 0; index < 20; index += 1) await send(`${proxy.outgoing}/`, { headers: { Host: 'web' } });
  expect(backend.received).toHaveLength(20);
  expect(backend.connections.size).toBe(1);
});

test('requests that wait for their turn on a connection are over when it is', async () => {
  const gone = new Set<string>();
  const asked: string[] = [];
  const backend = await useBackend('slow', {
    raw: (request) => {
      asked.push(String(request.url));
      request.socket.once('close', () => gone.add(String(request.url)));
    },
  });
  const { proxy } = await useWeb(backend);
  const { hostname, port } = new URL(proxy.outgoing);
  const client = connect(Number(port), hostname);
  client.write(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`).join(''));
  await eventually('the first arrives', () => asked.length === 1);
  client.destroy();
  await eventually('it is given up', () => gone.size === 1);
  const server = `rt/outgoing/server/${new URL(proxy.outgoing).host.replace(':', '/')}`;
  const figures = JSON.parse((await send(`${proxy.admin}/admin/metrics.json?q=${server}`)).body) as object;
  expect(figures).toMatchObject({ requests: 1, pending: 0 });
  expect(asked).toEqual(['/1']);
});

test('a request with more headers than the router allows is answered 431', async () => {
  const { proxy, backend } = await useWeb();
  const bytes = `GET / HTTP/1.1\r\nHost: web\r\n${'a: b\r\n'.repeat(3_000)}\r\n`;
  expect(await exchange(proxy.outgoing, bytes)).toMatch(/^HTTP\/1\.1 431 [\s\S]*more headers than/);
  expect(backend.received).toHaveLength(0);
});

test('a request with a hundred headers keeps its body, and cannot hide a second Host among them', async () => {
  const { proxy, backend } = await useWeb();
  const many = 'a: b\r\n'.repeat(100);
  const head = `POST / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n${many}`;
  expect(await exchange(proxy.outgoing, `${head}Content-Length: 4\r\n\r\nbody`)).toMatch(/^HTTP\/1\.1 200 /);
  expect(backend.received[0]).toMatchObject({ body: 'body' });
  expect(await exchange(proxy.outgoing, `${head}Host: api\r\nContent-Length: 4\r\n\r\nbody`)).toMatch(
    /^HTTP\/1\.1 400 [\s\S]*more than one Host/,
  );
  expect(backend.received).toHaveLength(1);
});

test('an answer with a hundred headers keeps its body', async () => {
  const backend = await useBackend('many', {
    answer: (_request, response) => {
      const headers = Array.from({ length: 100 }, () => ['a', 'b']).flat();
      response.writeHead(200, [...headers, 'X-Last', 'yes', 'Content-Length', '4']).end('body');
    },
  });
  const { proxy } = await useWeb(backend);
  const answer = await exchange(proxy.outgoing, 'GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n');
  expect(answer).toMatch(/^x-last: yes\r$/im);
  expect(answer).toMatch(/^content-length: 4\r$/im);
  expect(answer).toMatch(/\r\n\r\nbody$/);
});

test('bytes that are no request never get into the answer to an earlier one', async () => {
  let finish = (): void => undefined;
  const backend = await useBackend('long', {
    raw: (request, response) => {
      request.resume();
      response.writeHead(200, { 'Content-Length': 10 });
      response.write('01234');
      finish = () => void response.end('56789');
    },
  });
  const { proxy } = await useWeb(backend);
  const { hostname, port } = new URL(proxy.outgoing);
  const client = connect(Number(port), hostname);
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  client.on('error', () => undefined);
  onTestFinished(() => void client.destroy());
  client.write('GET /1 HTTP/1.1\r\nHost: web\r\n\r\n');
  await eventually('the answer begins', () => text.endsWith('01234'));
  client.write('PA[NT / HTTP/1.1\r\n\r\n');
  finish();
  await eventually('it is complete, and the other is answered', () => text.endsWith('\n'));
  expect(text).toMatch(/\r\n\r\n0123456789HTTP\/1\.1 400 /);
});

test.each(['Transfer-Encoding: gzip, chunked\r\n', 'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n'])(
  'a body that is more than chunked is refused with 501: %j',
  async (coded) => {
    const { proxy, backend } = await useWeb();
    const bytes = `POST / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n${coded}\r\n3\r\nabc\r\n0\r\n\r\n`;
    expect(await exchange(proxy.outgoing, bytes)).toMatch(
      /^HTTP\/1\.1 501 [\s\S]*^not-supported: .*Transfer-Encoding/m,
    );
    expect(backend.received).toHaveLength(0);
  },
);
