/**
 * Connections without streams. They rest on insides of Node that may change: then the proxy goes the long way, and these
 * tests fail, so that somebody looks.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { acceptor } from '../../../agent-proxy/transport/accepting.ts';
import { openPlain } from '../../../agent-proxy/transport/connecting.ts';
import { StreamTransport } from '../../../agent-proxy/transport/stream-transport.ts';
import { HANDLES, TcpTransport } from '../../../agent-proxy/transport/tcp-transport.ts';
import type { Transport, TransportUser } from '../../../agent-proxy/transport/transport.ts';
import { eventually } from '../../fixtures/eventually.ts';

const OPTIONS = { noDelay: true, keepAlive: true, idleMs: null };
/** The two kinds of transport keep the same promises. An idle time is what streams are for. */
const KINDS = [
  { kind: 'handle', options: OPTIONS, type: TcpTransport },
  { kind: 'stream', options: { ...OPTIONS, idleMs: 3_600_000 }, type: StreamTransport },
] as const;

/** Writes down what it is told. */
class Witness implements TransportUser {
  readonly events: string[] = [];
  text = '';
  drains = 0;
  onRead: () => void = () => undefined;
  onEnded: () => void = () => undefined;

  connected(): void {
    this.events.push('connected');
  }

  read(bytes: Buffer, end: number): void {
    this.text += bytes.toString('latin1', 0, end);
    this.onRead();
  }

  ended(): void {
    this.events.push('ended');
    this.onEnded();
  }

  drained(): void {
    this.drains += 1;
  }

  allSent(): void {
    this.events.push('all sent');
  }

  closed(why: string): void {
    this.events.push(`closed ${why}`.trim());
  }
}

interface Pair {
  readonly client: Socket;
  readonly transport: Transport;
  readonly witness: Witness;
}

/** A client, and the accepted end of its connection. */
async function usePair(options: (typeof KINDS)[number]['options']): Promise<Pair> {
  const taken: Transport[] = [];
  const server = acceptor(options, (transport) => taken.push(transport)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  await eventually('it is accepted', () => taken.length === 1);
  server.close();
  const [transport] = taken;
  if (transport === undefined) throw new Error('nothing was accepted');
  const witness = new Witness();
  transport.start(witness);
  onTestFinished(() => {
    client.destroy();
    transport.destroy();
  });
  return { client, transport, witness };
}

/** Reads until the other side ends. */
async function allOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const piece of socket) text += (piece as Buffer).toString('latin1');
  return text;
}

test('this version of Node has the handles', () => {
  expect(HANDLES).not.toBeNull();
});

test.each(KINDS)('$kind: is what is accepted, and knows both addresses', async ({ options, type }) => {
  const { client, transport } = await usePair(options);
  expect(transport).toBeInstanceOf(type);
  expect(transport.local).toEqual({ address: '127.0.0.1', port: client.remotePort });
  expect(transport.remote).toEqual({ address: '127.0.0.1', port: client.localPort });
});

test.each(KINDS)('$kind: what is read arrives in order, also more than one read takes', async ({ options }) => {
  const { client, witness } = await usePair(options);
  const long = Array.from({ length: 50_000 }, (_, index) => `${index};`).join('');
  client.end(long);
  await eventually('it has ended', () => witness.events.includes('ended'));
  expect(witness.text).toBe(long);
});

test.each(KINDS)('$kind: one that waits reads at most one piece more', async ({ options }) => {
  const { client, transport, witness } = await usePair(options);
  const PIECE = 64 * 1024;
  witness.onRead = () => transport.pause();
  client.write('x'.repeat(400 * PIECE));
  await eventually('the client waits', () => client.writableLength > 0 && witness.text !== '');
  const before = witness.text.length;
  expect([before <= 2 * PIECE, transport.isPaused]).toEqual([true, true]);
  witness.onRead = () => undefined;
  transport.resume();
  await eventually('the rest comes', () => witness.text.length === 400 * PIECE);
});

test.each(KINDS)('$kind: texts and buffers go out in their order', async ({ options }) => {
  const { client, transport } = await usePair(options);
  transport.write('one\xff ');
  transport.writeAll(['two ', Buffer.from('three '), 'four\xfe ']);
  transport.writeAll([Buffer.from('five')]);
  transport.end();
  transport.write('not any more');
  expect(await allOf(client)).toBe('one\xff two three four\xfe five');
});

test.each(KINDS)(
  '$kind: what the kernel does not take is waited for, in order, and nothing is lost',
  async ({ options }) => {
    const { client, transport, witness } = await usePair(options);
    let written = '';
    // Nobody reads: the kernel's buffers fill up.
    for (let index = 0; transport.unsent === 0; index += 1) {
      const text = `${index}:${'x'.repeat(100_000)}\n`;
      written += text;
      if (index % 2 === 0) transport.write(text);
      else transport.writeAll([Buffer.from(text, 'latin1')]);
    }
    expect(transport.isFull).toBe(true);
    for (const text of ['behind ', 'all that']) {
      written += text;
      transport.write(text);
    }
    const all = allOf(client);
    await eventually('it hears that all was taken', () => witness.drains > 0);
    expect([transport.unsent, transport.isFull, transport.isAllSent]).toEqual([0, false, false]);
    transport.end();
    expect(await all).toBe(written);
    expect(transport.isAllSent).toBe(true);
  },
);

