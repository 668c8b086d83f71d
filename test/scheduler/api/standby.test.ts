/** A scheduler that does not lead: it says so, and where the leader is. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createApi, listen } from '../../../scheduler/api/server.ts';

let server: Server | null = null;

afterEach(() => new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve()))));

async function standby(leader: string | null): Promise<string> {
  const log = (): void => undefined;
  const app = createApi({
    config: {
      listen: { host: '127.0.0.1', port: 0 },
      apiToken: null,
      ports: { out: 4140, in: 4141, admin: 9990, edge: null },
      uninstall: false,
      publicListeners: 'edge',
    },
    version: '0.1.0',
    dcos: null,
    refusals: { list: () => [] },
    dist: '/nonexistent',
    doctor: { examine: () => Promise.reject(new Error('nobody asks')) },
    artifacts: {
      at: () => undefined,
      get wanted(): never {
        throw new Error('a standby launches nothing');
      },
    },
    plane: () => null,
    leader: () => leader,
    logger: { info: log, error: log },
  });
  server = await listen(app, { host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each([
  ['GET', '/v1/nodes'],
  ['GET', '/v1/services'],
  ['GET', '/v1/traffic'],
  ['GET', '/v1/state/frameworkId'],
  ['GET', '/v1/plans'],
  ['GET', '/v1/plans/deploy'],
  ['GET', '/v1/freeze'],
  ['POST', '/v1/plans/deploy/stop'],
  ['POST', '/v1/freeze'],
])('%s %s is answered 503 with the leader', async (method, path) => {
  const response = await fetch(`${await standby('http://10.0.0.7:4180')}${path}`, { method });
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({
    error: 'this scheduler does not lead; ask http://10.0.0.7:4180',
    leader: 'http://10.0.0.7:4180',
  });
});

test('without a leader that is known it says just that', async () => {
  const response = await fetch(`${await standby(null)}/v1/nodes`);
  expect(await response.json()).toEqual({
    error: 'this scheduler does not lead; which one does is not known (yet)',
    leader: null,
  });
});

test('/v1/health and /metrics are answered all the same', async () => {
  const url = await standby('http://10.0.0.7:4180');
  const health = await fetch(`${url}/v1/health`);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({ leading: false, leader: 'http://10.0.0.7:4180', value: 503, plans: {} });
  expect((await fetch(`${url}/metrics`)).status).toBe(200);
});
