/** The proxy of a public agent: from outside only its edge router and its control endpoint are there. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { parseCommand } from '../../../agent-proxy/config/options.ts';
import { ENV } from '../../../agent-proxy/control/environment.ts';
import { CONTROL_ANNOUNCE_PATH } from '../../../agent-proxy/control/wire-words.ts';
import { send } from '../../fixtures/http.ts';
import { useProxy } from '../../fixtures/proxy.ts';

const OUTSIDE = '127.0.35.61';
const INSIDE = '127.0.35.62';

const outsideOf = (url: string): string => url.replace(INSIDE, OUTSIDE);

function refuses(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

test('names, peers and admin pages are refused there, and the edge and the announcement answer', async () => {
  const proxy = await useProxy({ ip: OUTSIDE, innerIp: INSIDE, isPublic: true });
  expect(await Promise.all([proxy.outgoing, proxy.incoming].map((url) => refuses(outsideOf(url))))).toEqual([
    true,
    true,
  ]);
  expect(await Promise.all([proxy.outgoing, proxy.incoming, proxy.edge].map(refuses))).toEqual([false, false, false]);
  expect((await send(`${proxy.admin}/admin/ping`)).status).toBe(200);

  const control = outsideOf(proxy.admin);
  for (const path of ['/', '/admin/ping', '/admin/metrics.json', '/config.json', '/admin/table', '/admin/shutdown']) {
    expect((await send(`${control}${path}`)).status, path).toBe(404);
  }
  const body = JSON.stringify({ epoch: 7, schedulers: ['http://127.0.35.63:1'] });
  expect((await send(`${control}${CONTROL_ANNOUNCE_PATH}`, { method: 'POST', body })).status).toBe(204);
});

test('where each listens, by the environment of its task', () => {
  const env = { [ENV.schedulers]: 'http://s:1', [ENV.agentId]: 'S1', [ENV.taskId]: 't', [ENV.innerIp]: '127.0.0.1' };
  const command = parseCommand(['--node-ip', '10.0.0.9', '--ports', 'edge=4143'], env, '1.0.0');
  if (command.kind !== 'run' || command.source.kind !== 'scheduler') throw new Error('it runs under a scheduler');
  expect(command.source.spec.listeners.map(({ ip, port }) => `${ip}:${port}`)).toEqual([
    '127.0.0.1:9990',
    '127.0.0.1:4140',
    '127.0.0.1:4141',
    '10.0.0.9:4143',
    '10.0.0.9:9990',
  ]);
});