test.each(KINDS)('$kind: it is over when both sides have ended, whoever was first', async ({ options }) => {
  const first = await usePair(options);
  first.transport.end();
  await eventually('our end is out', () => first.witness.events.includes('all sent'));
  expect(first.transport.isClosed).toBe(false);
  first.client.end();
  await eventually('it is closed', () => first.witness.events.includes('closed'));
  expect(first.witness.events).toEqual(['all sent', 'ended', 'closed']);

  const second = await usePair(options);
  second.client.resume();
  second.client.end('last words');
  await eventually('it has ended', () => second.witness.events.includes('ended'));
  expect([second.witness.text, second.transport.isClosed]).toEqual(['last words', false]);
  second.transport.end();
  await eventually('it is closed', () => second.witness.events.includes('closed'));
  expect(second.witness.events).toEqual(['ended', 'all sent', 'closed']);
});

test.each(KINDS)('$kind: one that is destroyed says so once, and does nothing more', async ({ options }) => {
  const { client, transport, witness } = await usePair(options);
  const over = once(client, 'close');
  client.resume();
  client.on('end', () => client.end());
  transport.destroy();
  transport.destroy();
  transport.reset();
  transport.write('nobody');
  transport.end();
  transport.resume();
  await over;
  await eventually('it is closed', () => witness.events.length > 0);
  expect([witness.events, transport.isClosed, transport.local]).toEqual([['closed'], true, null]);
});

test.each(KINDS)('$kind: a reset is one', async ({ options }) => {
  const { client, transport } = await usePair(options);
  const failed = once(client, 'error');
  transport.reset();
  expect(((await failed) as [NodeJS.ErrnoException])[0].code).toBe('ECONNRESET');
});

test.each(KINDS)('$kind: one that its other side has cut says why', async ({ options }) => {
  const { client, transport, witness } = await usePair(options);
  client.resetAndDestroy();
  await eventually('it is closed', () => {
    transport.write('anybody?');
    return witness.events.length > 0;
  });
  expect(['closed EPIPE', 'closed ECONNRESET']).toContain(witness.events.at(-1));
  expect(transport.isClosed).toBe(true);
});

test.each(KINDS)('$kind: what is destroyed while it is told of a read hears no more of it', async ({ options }) => {
  const { client, transport, witness } = await usePair(options);
  witness.onRead = () => transport.destroy();
  client.write('x'.repeat(200_000));
  client.on('error', () => undefined);
  await eventually('it is closed', () => witness.events.length > 0);
  expect([witness.events, witness.text.length <= 64 * 1024]).toEqual([['closed'], true]);
});

/** A server, and a transport that connects to it. */
async function useConnecting(host: string, options: (typeof KINDS)[number]['options']) {
  const server = createServer({ allowHalfOpen: true }).listen(0, host);
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const { port } = server.address() as AddressInfo;
  const transport = openPlain(host, port, options);
  const witness = new Witness();
  onTestFinished(() => {
    transport.destroy();
    server.close();
  });
  return { server, accepted, transport, witness };
}

test.each(KINDS.flatMap((kind) => ['127.0.0.1', '::1'].map((host) => ({ ...kind, host }))))(
  '$kind: connects to $host, and then reads and writes',
  async ({ options, type, host }) => {
    const { accepted, transport, witness } = await useConnecting(host, options);
    expect(transport).toBeInstanceOf(type);
    transport.start(witness);
    const [socket] = await accepted;
    await eventually('it is connected', () => witness.events.includes('connected'));
    transport.write('question');
    expect(String((await once(socket, 'data'))[0])).toBe('question');
    socket.end('answer');
    await eventually('it has ended', () => witness.events.includes('ended'));
    expect([witness.text, transport.remote?.address]).toEqual(['answer', host]);
    transport.destroy();
    await eventually('it is closed', () => witness.events.includes('closed'));
    expect(witness.events).toEqual(['connected', 'ended', 'closed']);
  },
);

test.each(KINDS)('$kind: a connection that nobody takes says why, and was never connected', async ({ options }) => {
  const { server, transport, witness } = await useConnecting('127.0.0.1', options);
  const closed = once(server, 'close');
  server.close();
  await closed;
  transport.start(witness);
  await eventually('it is closed', () => witness.events.length > 0);
  expect(witness.events).toEqual(['closed ECONNREFUSED']);
});

test.each(KINDS)('$kind: one that is destroyed while it connects was never connected', async ({ options }) => {
  const { transport, witness } = await useConnecting('127.0.0.1', options);
  transport.start(witness);
  transport.destroy();
  await eventually('it is closed', () => witness.events.length > 0);
  expect(witness.events).toEqual(['closed']);
});
