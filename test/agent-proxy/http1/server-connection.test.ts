/** The server side of a connection by itself: what becomes of an answer that its client reads slowly. */
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ServerConnection } from '../../../agent-proxy/http1/server-connection.ts';
import type { ServerExchange, ServerHandler } from '../../../agent-proxy/http1/server-exchange.ts';
import { Ticker } from '../../../agent-proxy/timing/ticker.ts';
import { acceptor } from '../../../agent-proxy/transport/accepting.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { rawClient } from '../../fixtures/raw-socket.ts';
import { LIMITS } from './limits.ts';

const LONG = 'z'.repeat(12_000_000);
const HOUR_MS = 3_600_000;

class Answering implements ServerExchange {
  readonly requestSink = { bytes: () => undefined, text: () => undefined };
  readonly isAnswered = true;
  private readonly connection: ServerConnection;
  private readonly keepAlive: boolean;

  constructor(connection: ServerConnection, keepAlive: boolean) {
    this.connection = connection;
    this.keepAlive = keepAlive;
  }

  begin(): void {
    this.connection.writer.text(`HTTP/1.1 200 OK\r\nContent-Length: ${LONG.length + 3}\r\n\r\n${LONG}END`);
    this.connection.writer.flush();
    this.connection.finish(this.keepAlive);
  }

  requestPaused(): void {}
  requestEnded(): void {}
  requestBroken(): void {}
  clientDrained(): void {}
  clientEnded(): void {}
  clientGone(): void {}
}

/** Answers each request at once with more than a connection holds. */
async function useServer(keepAlive: boolean): Promise<{ url: string; answered: () => number; open: () => number }> {
  const now = (): number => performance.now();
  const ticker = new Ticker(now);
  let answered = 0;
  let open = 0;
  const handler: ServerHandler<ServerConnection> = {
    limits: LIMITS,
    timeouts: { head: HOUR_MS, idle: HOUR_MS, body: HOUR_MS, life: HOUR_MS },
    wheel: ticker.wheel,
    now,
    counts: { receivedBytes: 0, idleCloses: 0, lifetimeCloses: 0 },
    isDraining: false,
    exchange: (connection) => {
      answered += 1;
      return new Answering(connection, keepAlive);
    },
    refusal: () => '',
    closed: () => {
      open -= 1;
    },
  };
  const server = acceptor({ noDelay: true, keepAlive: false, idleMs: null }, (transport) => {
    open += 1;
    void new ServerConnection(transport, handler);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ticker.start();
  onTestFinished(() => {
    server.close();
    ticker.stop();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered: () => answered,
    open: () => open,
  };
}

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';

test('the last answer of a connection arrives whole, however long its client takes to read it', async () => {
  const { url, answered, open } = await useServer(false);
  const client = rawClient(url, GET);
  client.socket.pause();
  await eventually('it is answered', () => answered() === 1);
  // Longer than a client that has read all may take to hang up.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  client.socket.resume();
  await eventually('all of it comes', () => client.text.endsWith('END') || client.isClosed);
  expect(client.text.endsWith('END')).toBe(true);
  client.end();
  await eventually('the connection is closed', () => open() === 0);
});

test.each([
  ['is the last of its connection', false],
  ['would let its connection go on', true],
])(
  'a client that ends its side before it has read an answer that %s loses nothing of it',
  async (_which, keepsAlive) => {
    const { url, answered, open } = await useServer(keepsAlive);
    const client = rawClient(url, GET);
    client.socket.pause();
    await eventually('it is answered', () => answered() === 1);
    client.end();
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.socket.resume();
    await eventually('all of it comes', () => client.text.endsWith('END') || client.isClosed);
    expect(client.text.endsWith('END')).toBe(true);
    await eventually('the connection is closed', () => open() === 0);
  },
);

test('a client that does not read its answers does not get to ask for more of them', async () => {
  const { url, answered } = await useServer(true);
  const client = rawClient(url, GET.repeat(100));
  client.socket.pause();
  await eventually('the first is answered', () => answered() > 0);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(answered()).toBeLessThan(3);
});
