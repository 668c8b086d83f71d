/** What a client's figures say of its attempts that failed: how many, and each of them why. */
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { freePorts, useStaticProxy } from '../../fixtures/proxy.ts';
import { rawClient, useAnsweringBackend, useRawBackend } from '../../fixtures/raw-socket.ts';
import { client, straight } from '../../fixtures/static-config.ts';

async function figuresOf(admin: string, port: number): Promise<Record<string, number>> {
  const name = `rt/http/client/$/inet/127.0.0.1/${port}`;
  const answer = await send(`${admin}/admin/metrics.json?q=${encodeURIComponent(name)}`);
  return JSON.parse(answer.body) as Record<string, number>;
}

const STATUS_500 = 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n';

test.each([
  ['refused', null],
  ['reset', (connection: { socket: { destroy(): unknown } }) => connection.socket.destroy()],
  ['bad-response', (connection: { send(text: string): void }) => connection.send('garbage\r\n\r\n')],
  ['app-error', (connection: { send(text: string): void }) => connection.send(STATUS_500)],
  ['timeout', () => undefined],
] as const)('an attempt that failed is counted for its client by its reason: %s', async (reason, answer) => {
  const [closed = 0] = await freePorts('127.0.0.1', 1);
  const backend = await useAnsweringBackend((_head, connection) => {
    answer?.(connection);
    return '';
  });
  const port = answer === null ? closed : backend.port;
  const proxy = await useStaticProxy(straight({ web: port }, client({ requestAttemptTimeoutMs: 200 })));
  await send(proxy.url, { method: 'POST', headers: { Host: 'web' } });
  expect(await figuresOf(proxy.admin, port)).toMatchObject({ failures: 1, [`failures/${reason}`]: 1 });
});

test('an attempt that nobody waited for is counted for its client as such', async () => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const caller = rawClient(proxy.url, 'GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  await (await app.connection(0)).has('\r\n\r\n');
  caller.socket.destroy();
  await eventually('it is counted', async () => (await figuresOf(proxy.admin, app.port))['failures'] === 1);
  expect(await figuresOf(proxy.admin, app.port)).toMatchObject({ 'failures/client-gone': 1 });
});
