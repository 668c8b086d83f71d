/** A scheduler that moved tells every proxy where it is, also those behind many that do not answer. */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Announcer, type AnnounceTarget } from '../../../scheduler/distribution/announcer.ts';
import { eventually } from '../../fixtures/eventually.ts';

const TIMES = { tickMs: 5, timeoutMs: 100, firstRetryMs: 20, maxRetryMs: 40 };

test('silent proxies do not take every turn', async () => {
  const held = new Set<Socket>();
  const silent = createServer((socket) => held.add(socket));
  const told: string[] = [];
  const proxy = createHttpServer((request, response) => {
    told.push(request.url ?? '');
    request.resume().on('end', () => response.writeHead(204).end());
  });
  await Promise.all([silent, proxy].map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))));
  const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
  const targets: AnnounceTarget[] = Array.from({ length: 60 }, (_, index) => ({
    taskId: `silent-${index}`,
    ip: '127.0.0.1',
    adminPort: portOf(silent),
  }));
  targets.push({ taskId: 'good', ip: '127.0.0.1', adminPort: portOf(proxy) });
  const announcer = new Announcer({
    announce: { epoch: 3, schedulers: ['http://127.0.0.1:4180'] },
    authorization: () => null,
    targets: () => (told.length === 0 ? targets : []),
    staleLeader: () => undefined,
    times: TIMES,
  });
  onTestFinished(async () => {
    await announcer.stop();
    for (const socket of held) socket.destroy();
    proxy.closeAllConnections();
    silent.close();
    proxy.close();
  });
  announcer.start();
  await eventually('the good one is told', () => told.length > 0);
  expect(told[0]).toBe('/control/v1/announce');
});
