/** Answers that begin before their request is complete: the rest of its body arrives, and no connection gets out of step. */
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { useBackend } from '../../fixtures/backend.ts';
import { endpoint, helloFrame, snapshotFrames, useFakeScheduler } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { type RunningProxy, useProxy } from '../../fixtures/proxy.ts';

interface Connection {
  readonly socket: Socket;
  text: string;
}

async function useWeb(port: number): Promise<RunningProxy> {
  const web = { name: 'web', endpoints: [endpoint({ service: 'web', instance: 'web.1', port })] };
  const scheduler = await useFakeScheduler([helloFrame(), ...snapshotFrames(1, 1, [web])]);
  const proxy = await useProxy({ schedulers: [scheduler.url] });
  await eventually('it has the table', () => scheduler.reports.at(-1)?.ready);
  return proxy;
}

function collect(socket: Socket): Connection {
  const connection: Connection = { socket, text: '' };
  socket.on('data', (chunk: Buffer) => {
    connection.text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return connection;
}

function open(url: string, bytes: string): Connection {
  const { hostname, port } = new URL(url);
  const connection = collect(connect(Number(port), hostname));
  connection.socket.write(bytes);
  return connection;
}

/** An application that answers byte by byte, as the test says. */
async function useBytes(): Promise<{ port: number; connections: Connection[] }> {
  const connections: Connection[] = [];
  const server = createServer((socket) => connections.push(collect(socket)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on a port');
  return { port: address.port, connections };
}

const HALF = 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 10\r\n\r\n01234';

test.each([
  ['with a length', 'Content-Length: 10', '01234', '56789'],
  ['in chunks', 'Transfer-Encoding: chunked', '5\r\n01234\r\n', '5\r\n56789\r\n0\r\n\r\n'],
])('a body %s arrives whole though the answer begins in the middle of it', async (_how, framing, one, two) => {
  const app = await useBytes();
  const proxy = await useWeb(app.port);
  const client = open(proxy.outgoing, `POST / HTTP/1.1\r\nHost: web\r\n${framing}\r\n\r\n${one}`);
  await eventually('the first half arrives', () => app.connections[0]?.text.endsWith(one));
  app.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
  await eventually('the head comes', () => client.text.startsWith('HTTP/1.1 200'));
  client.socket.write(two);
  await eventually('the second half arrives', () => app.connections[0]?.text.endsWith(one + two), 2_000);
  app.connections[0]?.socket.write('0\r\n\r\n');
  await eventually('the answer is complete', () => client.text.endsWith('0\r\n\r\n'));

  // In step: the next request of another client is no part of the first one.
  const next = open(proxy.outgoing, 'GET /next HTTP/1.1\r\nHost: web\r\n\r\n');
  const seen = (): string => app.connections.map(({ text }) => text).join('|');
  await eventually('the next one arrives', () => seen().includes('GET /next'));
  expect(seen()).toContain(`${one}${two}GET /next`);
  app.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext');
  await eventually('the next one is answered', () => next.text.endsWith('next'));
});

test('a connection whose request was answered before it was complete is not used again', async () => {
  const app = await useBytes();
  const proxy = await useWeb(app.port);
  const client = open(proxy.outgoing, HALF);
  await eventually('the first half arrives', () => app.connections[0]?.text.endsWith('01234'));
  app.connections[0]?.socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
  await eventually('the answer comes', () => client.text.endsWith('no'));
  client.socket.write('56789');
  open(proxy.outgoing, 'GET /next HTTP/1.1\r\nHost: web\r\n\r\n');
  await eventually('the next one arrives', () => app.connections[1]?.text.startsWith('GET /next'));
  expect(app.connections[0]?.text).not.toContain('GET');
});

test('a long upload goes on after the head of its answer, with backpressure', async () => {
  const backend = await useBackend('counting', {
    raw: (request, response) => {
      response.writeHead(200);
      response.flushHeaders();
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      request.on('end', () => response.end(String(bytes)));
    },
  });
  const proxy = await useWeb(backend.port);
  const body = 'x'.repeat(8 * 1024 * 1024);
  const answer = await send(proxy.outgoing, { method: 'POST', headers: { Host: 'web' }, body });
  expect(answer).toMatchObject({ status: 200, body: String(body.length) });
});
