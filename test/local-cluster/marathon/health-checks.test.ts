import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type HealthCheckSpec, parseApp } from '../../../local-cluster/marathon/app-spec.ts';
import { HealthChecks, networkProbe } from '../../../local-cluster/marathon/health-checks.ts';
import type { Instance } from '../../../local-cluster/marathon/instance.ts';
import { ManualTimers } from './manual-timers.ts';

const HOST = '127.0.33.1';

const check = (protocol: HealthCheckSpec['protocol'], path = '/'): HealthCheckSpec => ({
  ...{
    protocol,
    path,
    gracePeriodSeconds: 0,
    intervalSeconds: 1,
    timeoutSeconds: 0.2,
    maxConsecutiveFailures: 3,
    delaySeconds: 0,
  },
});

async function useServer(status: number | 'silent'): Promise<number> {
  const server = createServer((_request, response) => {
    if (status !== 'silent') response.writeHead(status).end('x'.repeat(100_000));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('a probe over HTTP', () => {
  test('is content with anything from 200 to 399', async () => {
    for (const status of [200, 204, 302])
      expect(await networkProbe(check('HTTP'), '127.0.0.1', await useServer(status))).toBeNull();
  });

  test('says what was answered otherwise, or that nothing was', async () => {
    expect(await networkProbe(check('HTTP', '/h'), '127.0.0.1', await useServer(503))).toBe('HTTP GET /h answered 503');
    expect(await networkProbe(check('HTTP'), '127.0.0.1', await useServer('silent'))).toBe('no answer within 200 ms');
    expect(await networkProbe(check('HTTP'), '127.0.33.100', 1)).toContain('ECONNREFUSED');
  });
});

describe('a probe over TCP', () => {
  test('is content with a connection', async () => {
    const server = createTcpServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    expect(await networkProbe(check('TCP'), '127.0.0.1', (server.address() as AddressInfo).port)).toBeNull();
    expect(await networkProbe(check('TCP'), '127.0.33.100', 1)).toContain('ECONNREFUSED');
  });
});

describe("Marathon's own checks", () => {
  test.each([
    { intervalSeconds: 2, times: [2, 4, 6, 8] },
    { intervalSeconds: 5, times: [3, 8] },
  ])('run first after their interval or a few seconds, and know no delay: every $intervalSeconds s', async (timing) => {
    const timers = new ManualTimers();
    const start = timers.now();
    const probedAt: number[] = [];
    const probe = async () => {
      probedAt.push((timers.now() - start) / 1_000);
      return null;
    };
    const checks = new HealthChecks(timers, probe, () => undefined);
    const spec = parseApp({
      id: '/app',
      cmd: 'x',
      healthChecks: [{ intervalSeconds: timing.intervalSeconds, delaySeconds: 15 }],
    });
    if (!spec.ok) throw new Error('the app is valid');
    checks.watch({ taskId: 'app.1', spec: spec.spec, ports: [1], ipAddresses: [], host: HOST } as unknown as Instance);
    await timers.advance(9_000);
    checks.stop();
    expect(probedAt).toEqual(timing.times);
  });
});
