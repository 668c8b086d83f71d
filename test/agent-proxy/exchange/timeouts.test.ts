/** How long a request may take: of its attempts, as a whole, and as its caller says. */
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { useStaticProxy } from '../../fixtures/proxy.ts';
import { headerOf, ok, rawClient, useAnsweringBackend, useRawBackend } from '../../fixtures/raw-socket.ts';
import { client, type Keys, service, straight } from '../../fixtures/static-config.ts';

/** Nanoseconds, as `l5d-ctx-deadline` has them. */
function deadline(leftMs: number, writtenMsAgo = 0): string {
  const now = Date.now();
  return `${BigInt(now - writtenMsAgo) * 1_000_000n} ${BigInt(now + leftMs) * 1_000_000n}`;
}

function leftIn(header: string | null): number {
  const [, end = '0'] = (header ?? '').split(' ');
  return Number(BigInt(end) / 1_000_000n) - Date.now();
}

const RETRIED: Keys = {
  totalTimeoutMs: 600,
  responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' },
  retries: { backoff: { kind: 'constant', ms: 0 } },
};

/** Far from any timeout that is not the test's. */
const QUICK_MS = 3_000;

/** Never answers. */
async function useSilent(router: Keys) {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }, router));
  return { app, proxy };
}

async function timed<T>(what: Promise<T>): Promise<{ ms: number; result: T }> {
  const startedAt = performance.now();
  const result = await what;
  return { result, ms: performance.now() - startedAt };
}

test('an attempt without an answer ends at its timeout, and says so', async () => {
  const { app, proxy } = await useSilent(client({ requestAttemptTimeoutMs: 200 }));
  const { result, ms } = await timed(send(proxy.url, { headers: { Host: 'web' } }));
  expect(result.status).toBe(503);
  expect(result.body).toMatch(/^timeout: \/svc\/web is \/\$\/inet.*gave no response within \d{3,4} ms/);
  expect(ms).toBeGreaterThanOrEqual(199);
  expect(ms).toBeLessThan(QUICK_MS);
  await eventually('the attempt is given up', () => app.connections[0]?.isClosed || app.connections[0]?.hasEnded);
});

test('the total timeout holds for all attempts and waits together', async () => {
  let attempts = 0;
  const app = await useAnsweringBackend(() => {
    attempts += 1;
    return 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n';
  });
  const keys = service({
    totalTimeoutMs: 2_000,
    responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' },
    retries: { backoff: { kind: 'constant', ms: 1_200 } },
  });
  const proxy = await useStaticProxy(straight({ web: app.port }, { ...keys, nodemesh: { maxRetries: 50 } }));
  const { result, ms } = await timed(send(proxy.url, { headers: { Host: 'web' } }));
  // A second wait would end behind the timeout: the answer that there is is given instead.
  expect(result.status).toBe(500);
  expect(attempts).toBe(2);
  expect(ms).toBeLessThan(2_000);
});

test('the total timeout ends an attempt that is under way', async () => {
  const { app, proxy } = await useSilent(service({ totalTimeoutMs: 200 }));
  const { result, ms } = await timed(send(proxy.url, { headers: { Host: 'web' } }));
  expect(result).toMatchObject({ status: 503 });
  expect(result.headers['l5d-retryable']).toBeUndefined();
  expect(result.body).toMatch(/^timeout: /);
  expect(ms).toBeLessThan(QUICK_MS);
  await eventually('the attempt is given up', () => app.connections[0]?.isClosed || app.connections[0]?.hasEnded);
});

test('a total timeout in the midst of a later attempt tells of both times', async () => {
  const timeouts = { ...client({ requestAttemptTimeoutMs: 400 }), ...service(RETRIED) };
  const { proxy } = await useSilent(timeouts);
  const { body } = await send(proxy.url, { headers: { Host: 'web' } });
  const [, own, attempt, all] = /gave no response within (\d+) ms, at attempt (\d), (\d+) ms after/.exec(body) ?? [];
  expect(Number(attempt)).toBe(2);
  expect(Number(own)).toBeLessThan(400);
  expect(Number(all)).toBeGreaterThanOrEqual(599);
});

test('a timeout of the server holds for each of its requests', async () => {
  const { proxy } = await useSilent({ servers: [{ port: 4140, timeoutMs: 200 }] });
  const { result, ms } = await timed(send(proxy.url, { headers: { Host: 'web' }, timeoutMs: 3_000 }));
  expect(result).toMatchObject({ status: 503 });
  expect(ms).toBeLessThan(QUICK_MS);
});

test('no timeout cuts an answer that has begun', async () => {
  const app = await useRawBackend();
  const keys = { ...service({ totalTimeoutMs: 150 }), ...client({ requestAttemptTimeoutMs: 100 }) };
  const proxy = await useStaticProxy(straight({ web: app.port }, keys));
  const one = rawClient(proxy.url, 'GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nlat');
  await one.endsWith('lat');
  await new Promise((resolve) => setTimeout(resolve, 300));
  upstream.send('est');
  await one.endsWith('latest');
});

