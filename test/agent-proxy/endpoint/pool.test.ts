/** The connections to one address: which is used, how many there may be, and what becomes of the requests that wait. */

import { expect, onTestFinished, test } from 'vitest';
import { connector } from '../../../agent-proxy/endpoint/connect.ts';
import { Pool, type PoolLimits, type PoolUser } from '../../../agent-proxy/endpoint/pool.ts';
import type { ClientConnection, ResponseTarget, Unconnected } from '../../../agent-proxy/http1/client-connection.ts';
import { Ticker } from '../../../agent-proxy/timing/ticker.ts';
import type { Transport } from '../../../agent-proxy/transport/transport.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { ok, type RawBackend, useAnsweringBackend, useRawBackend } from '../../fixtures/raw-socket.ts';
import { LIMITS } from '../http1/limits.ts';

const NEVER = Number.POSITIVE_INFINITY;
const NOWHERE = { bytes: () => undefined, text: () => undefined };

/** A request that writes down what becomes of it. */
class User implements PoolUser {
  readonly method = 'GET';
  readonly toPeer = false;
  readonly isSent = true;
  connection: ClientConnection | null = null;
  refusal: { why: Unconnected; detail: string } | null = null;
  broken: { kind: string; any: boolean } | null = null;
  status = 0;
  isOver = false;
  readonly opened: number[] = [];
  readonly closed: number[] = [];
  readonly connections = {
    connected: (ms: number) => void this.opened.push(ms),
    disconnected: (ms: number) => void this.closed.push(ms),
  };

