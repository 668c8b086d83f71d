/** Connections to one address that are all in use, and what becomes of the requests that wait for one. */
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type AttemptFailure, ClientPool } from '../../../agent-proxy/http1/client.ts';
import { useBackend } from '../../fixtures/backend.ts';
import { eventually } from '../../fixtures/eventually.ts';

const CONNECTIONS = { connected: () => undefined, disconnected: () => undefined };

interface Told {
  failure: AttemptFailure | null;
  status: number | null;
  readonly cancel: () => void;
}

function usePool(maxWaiting: number): ClientPool {
  const pool = new ClientPool({ maxConnections: 1, maxWaiting, maxIdle: 1, idleMs: 5_000 });
  onTestFinished(() => pool.close());
  return pool;
}

function ask(pool: ClientPool, port: number): Told {
  const told: Told = { failure: null, status: null, cancel: () => attempt.cancel() };
  const attempt = pool.send(
    { address: '127.0.0.1', port, timeoutMs: 10_000, connections: CONNECTIONS },
    { method: 'GET', target: '/', version: '1.1', host: 'web', headers: [] },
    ['Host', 'web'],
    {
      onResponse: (head, body) => {
        told.status = head.status;
        body.on('error', () => undefined).resume();
      },
      onFailure: (failure) => {
        told.failure = failure;
      },
    },
  );
  attempt.end();
  return told;
}

test('a request that gets no connection fails as one of which nothing was sent, long before its own deadline', async () => {
  let asked = 0;
  const hung = await useBackend('hung', { raw: () => (asked += 1) });
  const pool = usePool(10);
  const first = ask(pool, hung.port);
  const second = ask(pool, hung.port);
  await eventually('the second gives up', () => second.failure !== null, 3_000);
  expect(second.failure).toMatchObject({ kind: 'crowded' });
  expect([first.failure, first.status, asked]).toEqual([null, null, 1]);
});

test('where too many wait already, the next one fails at once, and all is well when a connection is free again', async () => {
  const held: (() => void)[] = [];
  const backend = await useBackend('held', { raw: (_request, response) => held.push(() => response.end()) });
  const pool = usePool(1);
  const first = ask(pool, backend.port);
  const second = ask(pool, backend.port);
  const third = ask(pool, backend.port);
  await eventually('the third is refused', () => third.failure !== null, 500);
  expect(third.failure).toMatchObject({ kind: 'crowded', detail: expect.stringContaining('1 requests wait') });
  expect(second.failure).toBeNull();
  second.cancel();
  await eventually('the first arrives', () => held.length === 1, 3_000);
  held.shift()?.();
  await eventually('the first is answered', () => first.status === 200, 3_000);
  await eventually('the queue is empty', () => pool.waiting('127.0.0.1', backend.port) === 0, 3_000);
  const fourth = ask(pool, backend.port);
  await eventually('the fourth arrives', () => held.length === 1, 3_000);
  held.shift()?.();
  await eventually('the fourth is answered', () => fourth.status === 200, 3_000);
});

test('an answer whose Transfer-Encoding is not chunked alone is a bad response', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () =>
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on a port');
  const told = ask(usePool(1), address.port);
  await eventually('it fails', () => told.failure !== null || told.status !== null, 3_000);
  expect(told.failure).toMatchObject({ kind: 'bad-response' });
});