test("a caller's deadline is enforced and told", async () => {
  const { app, proxy } = await useSilent({});
  const headers = { Host: 'web', 'l5d-ctx-deadline': deadline(300) };
  const { result, ms } = await timed(send(proxy.url, { headers }));
  expect(result.status).toBe(503);
  expect(result.body).toMatch(/^deadline: /);
  expect(ms).toBeLessThan(QUICK_MS);
  const told = headerOf(app.connections[0]?.text ?? '', 'l5d-ctx-deadline');
  expect(told).toMatch(/^\d{19} \d{19}$/);
});

test('a deadline that has passed is answered at once, and nothing is sent', async () => {
  const { app, proxy } = await useSilent({});
  const answer = await send(proxy.url, { headers: { Host: 'web', 'l5d-ctx-deadline': deadline(-50, 100) } });
  expect(answer.status).toBe(503);
  expect(answer.body).toMatch(/^deadline: it passed \d+ ms before the request came/);
  expect(app.connections).toHaveLength(0);
});

test('of several deadlines the strictest counts, and what is told is no later than the total timeout', async () => {
  const heads: string[] = [];
  const app = await useAnsweringBackend((head) => {
    heads.push(head);
    return ok('.');
  });
  const proxy = await useStaticProxy(straight({ web: app.port }, service({ totalTimeoutMs: 2_000 })));
  const one = rawClient(
    proxy.url,
    `GET / HTTP/1.1\r\nHost: web\r\nl5d-ctx-deadline: ${deadline(9_000)}\r\nl5d-ctx-deadline: ${deadline(1_000)}\r\n\r\n`,
  );
  await one.endsWith('.');
  expect(heads[0]?.match(/^l5d-ctx-deadline:/gim)).toHaveLength(1);
  const left = leftIn(headerOf(heads[0] ?? '', 'l5d-ctx-deadline'));
  expect(left).toBeGreaterThan(300);
  expect(left).toBeLessThanOrEqual(1_000);

  one.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  await eventually('it is told', () => heads[1]);
  const own = leftIn(headerOf(heads[1] ?? '', 'l5d-ctx-deadline'));
  expect(own).toBeGreaterThan(1_000);
  expect(own).toBeLessThanOrEqual(2_000);
});

test('a deadline by a clock that is off is passed on and not enforced, with a warning', async () => {
  const heads: string[] = [];
  const app = await useAnsweringBackend((head) => {
    heads.push(head);
    return ok('served');
  });
  const proxy = await useStaticProxy(straight({ web: app.port }));
  // Written in our future, and over all the same.
  const skewed = `${BigInt(Date.now() + 5_000) * 1_000_000n} ${BigInt(Date.now() - 1_000) * 1_000_000n}`;
  const answer = await send(proxy.url, { headers: { Host: 'web', 'l5d-ctx-deadline': skewed } });
  expect(answer).toMatchObject({ status: 200, body: 'served' });
  const figures = JSON.parse((await send(`${proxy.admin}/admin/metrics.json`)).body) as Record<string, number>;
  expect(figures['rt/http/skewed_deadlines']).toBe(1);
  expect(proxy.lines.some((line) => line.startsWith('warn') && line.includes('clock'))).toBe(true);
});

test.each(['garbage', '1 2 3', '1', '-1 5', ''])('a deadline that is none is ignored: %j', async (text) => {
  const app = await useAnsweringBackend(() => ok('served'));
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const answer = await send(proxy.url, { headers: { Host: 'web', 'l5d-ctx-deadline': text } });
  expect(answer).toMatchObject({ status: 200, body: 'served' });
});

test("under linkerd's defaults a deadline is passed on and not enforced", async () => {
  const heads: string[] = [];
  const app = await useAnsweringBackend((head) => {
    heads.push(head);
    return ok('served');
  });
  const proxy = await useStaticProxy(straight({ web: app.port }, { nodemesh: { linkerdCompat: true } }));
  const text = deadline(-50, 100);
  expect(await send(proxy.url, { headers: { Host: 'web', 'l5d-ctx-deadline': text } })).toMatchObject({ status: 200 });
  expect(headerOf(heads[0] ?? '', 'l5d-ctx-deadline')).toBe(text);
});

test('an upload may take longer than an answer may: the time for the answer runs when all of the request is there', async () => {
  const app = await useRawBackend();
  const keys = { ...client({ requestAttemptTimeoutMs: 400 }), ...service({ totalTimeoutMs: 500 }) };
  const proxy = await useStaticProxy(straight({ web: app.port }, keys));
  const uploading = rawClient(proxy.url, 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 8\r\n\r\n');
  const startedAt = performance.now();
  for (let index = 0; index < 8; index += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    uploading.send('x');
  }
  await eventually('the upload is there', () => app.connections[0]?.text.endsWith('xxxxxxxx') === true, QUICK_MS);
  expect(performance.now() - startedAt).toBeGreaterThan(600);
  expect(headerOf(app.connections[0]?.text ?? '', 'l5d-ctx-deadline')).toBeNull();
  app.connections[0]?.send(ok('taken'));
  await uploading.endsWith('taken');
  // And an answer that does not come still has its limit.
  uploading.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 1\r\n\r\n');
  await eventually('the second is on its way', () =>
    app.connections.some(({ text }) => text.includes('Content-Length: 1\r')),
  );
  uploading.send('y');
  await eventually('it is given up', () => uploading.text.includes('HTTP/1.1 503'), QUICK_MS);
});