  connected(connection: ClientConnection): void {
    this.connection = connection;
    connection.writer.text('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    connection.writer.flush();
  }

  unconnected(why: Unconnected, detail: string): void {
    this.refusal = { why, detail };
  }

  responded(head: { status: number }): ResponseTarget {
    this.status = head.status;
    return { sink: NOWHERE, form: 'framed' };
  }

  responseBroken(kind: 'reset' | 'bad-response', _detail: string, any: boolean): void {
    this.broken = { kind, any };
  }

  responseEnded(): void {
    this.isOver = true;
  }

  informed(): void {}
  responsePaused(): void {}
  serverDrained(): void {}
  serverEnded(): void {}
}

interface Setting {
  readonly pool: Pool;
  readonly transports: Transport[];
  /** A request, and its end. */
  ask(): Promise<User>;
}

function usePool(port: number, limits: Partial<PoolLimits> = {}): Setting {
  const now = (): number => performance.now();
  const ticker = new Ticker(now);
  ticker.start();
  const transports: Transport[] = [];
  const connect = connector({ noDelay: true, keepAlive: false, readTimeoutMs: null, writeTimeoutMs: null }, null, now);
  const bounds = { minSize: 0, maxSize: NEVER, maxWaiters: NEVER, idleMs: NEVER, lifeMs: NEVER, ...limits };
  const context = { wheel: ticker.wheel, now, headLimits: LIMITS };
  const pool = new Pool('127.0.0.1', port, bounds, context, (...address) => {
    const opened = connect(...address);
    transports.push(opened);
    return opened;
  });
  onTestFinished(() => {
    pool.close();
    ticker.stop();
    for (const transport of transports) transport.destroy();
  });
  const ask = async (): Promise<User> => {
    const user = new User();
    pool.acquire(user);
    await eventually('it is over', () => user.isOver);
    return user;
  };
  return { pool, transports, ask };
}

function useApp(lines = ''): Promise<RawBackend> {
  return useAnsweringBackend(() => ok('hello', lines));
}

test('a connection is used again and again', async () => {
  const app = await useApp();
  const { ask } = usePool(app.port);
  const connections = new Set<ClientConnection | null>();
  for (let count = 0; count < 10; count += 1) connections.add((await ask()).connection);
  expect(connections.size).toBe(1);
  expect(app.connections).toHaveLength(1);
});

test('each connection counts for the request that opened it, from beginning to end', async () => {
  const app = await useApp();
  const { pool, ask } = usePool(app.port);
  const first = await ask();
  const second = await ask();
  expect([first.opened.length, second.opened.length]).toEqual([1, 0]);
  pool.close();
  await eventually('it is closed', () => first.closed.length === 1);
  expect(second.closed).toEqual([]);
});

test('the connection that was used last goes first, so that the others grow old', async () => {
  const app = await useApp();
  const { pool, ask } = usePool(app.port);
  const [one, two] = [new User(), new User()];
  pool.acquire(one);
  pool.acquire(two);
  await eventually('both are over', () => one.isOver && two.isOver);
  const last = (await ask()).connection;
  for (let count = 0; count < 5; count += 1) expect((await ask()).connection).toBe(last);
});

test('where all connections that there may be are in use, requests wait in order', async () => {
  const app = await useRawBackend();
  const { pool } = usePool(app.port, { maxSize: 1 });
  const users = [new User(), new User(), new User()];
  for (const user of users) pool.acquire(user);
  expect([pool.size, pool.waiting]).toEqual([1, 2]);
  const server = await app.connection(0);
  for (const [index, user] of users.entries()) {
    await server.until('its request comes', (text) => text.match(/GET/g)?.length === index + 1);
    server.send(ok('x'));
    await eventually('it is over', () => user.isOver);
  }
  expect(app.connections).toHaveLength(1);
});

test('where too many wait already, the next one fails at once', async () => {
  const app = await useRawBackend();
  const { pool } = usePool(app.port, { maxSize: 1, maxWaiters: 1 });
  const users = [new User(), new User(), new User()];
  for (const user of users) pool.acquire(user);
  expect(users.map(({ refusal }) => refusal?.why)).toEqual([undefined, undefined, 'crowded']);
  expect(users[2]?.refusal?.detail).toContain('1 requests wait for a connection');
});

test('a request that waits and is given up leaves its place to the next', async () => {
  const app = await useRawBackend();
  const { pool } = usePool(app.port, { maxSize: 1 });
  const [first, second, third] = [new User(), new User(), new User()];
  for (const user of [first, second, third]) pool.acquire(user);
  const server = await app.connection(0);
  await server.has('GET');
  expect(pool.cancel(second)).toBe('waited');
  server.send(ok('x'));
  await eventually('the first is over', () => first.isOver);
  await server.until('the third comes', (text) => text.match(/GET/g)?.length === 2);
  server.send(ok('x'));
  await eventually('the third is over', () => third.isOver);
  expect([second.connection, second.refusal]).toEqual([null, null]);
});

test('a connection that is being made for a request that was given up is closed', async () => {
  const app = await useApp();
  const { pool, transports } = usePool(app.port);
  const user = new User();
  pool.acquire(user);
  expect(pool.cancel(user)).toBe('connecting');
  await eventually('it is closed', () => pool.size === 0);
  expect([transports[0]?.isClosed, user.connection, user.refusal]).toEqual([true, null, null]);
});

test('an address that refuses: the request hears of it, with the reason', async () => {
  const app = await useApp();
  await app.close();
  const { pool } = usePool(app.port);
  const user = new User();
  pool.acquire(user);
  await eventually('it is refused', () => user.refusal);
  expect(user.refusal).toEqual({ why: 'refused', detail: `127.0.0.1:${app.port}: ECONNREFUSED` });
  expect([pool.size, user.opened, user.closed]).toEqual([0, [], []]);
});

test('when the connection that all wait for dies, the next in line gets one of its own', async () => {
  const app = await useRawBackend();
  const { pool } = usePool(app.port, { maxSize: 1 });
  const [first, second] = [new User(), new User()];
  pool.acquire(first);
  pool.acquire(second);
  (await app.connection(0)).socket.resetAndDestroy();
  await eventually('the first hears of it', () => first.broken);
  expect(first.broken).toEqual({ kind: 'reset', any: false });
  const server = await app.connection(1);
  await server.has('GET');
  server.send(ok('x'));
  await eventually('the second is over', () => second.isOver);
});

test('a connection without a request is closed after its idle time', async () => {
  const app = await useApp();
  const { pool, ask } = usePool(app.port, { idleMs: 100 });
  await ask();
  expect(pool.size).toBe(1);
  await eventually('it is closed', () => pool.size === 0, 1_000);
});

test.each([
  ['sooner, where its server says that it will hang up', 'Keep-Alive: timeout=1, max=100\r\n', 60_000],
  ['not later, where its server is more patient', 'Keep-Alive: timeout=60\r\n', 200],
])('and %s', async (_when, lines, idleMs) => {
  const app = await useApp(lines);
  const { pool, ask } = usePool(app.port, { idleMs });
  await ask();
  await eventually('it is closed', () => pool.size === 0, 900);
});

test('a connection that is old is closed after its request', async () => {
  const app = await useApp();
  const { pool, ask } = usePool(app.port, { lifeMs: 100 });
  const { connection } = await ask();
  expect(pool.size).toBe(1);
  await eventually('it is old', async () => (await ask()).connection !== connection, 1_000);
  expect(app.connections).toHaveLength(2);
});

test('a pool that is closed finishes what it has, and keeps nothing', async () => {
  const app = await useRawBackend();
  const { pool } = usePool(app.port);
  const user = new User();
  pool.acquire(user);
  const server = await app.connection(0);
  await server.has('GET');
  pool.close();
  server.send(ok('x'));
  await eventually('it is over', () => user.isOver);
  await eventually('nothing is kept', () => pool.size === 0);
});

test('a connection that its server has ended is given to nobody, not even in the moment before it is closed', async () => {
  const app = await useApp();
  const { pool, transports, ask } = usePool(app.port);
  await ask();
  const next = new User();
  const [first] = transports;
  if (first === undefined) throw new Error('nothing was connected');
  const destroy = first.destroy.bind(first);
  first.destroy = () => {
    destroy();
    if (next.connection === null) pool.acquire(next);
  };
  app.connections[0]?.end();
  await eventually('the next one is over', () => next.isOver);
  expect(next.broken).toBeNull();
  expect(next.connection?.uses).toBe(1);
});
