/** Which requests are sent again, how often, with what, and which never are. */
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { freePorts, type StaticProxy, useStaticProxy } from '../../fixtures/proxy.ts';
import {
  askRaw,
  ok,
  type RawBackend,
  type RawSocket,
  rawClient,
  useAnsweringBackend,
  useRawBackend,
} from '../../fixtures/raw-socket.ts';
import { client, type Keys, routed, service, straight, useNames } from '../../fixtures/static-config.ts';

const NO_ACCRUAL = client({ failureAccrual: { kind: 'none' }, failFast: false });
const AT_ONCE = { kind: 'constant', ms: 0 };
const ERROR = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 3\r\n\r\nbad';

function classified(kind: string, keys: Keys = {}): Keys {
  const retries = { backoff: AT_ONCE, ...(keys['retries'] as object | undefined) };
  return { ...NO_ACCRUAL, ...service({ responseClassifier: { kind }, ...keys, retries }) };
}

/** Gives these answers in turn, the last of them for ever, whatever is asked. */
function useTurns(...answers: readonly string[]): Promise<RawBackend & { readonly heads: string[] }> {
  const heads: string[] = [];
  const backend = useAnsweringBackend((head) => {
    heads.push(head);
    return answers[Math.min(heads.length, answers.length) - 1] ?? '';
  });
  return backend.then((app) => Object.assign(app, { heads }));
}

function ask(proxy: StaticProxy, method = 'GET', lines = ''): Promise<string> {
  return askRaw(proxy.url, `${method} / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n${lines}\r\n`);
}

async function metrics(proxy: StaticProxy): Promise<Record<string, number>> {
  return JSON.parse((await send(`${proxy.admin}/admin/metrics.json`)).body) as Record<string, number>;
}

const READS = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];
const METHODS = [...READS, 'PUT', 'DELETE', 'POST', 'PATCH'];

test.each([
  ['io.l5d.http.nonRetryable5XX', []],
  ['io.l5d.http.retryableRead5XX', READS],
  ['io.l5d.http.retryableIdempotent5XX', [...READS, 'PUT', 'DELETE']],
  ['io.l5d.http.retryableAll5XX', METHODS],
  ['io.l5d.http.allSuccessful', []],
])('%s: an error is retried for the methods that it names', async (kind, retried) => {
  const seen: string[] = [];
  const app = await useAnsweringBackend((head) => {
    const method = head.slice(0, head.indexOf(' '));
    seen.push(method);
    if (seen.filter((one) => one === method).length === 1) return method === 'HEAD' ? ERROR.replace('bad', '') : ERROR;
    return method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n' : ok('.');
  });
  const proxy = await useStaticProxy(straight({ web: app.port }, classified(kind)));
  for (const method of METHODS) {
    expect(await ask(proxy, method)).toMatch(retried.includes(method) ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 500 /);
  }
  expect(seen.length).toBe(METHODS.length + retried.length);
});

test('a request that is retried counts once for its name, and each attempt for its client', async () => {
  const app = await useTurns(ERROR, ok('fine'));
  const proxy = await useStaticProxy(straight({ web: app.port }, classified('io.l5d.http.retryableRead5XX')));
  await ask(proxy);
  const figures = await metrics(proxy);
  const of = (scope: string): Record<string, number> =>
    Object.fromEntries(
      Object.entries(figures).flatMap(([name, value]) =>
        name.startsWith(scope) ? [[name.slice(scope.length), value] as const] : [],
      ),
    );
  expect(of('rt/http/service/svc/web/')).toMatchObject({ requests: 1, success: 1, 'retries/total': 1 });
  expect(of(`rt/http/client/$/inet/127.0.0.1/${app.port}/`)).toMatchObject({
    requests: 2,
    success: 1,
    failures: 1,
    'status/200': 1,
    'status/500': 1,
  });
  expect(proxy.lines.filter((line) => line.includes('HTTP/1.1'))).toHaveLength(1);
});

test('a request is sent again twice at most, and then the last answer is the answer', async () => {
  const app = await useTurns(ERROR, ERROR, ERROR.replace('bad', 'end'));
  const proxy = await useStaticProxy(straight({ web: app.port }, classified('io.l5d.http.retryableAll5XX')));
  expect(await ask(proxy)).toMatch(/^HTTP\/1\.1 500 [\s\S]*end$/);
  expect(app.heads).toHaveLength(3);
});

