/** A second opinion: who answers at his own address lives, whatever has become of his control stream. */

import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { HealthProbe, type ProbeTarget } from '../../scheduler/health-probe.ts';
import { eventually } from '../fixtures/eventually.ts';

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

const target = (taskId: string, adminPort: number): ProbeTarget => ({
  agentId: taskId,
  taskId,
  ip: '127.0.0.1',
  adminPort,
});

test('any answer is a sign of life; a port without a listener, or one that says nothing, is none', async () => {
  const well = await listening(createHttpServer((_, response) => response.writeHead(200).end('pong')));
  const sick = await listening(createHttpServer((_, response) => response.writeHead(503).end()));
  const silent = await listening(createServer((socket) => socket.on('error', () => undefined).resume()));
  const told = new Map<string, boolean>();
  const probe = new HealthProbe({
    targets: () => [target('well', well), target('sick', sick), target('silent', silent), target('nobody', 1)],
    told: ({ taskId }, alive) => told.set(taskId, alive),
    everyMs: 20,
  });
  probe.start();
  onTestFinished(() => probe.stop());
  await eventually('all are told of', () => told.size === 4);
  expect(Object.fromEntries(told)).toEqual({ well: true, sick: true, silent: false, nobody: false });
});

test('looks again and again, and not at all once it is stopped', async () => {
  let rounds = 0;
  const probe = new HealthProbe({
    targets: () => {
      rounds += 1;
      return [];
    },
    told: () => undefined,
    everyMs: 5,
  });
  probe.start();
  await eventually('a third round', () => rounds >= 3);
  await probe.stop();
  const after = rounds;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(rounds).toBe(after);
});
