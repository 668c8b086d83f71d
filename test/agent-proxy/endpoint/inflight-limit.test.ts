/** An instance that hangs: it gets only so many requests, and the rest go elsewhere or are shed. */
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Listener } from '../../../agent-proxy/accept/listener.ts';
import { StaticBindings } from '../../../agent-proxy/balance/static-bindings.ts';
import type { ExchangeContext } from '../../../agent-proxy/endpoint/exchange.ts';
import { ClientPool } from '../../../agent-proxy/http1/client.ts';
import { outgoingStack } from '../../../agent-proxy/STACK.ts';
import { MetricsTree } from '../../../agent-proxy/telemetry/metrics-tree.ts';
import { ServerScope } from '../../../agent-proxy/telemetry/scopes.ts';
import { useBackend } from '../../fixtures/backend.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';

const LIMIT = 2;

/** A router alone, before one instance. */
async function useRouter(port: number): Promise<string> {
  const now = (): number => performance.now();
  const scopes = new MetricsTree();
  const bindings = new StaticBindings([{ prefix: ['svc'], destination: ['$', 'inet', '127.0.0.1', String(port)] }], {
    router: 'alone',
    clock: now,
    random: Math.random,
    scopes,
    nodes: () => 1,
  });
  const pool = new ClientPool({ maxConnections: 100, maxWaiting: 100, maxIdle: 10, idleMs: 5_000 });
  const context: ExchangeContext = {
    now,
    random: Math.random,
    requestId: () => 'id',
    paths: null,
    pools: { peer: pool, direct: pool },
    peerKey: () => null,
    retries: 'any',
    maxInflight: LIMIT,
    attemptTimeoutMs: 10_000,
    totalTimeoutMs: 10_000,
    figures: { direct: 0, peerUnreachable: 0 },
  };
  const { server } = new Listener({
    scope: new ServerScope('alone', 'test', now()),
    walk: outgoingStack((host) => bindings.bind(host), context),
    now,
    calls: { ended: () => undefined },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    pool.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('an instance at its limit of requests gets no more, and what is shed may be tried elsewhere', async () => {
  const held: (() => void)[] = [];
  const backend = await useBackend('hung', { raw: (_request, response) => held.push(() => response.end('late')) });
  const url = await useRouter(backend.port);
  const options = { headers: { Host: 'web' } };
  const hanging = [send(url, options), send(url, options)];
  await eventually('it has all that it may have', () => held.length === LIMIT, 5_000);
  const shed = await send(url, { ...options, method: 'POST', body: 'x' });
  expect(shed).toMatchObject({ status: 503, headers: { 'l5d-retryable': 'true' } });
  expect(shed.body).toMatch(/^shed: .*127\.0\.0\.1:\d+ has 2 requests on their way/);
  for (const answer of held.splice(0)) answer();
  expect((await Promise.all(hanging)).map(({ body }) => body)).toEqual(['late', 'late']);
  const next = send(url, options);
  await eventually('it gets requests again', () => held.length === 1, 5_000);
  held[0]?.();
  expect(await next).toMatchObject({ status: 200 });
});
