/**
 * The two ways past Node's streams. They rest on insides of Node that may change: then the proxy goes the long way, and these
 * tests fail, so that somebody looks.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { DirectWrites } from '../../../agent-proxy/http1/direct-writes.ts';
import { readInto } from '../../../agent-proxy/http1/onread.ts';
import { SocketWriter } from '../../../agent-proxy/http1/socket-writer.ts';

const open: Socket[] = [];

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** Both ends of a connection. */
async function pair(): Promise<{ client: Socket; accepted: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [accepted] = (await once(server, 'connection')) as [Socket];
  if (client.connecting) await once(client, 'connect');
  server.close();
  open.push(client, accepted);
  return { client, accepted };
}

/** Reads until the other side ends. */
async function allOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const piece of socket) text += (piece as Buffer).toString('latin1');
  return text;
}

test('an accepted socket reads into a buffer of ours', async () => {
  const { client, accepted } = await pair();
  const buffer = Buffer.alloc(16);
  const read: string[] = [];
  const ended = once(accepted, 'end');
  const isOurs = readInto(accepted, {
    buffer,
    callback: (count) => {
      read.push(buffer.toString('latin1', 0, count));
      return true;
    },
  });
  accepted.resume();
  client.end('more than sixteen bytes');
  await ended;
  expect(isOurs).toBe(true);
  expect(read.join('')).toBe('more than sixteen bytes');
  expect(read[0]?.length).toBeLessThanOrEqual(16);
});

test('what has no handle, or another one, is left as it is', () => {
  const notConnected = new Socket();
  open.push(notConnected);
  expect(readInto(notConnected, { buffer: Buffer.alloc(1), callback: () => true })).toBe(false);
  expect(new DirectWrites(notConnected, () => undefined).write('nobody')).toBe(false);
});

test('a short text goes out past the stream, at once', async () => {
  const { client, accepted } = await pair();
  const writes = new DirectWrites(accepted, () => undefined);
  expect(writes.write('straight ')).toBe(true);
  expect(writes.write('to the kernel')).toBe(true);
  expect([writes.unsent, accepted.writableLength, accepted.bytesWritten]).toEqual([0, 0, 22]);
  accepted.end();
  expect(await allOf(client)).toBe('straight to the kernel');
});

test('what the kernel does not take is waited for, in order, and nothing is lost', async () => {
  const { client, accepted } = await pair();
  let drained = 0;
  accepted.on('drain', () => {
    drained += 1;
  });
  const writer = new SocketWriter(accepted);
  let written = '';
  // Nobody reads: the kernel's buffers fill up.
  for (let index = 0; !writer.isFull; index += 1) {
    const text = `${index}:${'x'.repeat(10_000)}\n`;
    written += text;
    writer.text(text);
    writer.flushNow();
  }
  expect(writer.unsent).toBeGreaterThan(0);
  for (const text of ['behind ', 'all that']) {
    written += text;
    writer.text(text);
    writer.flushNow();
  }
  expect(writer.written).toBe(written.length);
  accepted.end();
  expect(await allOf(client)).toBe(written);
  expect([writer.unsent, writer.isFull]).toEqual([0, false]);
  expect(drained).toBeGreaterThan(0);
});

test('a short text does not overtake what waits in the stream', async () => {
  const { client, accepted } = await pair();
  const writer = new SocketWriter(accepted);
  // Large pieces go by way of the stream: one is with the kernel, those behind it wait.
  while (accepted.writableLength < 400_000) {
    const piece = Buffer.alloc(100_000, 'x');
    writer.bytes(piece, 0, piece.length);
    writer.flush();
  }
  writer.text('the end');
  writer.flushNow();
  accepted.end();
  const all = await allOf(client);
  expect([all.length, all.indexOf('the end')]).toEqual([writer.written, writer.written - 'the end'.length]);
});

test('a connection that its other side has cut ends with the error of the system', async () => {
  const { client, accepted } = await pair();
  const failed = once(accepted, 'error');
  const writes = new DirectWrites(accepted, () => undefined);
  client.resetAndDestroy();
  const timer = setInterval(() => writes.write('anybody?'), 5);
  const [error] = (await failed) as [NodeJS.ErrnoException];
  clearInterval(timer);
  expect(['EPIPE', 'ECONNRESET']).toContain(error.code);
  expect(accepted.destroyed).toBe(true);
});