test("under linkerd's defaults only the budget ends it: 101 attempts of one GET", async () => {
  const app = await useTurns(ERROR);
  const router = { ...classified('io.l5d.http.retryableRead5XX'), nodemesh: { linkerdCompat: true } };
  const proxy = await useStaticProxy(straight({ web: app.port }, router));
  expect(await ask(proxy)).toMatch(/^HTTP\/1\.1 500 /);
  expect(app.heads).toHaveLength(101);
});

test('a budget without a reserve: one retry for two requests', async () => {
  const answers = [ok('1'), ERROR, ok('2'), ERROR];
  const app = await useTurns(...answers);
  const budget = { minRetriesPerSec: 0, percentCanRetry: 0.5, ttlSecs: 60 };
  const proxy = await useStaticProxy(
    straight({ web: app.port }, classified('io.l5d.http.retryableRead5XX', { retries: { budget } })),
  );
  const statuses = [await ask(proxy), await ask(proxy), await ask(proxy)].map((text) => text.slice(9, 12));
  expect(statuses).toEqual(['200', '200', '500']);
  expect(await metrics(proxy)).toMatchObject({
    'rt/http/service/svc/web/retries/total': 1,
    'rt/http/service/svc/web/retries/budget_exhausted': 1,
  });
});

test('a new name has a hundred retries, and spends none of those of another', async () => {
  const app = await useTurns(ERROR, ERROR, ok('.'), ok('.'));
  const proxy = await useStaticProxy(
    straight({ web: app.port, api: app.port }, classified('io.l5d.http.retryableRead5XX')),
  );
  await ask(proxy);
  await send(proxy.url, { headers: { Host: 'api' } });
  const figures = await metrics(proxy);
  // Each request gives a fifth of a retry.
  expect(figures['rt/http/service/svc/web/retries/budget']).toBe(98);
  expect(figures['rt/http/service/svc/api/retries/budget']).toBe(100);
});

test('the waits between attempts are those of the configuration', async () => {
  const app = await useTurns(ERROR, ERROR, ok('late'));
  const retries = { backoff: { kind: 'constant', ms: 150 } };
  const proxy = await useStaticProxy(
    straight({ web: app.port }, classified('io.l5d.http.retryableRead5XX', { retries })),
  );
  const startedAt = performance.now();
  expect(await ask(proxy)).toMatch(/late$/);
  const ms = performance.now() - startedAt;
  expect(ms).toBeGreaterThanOrEqual(299);
  expect(ms).toBeLessThan(3_000);
});

test('a retry goes to another instance where there is one', async () => {
  const [bad, good] = [await useTurns(ERROR), await useTurns(ok('good'))];
  const names = await useNames({ web: [bad.port, good.port] });
  const proxy = await useStaticProxy(names.config(classified('io.l5d.http.retryableRead5XX')));
  for (let count = 0; count < 20; count += 1) expect(await ask(proxy)).toMatch(/good$/);
});

test('what one branch of a union refuses goes by another, for any method', async () => {
  const app = await useAnsweringBackend(() => ok('served'));
  const [closed = 0] = await freePorts('127.0.0.1', 1);
  const dtab = `/svc/web => 0.9 * /$/inet/127.0.0.1/${closed} & 0.1 * /$/inet/127.0.0.1/${app.port}`;
  const proxy = await useStaticProxy(routed(dtab, NO_ACCRUAL));
  for (let count = 0; count < 20; count += 1) expect(await ask(proxy, 'POST')).toMatch(/served$/);
});

test('a branch of a union without weight is not for what another one refuses', async () => {
  const app = await useAnsweringBackend(() => ok('served'));
  const [closed = 0] = await freePorts('127.0.0.1', 1);
  const dtab = `/svc/web => 1 * /$/inet/127.0.0.1/${closed} & 0 * /$/inet/127.0.0.1/${app.port}`;
  const proxy = await useStaticProxy(routed(dtab, NO_ACCRUAL));
  expect(await ask(proxy)).toMatch(/^HTTP\/1\.1 502 .*refused: /s);
  expect(app.connections).toHaveLength(0);
});

test('an answer that says that nothing was sent is retried for any method', async () => {
  const app = await useTurns(ERROR.replace('\r\n\r\n', '\r\nl5d-retryable: true\r\n\r\n'), ok('fine'));
  const proxy = await useStaticProxy(straight({ web: app.port }, classified('io.l5d.http.nonRetryable5XX')));
  expect(await ask(proxy, 'POST')).toMatch(/fine$/);
});

