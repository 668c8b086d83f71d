/** The scheduler as its proxies and the framework see it: a real process's worth of it over real sockets. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readCode, sha256Of } from '../../agent-proxy/control/code-archive.ts';
import { eventually } from '../fixtures/eventually.ts';
import { fakeAgent, taskId } from './support/fake-framework.ts';
import { useScheduler } from './support/use-scheduler.ts';

const use = useScheduler();
const node = (id: string, ip = '127.0.36.1') => ({ taskId: taskId(id), ip });

describe('a control session', () => {
  test('begins with hello, config and a snapshot, and follows Marathon in under 300 ms (three times that on a busy machine)', async () => {
    const scheduler = await use.start({ nodes: { S1: node('p1') } });
    const proxy = scheduler.client('S1', 'p1');
    await eventually('a table', () => proxy.table.ready);
    const types = proxy.reader.frames.map((frame) => frame.type).filter((type) => type !== 'heartbeat');
    expect(types.slice(0, 6)).toEqual(['hello', 'config', 'snapshot-begin', 'agents', 'documents', 'snapshot-end']);
    expect(proxy.frames('hello')[0]).toMatchObject({
      epoch: 1,
      schedulers: [scheduler.url],
      heartbeatMs: 1_000,
      reportMs: 1_000,
    });
    expect(proxy.frames('config')[0]).toMatchObject({ configRevision: 1 });

    use.marathon.put('web', [{ id: 'web.1', host: '127.0.36.1', port: 21_000 }]);
    const at = performance.now();
    use.marathon.emit('status_update_event', { appId: '/web' });
    await eventually('the delta', () => proxy.table.service('web'));
    expect(performance.now() - at).toBeLessThan(3_000);
    expect(proxy.table.service('web')?.endpoints).toEqual([
      {
        service: 'web',
        instance: 'web.1',
        address: '127.0.36.1',
        port: 21_000,
        ports: [{ name: 'http', port: 21_000 }],
        agentId: 'S1',
        agentAddress: '127.0.36.1',
        weight: 1,
        state: 'ready',
        startedAt: null,
        labels: {},
      },
    ]);
    await eventually('a heartbeat at the revision', () =>
      proxy.frames('heartbeat').some((beat) => beat.revision === proxy.table.revision),
    );
    expect(proxy.applied.filter((applied) => applied.kind === 'gap')).toEqual([]);
  });

  test('tells which goal its proxy has, and that it could not be changed', async () => {
    const scheduler = await use.start({ nodes: { S1: node('p1') } });
    const goal = scheduler.framework.options.goal.id;
    scheduler.framework.set('S1', { goal });
    const [{ wanted }] = (await scheduler.get('/v1/nodes')).json as [{ wanted: { codeSha256: string } }];
    const proxy = scheduler.client('S1', 'p1');
    await eventually('a table', () => proxy.table.ready);
    await proxy.report({ codeSha256: wanted.codeSha256 });
    expect(scheduler.framework.goals.at(-1)).toEqual({ taskId: 'p1', goal });
    expect(scheduler.framework.failedUpgrades).toEqual([]);
    const upgrade = { state: 'failed', codeSha256: wanted.codeSha256, reason: 'it does not start' } as const;
    await proxy.report({ codeSha256: 'f'.repeat(64), upgrade });
    expect(scheduler.framework.goals).toHaveLength(1);
    const reason = 'its code could not be changed in place: it does not start';
    expect(scheduler.framework.failedUpgrades).toEqual([{ taskId: 'p1', goal, reason }]);
  });

  test('that is gone is no death while the proxy answers at its own address; it is one when nothing does', async () => {
    const admin = createServer((_, response) => response.writeHead(200).end('pong'));
    await new Promise<void>((resolve) => admin.listen(0, '127.0.36.1', resolve));
    const { port } = admin.address() as AddressInfo;
    const scheduler = await use.start({ nodes: { S1: node('p1') }, args: [`--ports=admin=${port}`] });
    const last = () => scheduler.framework.told.at(-1)?.reason ?? '';
    await eventually('a probe is answered', () => last().includes('answers at its own address'), 15_000);
    expect(scheduler.framework.dead).toEqual([]);
    await new Promise((resolve) => admin.close(resolve));
    await eventually('a probe is not answered', () => last().includes('nothing answers'), 15_000);
    expect(scheduler.framework.dead).toEqual(['p1']);
  }, 40_000);

  test('makes its node healthy when its proxy is ready, and unhealthy with a reason when it is not', async () => {
    const scheduler = await use.start({ nodes: { S1: node('p1') } });
    const proxy = scheduler.client('S1', 'p1');
    await eventually('a table', () => proxy.table.ready);
    expect(scheduler.framework.told).toEqual([]);
    expect(await proxy.report()).toBe(204);
    expect(scheduler.framework.told).toEqual([{ taskId: 'p1', healthy: true, reason: null }]);
    await eventually('peers know it', () => proxy.table.agent('S1')?.ready);
    expect(proxy.table.agent('S1')).toEqual({ agentId: 'S1', address: '127.0.36.1', incomingPort: 4141, ready: true });
    await proxy.report({ ready: false, reason: 'The worker is starting.' });
    expect(scheduler.framework.told.at(-1)).toEqual({
      taskId: 'p1',
      healthy: false,
      reason: 'The worker is starting.',
    });
    await eventually('peers know that too', () => proxy.table.agent('S1')?.ready === false);
  });

  test('that ends makes its node unhealthy after 3 s, and one that comes back in time does not', async () => {
    const scheduler = await use.start({ nodes: { S1: node('p1'), S2: node('p2') } });
    const first = scheduler.client('S1', 'p1');
    const second = scheduler.client('S2', 'p2');
    await eventually('tables', () => first.table.ready && second.table.ready);
    await first.report();
    await second.report();
    const endedAt = performance.now();
    first.close();
    second.close();
    const back = scheduler.client('S2', 'p2');
    await eventually('the loss', () => scheduler.framework.told.some((told) => !told.healthy), 6_000);
    expect(performance.now() - endedAt).toBeGreaterThan(2_900);
    expect(scheduler.framework.told.filter((told) => !told.healthy)).toEqual([
      { taskId: 'p1', healthy: false, reason: 'The control stream of the proxy has been gone for more than 3 s.' },
    ]);
    await eventually('peers know', () => back.table.agent('S1')?.ready === false);
    expect(back.table.agent('S2')?.ready).toBe(true);
    expect(await first.report()).toBe(409);
  });

  test('replaces the old one of the same task, whose reports are refused from then on', async () => {
    const scheduler = await use.start({ nodes: { S1: node('p1') } });
    const old = scheduler.client('S1', 'p1');
    await eventually('a table', () => old.table.ready);
    await old.report();
    const fresh = scheduler.client('S1', 'p1');
    await eventually('its end', () => old.ended);
    await eventually('a table again', () => fresh.table.ready);
    expect(await old.report()).toBe(409);
    expect(await fresh.report()).toBe(204);
    expect(fresh.table.agent('S1')?.ready).toBe(true);
  });

  test('of a task that the framework does not count on gets the table and decides nothing', async () => {
    const scheduler = await use.start();
    scheduler.framework.set('S1', node('new'));
    const zombie = scheduler.client('S1', 'old');
    await eventually('a table', () => zombie.table.ready);
    expect(await zombie.report()).toBe(204);
    expect(scheduler.framework.told).toEqual([]);
    await eventually('the agent', () => zombie.table.agent('S1')?.ready === false);
    expect((await scheduler.get('/v1/nodes')).json).toMatchObject([{ taskId: 'new', running: null }]);
  });

  test('tells the framework again when it learns late that the task runs', async () => {
    const scheduler = await use.start({ nodes: { S1: { ...node('p1'), state: 'launching' } } });
    const proxy = scheduler.client('S1', 'p1');
    await eventually('a table', () => proxy.table.ready);
    await proxy.report();
    const told = scheduler.framework.told.length;
    scheduler.framework.set('S1', { state: 'unhealthy' });
    await eventually('the second word', () => scheduler.framework.told.length > told);
    expect(scheduler.framework.told.at(-1)).toMatchObject({ healthy: true });
  });

  test('waits for the first answer of Marathon: no table is better than an empty one', async () => {
    await use.marathon.stop();
    const scheduler = await use.start({ nodes: { S1: node('p1') } });
    const proxy = scheduler.client('S1', 'p1');
    await eventually('a heartbeat', () => proxy.frames('heartbeat').length >= 1);
    expect(proxy.reader.frames.some((frame) => frame.type.startsWith('snapshot'))).toBe(false);
    await use.marathon.up();
    use.marathon.put('web', [{ id: 'web.1' }]);
    await eventually('the table', () => proxy.table.service('web'));
  });

  test('of a proxy that has seen a later leader is refused with our epoch', async () => {
    const scheduler = await use.start({ nodes: { S1: node('p1') } });
    const proxy = scheduler.client('S1', 'p1', { epoch: 9 });
    await eventually('the answer', () => proxy.ended);
    expect(proxy.status).toBe(409);
    expect(JSON.parse(proxy.body)).toMatchObject({ epoch: 1 });
    expect(scheduler.logs.join('\n')).toContain('has seen epoch 9');
    // The store says that we lead: no reason to end.
    expect(await Promise.race([scheduler.running.failed.catch(() => 'failed'), eventually('time', () => true)])).toBe(
      true,
    );
  });
});

describe('agents', () => {
  test('that leave take their endpoints with them at once; others keep theirs', async () => {
    const scheduler = await use.start({ nodes: { S1: node('p1'), S2: node('p2', '127.0.36.2') } });
    use.marathon.put('web', [
      { id: 'web.1', slaveId: 'S1', host: '127.0.36.1' },
      { id: 'web.2', slaveId: 'S2', host: '127.0.36.2' },
    ]);
    const proxy = scheduler.client('S1', 'p1');
    await eventually('a table', () => proxy.table.ready);
    use.marathon.emit('status_update_event', { appId: '/web' });
    await eventually('both', () => proxy.table.service('web')?.endpoints.length === 2);
    scheduler.framework.remove('S2');
    await eventually('one', () => proxy.table.service('web')?.endpoints.length === 1);
    expect(proxy.table.agent('S2')).toBeUndefined();
    expect((await scheduler.get('/v1/nodes')).json).toHaveLength(1);
    // It came back before Marathon had noticed anything.
    scheduler.framework.set('S2', node('p2', '127.0.36.2'));
    await eventually('both again', () => proxy.table.service('web')?.endpoints.length === 2);
  });

  test('get their address from Mesos: a host name is never passed on', async () => {
    const scheduler = await use.start({ nodes: { S1: node('p1', '127.0.36.9') } });
    use.marathon.put('web', [
      { id: 'web.1', slaveId: 'S1', host: 'node-1.example' },
      { id: 'web.2', slaveId: 'unheard-of', host: 'node-2.example' },
      { id: 'web.3', slaveId: 'unheard-of', host: '127.0.36.3' },
    ]);
    const proxy = scheduler.client('S1', 'p1');
    await eventually('a table', () => proxy.table.ready);
    use.marathon.emit('status_update_event', { appId: '/web' });
    await eventually('web', () => proxy.table.service('web'));
    expect(
      proxy.table.service('web')?.endpoints.map((each) => [each.instance, each.address, each.agentAddress]),
    ).toEqual([
      ['web.1', '127.0.36.9', '127.0.36.9'],
      ['web.3', '127.0.36.3', '127.0.36.3'],
    ]);
  });
});

describe('a scheduler that starts again', () => {
  test('has a higher epoch and the same keys, and finds its proxies wherever they listen', async () => {
    const announced: string[] = [];
    const admin = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        announced.push(`${request.method} ${request.url} ${body} ${request.headers.authorization ?? 'no key'}`);
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => admin.listen(0, '127.0.36.1', resolve));
    const { port } = admin.address() as AddressInfo;
    try {
      const first = await use.start();
      const before = first.client('S1', 'p1');
      await eventually('a table', () => before.table.ready);
      await first.stop();
      expect(before.ended).toBe(true);

      const second = await use.start({ nodes: { S1: node('p1') }, args: [`--ports=admin=${port}`] });
      await eventually('the announcement', () => announced[0]);
      expect(announced[0]).toBe(`POST /control/v1/announce {"epoch":2,"schedulers":["${second.url}"]} no key`);
      const after = second.client('S1', 'p1', { epoch: 1, revision: before.table.revision });
      await eventually('a table', () => after.table.ready);
      // A proxy that ran before is taken for ready before it says so.
      expect(after.table.agent('S1')?.ready).toBe(true);
      expect(after.frames('hello')[0]?.epoch).toBe(2);
      expect(after.frames('hello')[0]?.peerKey).toBe(before.frames('hello')[0]?.peerKey);
      const told = announced.length;
      await eventually('quiet: it has a session', async () => {
        await new Promise((resolve) => setTimeout(resolve, 600));
        return announced.length <= told + 1;
      });
    } finally {
      await new Promise((resolve) => admin.close(resolve));
    }
  });

  test('ends when the store shows another leader', async () => {
    const scheduler = await use.start({ nodes: { S1: node('p1') } });
    const { writeFileSync } = await import('node:fs');
    writeFileSync(`${use.directory}/state/scheduler/epoch.json`, JSON.stringify({ version: 7, value: 7 }));
    scheduler.client('S1', 'p1', { epoch: 7 });
    await expect(scheduler.running.failed).rejects.toThrow('another scheduler took over');
  });

  test('passes on what ends the framework', async () => {
    const scheduler = await use.start();
    scheduler.framework.options.fatal(new Error('Framework has been removed; start with an empty state store'));
    await expect(scheduler.running.failed).rejects.toThrow('Framework has been removed');
  });
});

test('the task that it asks the framework for runs the built proxy', async () => {
  const scheduler = await use.start();
  const { options } = scheduler.framework;
  expect(options).toMatchObject({
    name: 'nodemesh',
    role: 'nodemesh',
    publicRole: 'slave_public',
    webuiUrl: scheduler.url,
  });
  const task = options.task(fakeAgent('10.0.0.9'), taskId('nodemesh.1'), options.goal);
  expect(task.command.shell).toBe(true);
  const words = '--node-ip 10.0.0.9 --ports out=4140,in=4141,admin=9990 --workers 1';
  expect(task.command.value).toMatch(new RegExp(`\nexec "\\$NODE" nodemesh-proxy/proxy\\.mjs ${words}$`));
  expect(task.ports).toEqual([4140, 4141, 9990]);
  expect(task.healthCheck).toMatchObject({
    type: 'COMMAND',
    command: { shell: true, value: expect.stringContaining(':9990/admin/ping') },
    consecutive_failures: 60,
  });
  expect(task.discovery?.ports?.ports.map((port) => `${port.name}=${port.number}`)).toEqual([
    'outgoing=4140',
    'incoming=4141',
    'admin=9990',
  ]);
  const variables = Object.fromEntries(
    (task.command.environment?.variables ?? []).map(({ name, value }) => [name, value]),
  );
  expect(variables).toMatchObject({
    NODEMESH_AGENT_ID: 'S1',
    NODEMESH_TASK_ID: 'nodemesh.1',
    NODEMESH_NODE_IP: '10.0.0.9',
    NODEMESH_SCHEDULERS: scheduler.url,
  });
  // Good for this task alone.
  expect(variables.NODEMESH_TOKEN?.length).toBeGreaterThanOrEqual(32);
  const other = options.task(fakeAgent('10.0.0.9'), taskId('nodemesh.2'), options.goal);
  expect(JSON.stringify(other)).not.toContain(variables.NODEMESH_TOKEN);
  for (const key of ['cluster-key', 'launch-key', 'peer-key']) {
    const secret = (await options.store.get(`scheduler/${key}`))?.value;
    expect(secret).toEqual(expect.any(String));
    expect(JSON.stringify(task)).not.toContain(secret);
  }
  expect(task.credential).toBe('expected');
  const uri = task.command.uris?.[0];
  expect(uri).toMatchObject({ extract: false, cache: true, output_file: 'nodemesh-proxy.tar.gz' });
  expect(uri?.value).toMatch(/\/artifacts\/nodemesh-proxy-0\.1\.0-host-node-[0-9a-f]{12}\.tar\.gz$/);
  const file = await fetch(uri?.value ?? '');
  expect(file.headers.get('content-type')).toBe('application/gzip');
  const bytes = Buffer.from(await file.arrayBuffer());
  expect(file.headers.get('content-length')).toBe(String(bytes.length));
  expect(task.command.value).toContain(sha256Of(bytes));
  const code = await readCode(Readable.from([gunzipSync(bytes)]));
  expect(code).toMatchObject({ version: '0.1.0', bytes: Buffer.from('// the proxy\n') });
});

test('the options say what a proxy needs, where it listens, and how it is kept', async () => {
  const scheduler = await use.start({
    args: [
      ...['--public-role=none', '--principal=mesh', '--constraint=rack:UNIQUE', '--no-reserve', '--bind=config'],
      ...['--proxy-cpus=2', '--proxy-mem=512', '--proxy-disk=64', '--strategy=parallel', '--max-unavailable=3'],
    ],
  });
  const { options } = scheduler.framework;
  expect(options).toMatchObject({
    publicRole: null,
    principal: 'mesh',
    reserve: false,
    uninstall: false,
    constraints: [{ field: 'rack', operator: 'AT_MOST' }],
    rollout: { strategy: { kind: 'parallel' }, maxUnavailable: 3 },
  });
  const task = options.task(fakeAgent('10.0.0.9'), taskId('nodemesh.1'), options.goal);
  expect(task).toMatchObject({ cpus: 2, mem: 512, disk: 64 });
  expect(task.command.value).toContain(' --node-ip 10.0.0.9 --bind config ');
});
