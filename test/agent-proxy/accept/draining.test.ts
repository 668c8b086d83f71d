/** A proxy that ends: what is under way is finished, clients are told, and what takes too long is cut. */
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { useStaticProxy } from '../../fixtures/proxy.ts';
import { headerOf, ok, rawClient, useRawBackend } from '../../fixtures/raw-socket.ts';
import { straight } from '../../fixtures/static-config.ts';

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';

async function useAsked() {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const client = rawClient(proxy.url, GET);
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  return { app, proxy, client, upstream };
}

test('what is under way is finished, and then all is closed', async () => {
  const { proxy, client, upstream } = await useAsked();
  const idle = rawClient(proxy.url);
  const closed = proxy.close(8_000);
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 200));
  upstream.send(ok('finished'));
  await client.endsWith('finished');
  await closed;
  expect(performance.now() - startedAt).toBeLessThan(6_000);
  await eventually('the client is left', () => client.hasEnded || client.isClosed);
  await eventually('an idle one too', () => idle.hasEnded || idle.isClosed);
  await expect(send(proxy.url)).rejects.toThrow();
});

test('an answer that has begun is finished, and its connection does not hold up the end', async () => {
  const { proxy, client, upstream } = await useAsked();
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhal');
  await client.endsWith('hal');
  const closed = proxy.close(8_000);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  upstream.send('ves');
  await client.endsWith('halves');
  const startedAt = performance.now();
  await closed;
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('what takes longer than the grace is cut, on both sides', async () => {
  const { proxy, client, upstream } = await useAsked();
  const startedAt = performance.now();
  await proxy.close(400);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  await eventually('the client is cut', () => client.hasEnded || client.isClosed);
  await eventually('the server too', () => upstream.hasEnded || upstream.isClosed);
});

test('callers of this node are served until they are quiet', async () => {
  const { app, proxy, client, upstream } = await useAsked();
  upstream.send(ok('first'));
  await client.endsWith('first');
  const closed = proxy.close(8_000);
  let answered = 0;
  const working = rawClient(proxy.url);
  for (let count = 0; count < 4; count += 1) {
    working.send(GET.replace('/', `/${count}`));
    await eventually('it arrives', () => app.connections.some(({ text }) => text.includes(`GET /${count} `)));
    app.connections.find(({ text }) => text.includes(`GET /${count} `))?.send(ok(`answer ${count}`));
    await working.endsWith(`answer ${count}`);
    answered += 1;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  expect(answered).toBe(4);
  expect(headerOf(working.text, 'connection')).toBeNull();
  await closed;
});