test.each([
  ['with a length', 'Content-Length: 10', '0123456789'],
  ['in chunks', 'Transfer-Encoding: chunked', '5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n'],
])('a body %s is sent again as it was', async (_how, framing, body) => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }, classified('io.l5d.http.retryableAll5XX')));
  const client = rawClient(proxy.url, `POST / HTTP/1.1\r\nHost: web\r\n${framing}\r\n\r\n${body}`);
  const upstream = await app.connection(0);
  await upstream.endsWith(body);
  upstream.send(ERROR);
  const again = await app.connection(1);
  await again.endsWith(body);
  const bodyOf = ({ text }: RawSocket): string => text.slice(text.indexOf('\r\n\r\n'));
  expect(bodyOf(again)).toBe(bodyOf(upstream));
  again.send(ok('taken'));
  await client.endsWith('taken');
});

test('a body beyond the buffer is not sent again, and its first attempt suffers nothing', async () => {
  const app = await useRawBackend();
  const router = { ...classified('io.l5d.http.retryableAll5XX'), nodemesh: { retryBufferKB: 1 } };
  const proxy = await useStaticProxy(straight({ web: app.port }, router));
  const body = 'x'.repeat(50_000);
  const client = rawClient(proxy.url, 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 50000\r\n\r\n');
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  client.send(body);
  await upstream.endsWith(body);
  upstream.send(ERROR);
  expect(await client.endsWith('bad')).toMatch(/^HTTP\/1\.1 500 /);
  expect(app.connections).toHaveLength(1);
  expect(upstream.text.match(/POST/g)).toHaveLength(1);
});

test('a request whose body is still coming is sent again with what came, and then the rest', async () => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }, classified('io.l5d.http.retryableAll5XX')));
  const client = rawClient(proxy.url, 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 10\r\n\r\n01234');
  const first = await app.connection(0);
  await first.endsWith('01234');
  first.send(ERROR);
  const second = await app.connection(1);
  await second.endsWith('01234');
  client.send('56789');
  await second.endsWith('\r\n\r\n0123456789');
  second.send(ok('taken'));
  await client.endsWith('taken');
  expect(first.text).not.toContain('56789');
});

test('an attempt that gives no answer in time is retried where the classifier says so', async () => {
  const app = await useTurns('', ok('second'));
  const router = { ...classified('io.l5d.http.retryableRead5XX'), ...client({ requestAttemptTimeoutMs: 200 }) };
  const proxy = await useStaticProxy(straight({ web: app.port }, router));
  expect(await ask(proxy)).toMatch(/second$/);
  expect(app.heads).toHaveLength(2);
  await eventually('the first attempt is given up', () => app.connections[0]?.isClosed || app.connections[0]?.hasEnded);
});

test('an instance that refuses is tried no more, at no cost to any request; for a POST too', async () => {
  const [alive, dead] = [await useTurns(ok('alive')), await useTurns(ok('dead'))];
  await dead.close();
  const names = await useNames({ web: [alive.port, dead.port] });
  const proxy = await useStaticProxy(names.config());
  for (let count = 0; count < 30; count += 1) expect(await ask(proxy, 'POST')).toMatch(/alive$/);
  const figures = await metrics(proxy);
  const [requeues] = Object.entries(figures).filter(([name]) => name.endsWith('/retries/requeues'));
  expect(requeues?.[1]).toBeGreaterThan(0);
  expect(requeues?.[1]).toBeLessThanOrEqual(3);
});

test('a service that is gone is answered at once, and its requeues are bounded', async () => {
  const dead = await useTurns(ok('dead'));
  await dead.close();
  const proxy = await useStaticProxy(straight({ web: dead.port }));
  const answer = await ask(proxy);
  expect(answer).toMatch(/^HTTP\/1\.1 502 [\s\S]*refused: [\s\S]*ECONNREFUSED/);
  expect(answer).toMatch(/^l5d-retryable: true\r$/m);
  expect((await metrics(proxy))['rt/http/service/svc/web/retries/total']).toBeLessThanOrEqual(2);
});

test('a client that is gone is retried for nobody', async () => {
  const app = await useRawBackend();
  const retries = { backoff: { kind: 'constant', ms: 200 } };
  const proxy = await useStaticProxy(
    straight({ web: app.port }, classified('io.l5d.http.retryableRead5XX', { retries })),
  );
  const client = rawClient(proxy.url, 'GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  upstream.send(ERROR);
  client.socket.resetAndDestroy();
  await eventually('it is told', () => proxy.lines.some((line) => line.includes('client-gone')));
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(
    app.connections
      .map(({ text }) => text)
      .join('')
      .match(/GET/g),
  ).toHaveLength(1);
});
