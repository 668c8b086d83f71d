/** Two proxies of configuration files in a row, as linker-to-linker has them: only the first one sends again. */
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { useStaticProxy } from '../../fixtures/proxy.ts';
import { ok, type RawSocket, useAnsweringBackend } from '../../fixtures/raw-socket.ts';
import { client, type Keys, server, service, straight } from '../../fixtures/static-config.ts';

const RETRIES: Keys = {
  ...client({ failureAccrual: { kind: 'none' }, failFast: false }),
  ...service({
    responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' },
    retries: { backoff: { kind: 'constant', ms: 0 } },
  }),
};
const ERROR = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n';

/** Each hop with its router's keys; `asked` counts what arrives at the app. */
async function useHops(first: Keys, second: Keys, answer: (nth: number, connection: RawSocket) => string) {
  const asked = { times: 0 };
  const app = await useAnsweringBackend((_head, connection) => answer(++asked.times, connection));
  const incoming = await useStaticProxy(straight({ web: app.port }, { ...RETRIES, ...second }));
  const port = Number(new URL(incoming.url).port);
  const outgoing = await useStaticProxy(straight({ web: port }, { ...RETRIES, ...first }));
  return { app, asked, incoming, outgoing };
}

const AS_LINKERD: Keys = { nodemesh: { retryAtEachHop: true } };

test.each([
  ['three times, by the first proxy', {}, {}, 3],
  ['by each of both where that is configured', {}, AS_LINKERD, 9],
  ['by each of both where the second believes nothing that it is told', {}, server({ clearContext: true }), 9],
  ['not at all where the first one does not', { nodemesh: { maxRetries: 0 } }, {}, 1],
])('a request that fails is sent %s', async (_what, first, second, times) => {
  const { asked, outgoing } = await useHops(first, second, () => ERROR);
  expect(await send(outgoing.url, { headers: { Host: 'web' } })).toMatchObject({ status: 500 });
  expect(asked.times).toBe(times);
});

test.each(['1.1 linkerd', '1.0 cache, 1.1 nodemesh'])(
  'a request that came by %s is not sent again here',
  async (via) => {
    const { asked, incoming } = await useHops({}, {}, () => ERROR);
    await send(incoming.url, { headers: { Host: 'web', via } });
    expect(asked.times).toBe(1);
  },
);

test.each(['1.1 varnish', '1.1 linkerd, 1.1 nginx', '1.1 notlinkerd'])(
  'a request that came by %s is, which knows nothing of it',
  async (via) => {
    const { asked, incoming } = await useHops({}, {}, () => ERROR);
    await send(incoming.url, { headers: { Host: 'web', via } });
    expect(asked.times).toBe(3);
  },
);

test('a reused connection that dies behind the second proxy is answered by the first one sending it again', async () => {
  const { asked, app, outgoing } = await useHops({}, {}, (nth, { socket }) => {
    if (nth !== 2) return ok(`answer ${nth}`);
    socket.destroy();
    return '';
  });
  expect(await send(outgoing.url, { headers: { Host: 'web' } })).toMatchObject({ body: 'answer 1' });
  expect(await send(outgoing.url, { headers: { Host: 'web' } })).toMatchObject({ status: 200, body: 'answer 3' });
  await eventually('its connection is another one', () => app.connections.length === 2);
  expect(asked.times).toBe(3);
});
