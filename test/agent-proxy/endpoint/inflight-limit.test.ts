/** An instance whose connections are all in use: those who wait for one for too long are shed, and it is not held against it. */
import { expect, test } from 'vitest';
import { useBackend } from '../../fixtures/backend.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { useStaticProxy } from '../../fixtures/proxy.ts';
import { client, type Keys, straight } from '../../fixtures/static-config.ts';

const OPTIONS = { headers: { Host: 'web' } };

async function useHung(pool: Keys) {
  const held: (() => void)[] = [];
  const backend = await useBackend('hung', { raw: (_request, response) => held.push(() => response.end('late')) });
  const keys = client({ hostConnectionPool: pool, nodemesh: { connectTimeoutMs: 200 } });
  const proxy = await useStaticProxy(straight({ web: backend.port }, keys));
  return { proxy, held, backend };
}

test('a request that gets no connection in time is shed, and may be tried elsewhere', async () => {
  const { proxy, held } = await useHung({ maxSize: 2 });
  const hanging = [send(proxy.url, OPTIONS), send(proxy.url, OPTIONS)];
  await eventually('it has all that it may have', () => held.length === 2);
  const shed = await send(proxy.url, { ...OPTIONS, method: 'POST', body: 'x' });
  expect(shed).toMatchObject({ status: 503, headers: { 'l5d-retryable': 'true' } });
  expect(shed.body).toMatch(/^shed: .*no connection was free for \d+ ms/);
  for (const answer of held.splice(0)) answer();
  expect((await Promise.all(hanging)).map(({ body }) => body)).toEqual(['late', 'late']);

  // It never refused anything: it has requests again at once.
  const next = send(proxy.url, OPTIONS);
  await eventually('it gets requests again', () => held.length === 1);
  held[0]?.();
  expect(await next).toMatchObject({ status: 200 });
  const figures = JSON.parse((await send(`${proxy.admin}/admin/metrics.json`)).body) as Record<string, number>;
  const refusals = Object.entries(figures).filter(([name]) => name.endsWith('/connect_failures'));
  expect(refusals.map(([, count]) => count)).toEqual([0]);
});

test('a request that waits gets the first connection that is free', async () => {
  const { proxy, held, backend } = await useHung({ maxSize: 1 });
  const first = send(proxy.url, OPTIONS);
  await eventually('the first arrives', () => held.length === 1);
  const second = send(proxy.url, OPTIONS);
  held.shift()?.();
  await first;
  await eventually('the second arrives', () => held.length === 1);
  held.shift()?.();
  expect(await second).toMatchObject({ status: 200, body: 'late' });
  expect(backend.connections.size).toBe(1);
});

test('where too many wait already, the next one is shed at once', async () => {
  const { proxy, held } = await useHung({ maxSize: 1, maxWaiters: 1 });
  const first = send(proxy.url, OPTIONS);
  await eventually('the first arrives', () => held.length === 1);
  const second = send(proxy.url, OPTIONS);
  // What waits is not answered before the first is.
  const refused = await Promise.all(Array.from({ length: 5 }, () => send(proxy.url, OPTIONS)));
  expect(refused.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
  expect(refused[0]?.body).toContain('1 requests wait for a connection');
  held.shift()?.();
  await first;
  await eventually('the second arrives', () => held.length === 1);
  held.shift()?.();
  await second;
});
