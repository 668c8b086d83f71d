/** What the server side makes of requests that are out of the ordinary, byte by byte. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
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
  await eventually('it has the table', () => scheduler.reports.at(-1)?.ready, 5_000);
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

test('a request without a Host is answered 400 and says that no identifier understood it', async () => {
  const { proxy } = await useWeb();
  const answer = await exchange(proxy.outgoing, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toMatch(/^unidentified: /m);
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

test('Upgrade is refused with 501, but an offer of h2c is only ignored', async () => {
  const { proxy } = await useWeb();
  const ask = (to: string) =>
    exchange(proxy.outgoing, `GET / HTTP/1.1\r\nHost: web\r\nConnection: Upgrade, close\r\nUpgrade: ${to}\r\n\r\n`);
  expect(await ask('websocket')).toMatch(/^HTTP\/1\.1 501 [\s\S]*not-supported: Upgrade: websocket/);
  expect(await ask('h2c')).toMatch(/^HTTP\/1\.1 200 /);
});

test('CONNECT is refused with 400', async () => {
  const { proxy } = await useWeb();
  const answer = await exchange(proxy.outgoing, 'CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*CONNECT is not supported/);
});

test('what the parser does not take for a request is answered with a reason, and counted', async () => {
  const { proxy, backend } = await useWeb();
  const refused: [string, RegExp][] = [
    ['PAINT / HTTP/1.1\r\nHost: web\r\n\r\n', /^HTTP\/1\.1 400 [\s\S]*^bad-request: its method is none/m],
    [`GET / HTTP/1.1\r\nHost: web\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, /^HTTP\/1\.1 431 [\s\S]*^bad-request: /m],
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
  const answer = await exchange(proxy.outgoing, 'GET / HTTP/1.1\r\nHost: web\r\n\r\nPAINT / HTTP/1.1\r\n\r\n');
  expect(answer.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1);
});

test('the address of the proxy as the Host is answered with a hint, another name is not', async () => {
  const { proxy } = await useWeb();
  const hint = "; send the service's name in the Host header (curl -H 'Host: web')\n";
  const bare = await send(`${proxy.outgoing}/`);
  expect(bare.status).toBe(502);
  expect(bare.body).toMatch(/^unknown-name: looked up \/svc\/127\.0\.35\.1:\d+ in /);
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
  let asked = 0;
  const backend = await useBackend('slow', {
    raw: (request) => {
      asked += 1;
      request.socket.once('close', () => gone.add(String(request.url)));
    },
  });
  const { proxy } = await useWeb(backend);
  const { hostname, port } = new URL(proxy.outgoing);
  const client = connect(Number(port), hostname);
  client.write(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`).join(''));
  await eventually('all three arrive', () => asked === 3, 5_000);
  client.destroy();
  await eventually('all three are given up', () => gone.size === 3, 5_000);
  const server = `rt/outgoing/server/${new URL(proxy.outgoing).host.replace(':', '/')}`;
  const figures = JSON.parse((await send(`${proxy.admin}/admin/metrics.json?q=${server}`)).body) as object;
  expect(figures).toMatchObject({ requests: 3, pending: 0 });
});

test('a request with thousands of headers keeps its body, and cannot hide a second Host among them', async () => {
  const { proxy, backend } = await useWeb();
  const many = 'a: b\r\n'.repeat(3_000);
  const head = `POST / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n${many}`;
  expect(await exchange(proxy.outgoing, `${head}Content-Length: 4\r\n\r\nbody`)).toMatch(/^HTTP\/1\.1 200 /);
  expect(backend.received[0]).toMatchObject({ body: 'body' });
  expect(await exchange(proxy.outgoing, `${head}Host: api\r\nContent-Length: 4\r\n\r\nbody`)).toMatch(
    /^HTTP\/1\.1 400 [\s\S]*more than one Host/,
  );
  expect(backend.received).toHaveLength(1);
});

test('an answer with thousands of headers keeps its body', async () => {
  const backend = await useBackend('many', {
    answer: (_request, response) => {
      const headers = Array.from({ length: 3_000 }, () => ['a', 'b']).flat();
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
  const backend = await useBackend('long', {
    raw: (request, response) => {
      request.resume();
      response.writeHead(200, { 'Content-Length': 10 });
      response.write('01234');
    },
  });
  const { proxy } = await useWeb(backend);
  const { hostname, port } = new URL(proxy.outgoing);
  const client = connect(Number(port), hostname);
  let text = '';
  let closed = false;
  client.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  client.on('error', () => undefined);
  client.on('close', () => (closed = true));
  client.write('GET /1 HTTP/1.1\r\nHost: web\r\n\r\n');
  await eventually('the answer begins', () => text.endsWith('01234'), 5_000);
  // The one that came last has sent nothing, but the one before it has.
  client.write('GET /2 HTTP/1.1\r\nHost: web\r\n\r\nPAINT / HTTP/1.1\r\n\r\n');
  await eventually('the connection is cut', () => closed, 5_000);
  expect(text).toMatch(/01234$/);
  expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
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
