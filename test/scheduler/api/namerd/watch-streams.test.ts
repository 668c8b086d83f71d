/** Streams of lines over real sockets: what a reader that does not read, and too many of them, come to. */
import { createServer, get, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import express from 'express';
import { afterEach, expect, test } from 'vitest';
import { Var } from '../../../../agent-proxy/routing/activity.ts';
import { errorHandler } from '../../../../scheduler/api/errors.ts';
import { WatchStreams } from '../../../../scheduler/api/namerd/watch-streams.ts';
import { eventually } from '../../../fixtures/eventually.ts';
import { Watch } from '../../support/namerd-client.ts';

let server: Server | null = null;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
});

async function serve(lines: Var<string>): Promise<string> {
  const streams = new WatchStreams();
  const app = express();
  app.get('/watch', (request, response) => streams.begin(request, response, lines, 'application/json'));
  app.use(errorHandler(() => undefined));
  server = createServer(app);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/watch`;
}

test('a reader that does not read is cut off, others hear of everything', async () => {
  const lines = new Var<string>();
  const url = new URL(await serve(lines));
  const slow = connect({ host: url.hostname, port: Number(url.port) });
  slow.write('GET /watch HTTP/1.1\r\nHost: x\r\n\r\n');
  const good = new Watch(url.href);
  await good.answered();
  let closed = false;
  slow.on('error', () => undefined).on('close', () => (closed = true));
  const long = 'x'.repeat(256 * 1024);
  let sent = 0;
  await eventually('the slow one is cut off', async () => {
    lines.ok(JSON.stringify(`${sent} ${long}`));
    sent += 1;
    await eventually('the good one has it', () => good.lines.length === sent);
    // It notices only when it reads.
    if (sent >= 60) slow.resume();
    return closed;
  });
  expect(sent).toBeGreaterThan(4);
  expect(good.ended).toBe(false);
  good.close();
});

test('there are a thousand at most, and one that ends makes room', async () => {
  const url = await serve(new Var<string>({ kind: 'ok', value: '[]' }));
  const watches = Array.from({ length: 1_000 }, () => new Watch(url));
  await Promise.all(watches.map((watch) => watch.answered()));
  const status = () =>
    new Promise<number>((resolve) => {
      get(url, { agent: false }, (response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
    });
  expect(await status()).toBe(503);
  watches[0]?.close();
  await eventually('room for another', async () => (await status()) === 200);
  for (const watch of watches) watch.close();
});
