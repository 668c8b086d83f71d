/** Mesos health checks of real tasks: HTTP, TCP, COMMAND, and what follows from them. */
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { HealthCheck, TaskStatus } from '../../../framework/mesos-http-client/messages.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { framework, reached, run, type StandInMaster, shellTask, startAgent } from './stand-in-master.ts';

const IP = '127.0.32.1';
const QUICK = { delay_seconds: 0, interval_seconds: 0.03, timeout_seconds: 0.5, grace_period_seconds: 0 };

async function listening<S extends Server | TcpServer>(server: S): Promise<{ server: S; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, IP, resolve));
  onTestFinished(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

function healthOf(master: StandInMaster, id: string): TaskStatus[] {
  return master.of(id).filter(({ reason }) => reason === 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED');
}

function nap(check: HealthCheck): ReturnType<typeof shellTask> {
  return shellTask('t', 'exec sleep 1000', { health_check: check });
}

describe('health checks', () => {
  test('HTTP: healthy is told once, by an update that is a TASK_RUNNING, over one kept connection', async () => {
    const bench = await startAgent();
    let connections = 0;
    let requests = 0;
    const { server, port } = await listening(createServer((_request, response) => response.end(`${++requests}`)));
    server.on('connection', () => connections++);
    run(bench, nap({ type: 'HTTP', http: { port, path: '/ok' }, ...QUICK }));
    await eventually('ten looks', () => requests >= 10);
    expect(healthOf(bench.master, 't')).toMatchObject([
      { state: 'TASK_RUNNING', source: 'SOURCE_EXECUTOR', healthy: true },
    ]);
    expect(connections).toBe(1);
  });

  test.each([
    [200, true],
    [302, true],
    [404, false],
    [503, false],
  ])('HTTP: an answer of %i means healthy: %s', async (status, healthy) => {
    const bench = await startAgent();
    const { port } = await listening(createServer((_request, response) => response.writeHead(status).end()));
    run(bench, nap({ type: 'HTTP', http: { port }, ...QUICK, consecutive_failures: 1_000 }));
    const first = await eventually('a result', () => healthOf(bench.master, 't')[0]);
    expect(first.healthy).toBe(healthy);
  });

  test('HTTP: a task that closes its kept connections is not unhealthy for that', async () => {
    const bench = await startAgent();
    let requests = 0;
    const { server, port } = await listening(createServer((_request, response) => response.end(`${++requests}`)));
    run(bench, nap({ type: 'HTTP', http: { port }, ...QUICK }));
    for (let round = 1; round <= 20; round++) {
      await eventually('a look', () => requests >= round);
      server.closeAllConnections();
    }
    expect(healthOf(bench.master, 't').map(({ healthy }) => healthy)).toEqual([true]);
  });

  test('HTTP: no answer in time is a failure', async () => {
    const bench = await startAgent();
    const { port } = await listening(createServer(() => undefined));
    run(bench, nap({ type: 'HTTP', http: { port }, ...QUICK, timeout_seconds: 0.05, consecutive_failures: 2 }));
    expect(await reached(bench.master, 't', 'TASK_KILLED')).toMatchObject({ healthy: false });
  });

  test('HTTP: a task that hangs after it was healthy is asked once a look, and fails by the timeout', async () => {
    const bench = await startAgent();
    let requests = 0;
    const { port } = await listening(
      createServer((_request, response) => {
        if (++requests <= 3) response.end();
      }),
    );
    run(bench, nap({ type: 'HTTP', http: { port }, ...QUICK, timeout_seconds: 0.1, consecutive_failures: 2 }));
    await reached(bench.master, 't', 'TASK_KILLED');
    expect(requests).toBe(5);
  });

  test('TCP: a port that can be reached is healthy', async () => {
    const bench = await startAgent();
    const { server, port } = await listening(createTcpServer((socket) => socket.destroy()));
    run(bench, nap({ type: 'TCP', tcp: { port }, ...QUICK, consecutive_failures: 2 }));
    await eventually('healthy', () => healthOf(bench.master, 't')[0]?.healthy === true);
    server.close();
    await reached(bench.master, 't', 'TASK_KILLED');
    expect(healthOf(bench.master, 't').map(({ healthy }) => healthy)).toEqual([true, false, false]);
  });

  test('COMMAND: runs in the sandbox with the environment of the task; each failure is told, and the recovery', async () => {
    const bench = await startAgent();
    const flag = join(bench.workDir, 'sick');
    const value = `test "$MESOS_TASK_ID" = t -a -f stdout -a ! -e ${flag}`;
    const check = { type: 'COMMAND' as const, command: { shell: true, value }, ...QUICK, consecutive_failures: 1_000 };
    run(bench, nap(check));
    const told = (): (boolean | undefined)[] => healthOf(bench.master, 't').map(({ healthy }) => healthy);
    await eventually('healthy', () => told().at(-1) === true);
    writeFileSync(flag, '');
    await eventually('two failures', () => told().filter((healthy) => healthy === false).length >= 2);
    rmSync(flag);
    await eventually('healthy again', () => told().at(-1) === true);
    expect(bench.agent.processes()).toHaveLength(1);
  });

  test('COMMAND: one that hangs is killed with all that it started, and is a failure', async () => {
    const bench = await startAgent();
    const check = { type: 'COMMAND' as const, command: { value: 'sleep 1000 & wait' } };
    run(bench, nap({ ...check, ...QUICK, timeout_seconds: 0.05, consecutive_failures: 1 }));
    expect(await reached(bench.master, 't', 'TASK_KILLED')).toMatchObject({ healthy: false });
  });

  test('too many failures in a row: each is told, then the task is KILLED, and only healthy: false says why', async () => {
    const bench = await startAgent();
    const check = { type: 'COMMAND' as const, command: { value: 'exit 1' }, ...QUICK, consecutive_failures: 3 };
    run(bench, nap(check), framework('TASK_KILLING_STATE'));
    const end = await reached(bench.master, 't', 'TASK_KILLED');
    expect(end).toMatchObject({ healthy: false, message: 'Command terminated with signal Terminated' });
    expect(end).not.toHaveProperty('reason');
    expect(bench.master.states('t')).toEqual([
      ...[
        'TASK_STARTING',
        'TASK_RUNNING',
        'TASK_RUNNING',
        'TASK_RUNNING',
        'TASK_RUNNING',
        'TASK_KILLING',
        'TASK_KILLED',
      ],
    ]);
  });

  test('failures in the grace period are not told', async () => {
    const bench = await startAgent();
    let requests = 0;
    const { port } = await listening(
      createServer((_request, response) => response.writeHead(++requests > 5 ? 200 : 500).end()),
    );
    run(bench, nap({ type: 'HTTP', http: { port }, ...QUICK, grace_period_seconds: 60, consecutive_failures: 1 }));
    await eventually('healthy', () => healthOf(bench.master, 't').length > 0);
    expect(healthOf(bench.master, 't').map(({ healthy }) => healthy)).toEqual([true]);
  });

  test('nobody looks any more once the task has ended', async () => {
    const bench = await startAgent();
    let requests = 0;
    const { port } = await listening(createServer((_request, response) => response.end(`${++requests}`)));
    run(bench, { ...nap({ type: 'HTTP', http: { port }, ...QUICK }), command: { value: 'sleep 0.2' } });
    await reached(bench.master, 't', 'TASK_FINISHED');
    const atEnd = requests;
    await eventually('time for five looks', () => new Promise((resolve) => setTimeout(() => resolve(true), 150)));
    expect(requests - atEnd).toBeLessThanOrEqual(1);
  });

  test('a look costs so little that sixty a second are a small part of one processor', async () => {
    const bench = await startAgent();
    let requests = 0;
    const { port } = await listening(createServer((_request, response) => response.end(`${++requests}`)));
    // A busy machine may hold up a look of sixty: none is to fail for that.
    const check = { type: 'HTTP' as const, http: { port }, ...QUICK, interval_seconds: 0.1, timeout_seconds: 30 };
    const ids = Array.from({ length: 60 }, (_, index) => `t${index}`);
    for (const id of ids) run(bench, shellTask(id, 'exec sleep 1000', { health_check: check }));
    await eventually('all are healthy', () => ids.every((id) => healthOf(bench.master, id).length === 1));
    const before = { cpu: process.cpuUsage(), requests };
    await eventually('600 more looks', () => requests >= before.requests + 600);
    const { user, system } = process.cpuUsage(before.cpu);
    const seconds = (user + system) / 1e6 / (requests - before.requests);
    // The server's own work is in this figure as well; measured is a third of what is allowed.
    expect(60 * seconds).toBeLessThan(0.15);
  });
});
