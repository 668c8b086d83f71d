/** The API as its readers see it: shapes, errors, who may write, and that it lives whatever Mesos and Marathon do. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256Of } from '../../../agent-proxy/control/code-archive.ts';
import type { Report } from '../../../agent-proxy/control/contract.ts';
import { latencyBucket } from '../../../agent-proxy/control/latency-scale.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { fakeAgent, fakePlan, taskId } from '../support/fake-framework.ts';
import { useScheduler } from '../support/use-scheduler.ts';

const use = useScheduler();
/** Of the proxy in the scheduler's directory of built files. */
const CODE = sha256Of(Buffer.from('// the proxy\n'));
const S1 = { taskId: taskId('p1'), ip: '127.0.36.1' };

describe('reads', () => {
  test('/v1/nodes lists every agent with what runs and what should', async () => {
    const scheduler = await use.start({
      nodes: {
        S1: { ...S1, goal: '0.1.0-0123456789ab' },
        S2: {
          ...{ ip: '127.0.36.2', isPublic: true, region: 'eu', zone: 'z1' },
          ...{ state: 'pending', reason: 'No offer has come yet.' },
        },
      },
    });
    const proxy = scheduler.client('S1', 'p1', { version: '0.0.9' });
    await eventually('a table', () => proxy.table.ready);
    const upgrade = { state: 'failed', codeSha256: 'f'.repeat(64), reason: 'it does not start' } as const;
    await proxy.report({ version: '0.0.9', codeSha256: CODE, upgrade, tableAgeMs: 2_000 });
    const { status, json, headers } = await scheduler.get('/v1/nodes');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('application/json');
    expect(json).toEqual([
      {
        agentId: 'S1',
        hostname: 'S1.example',
        ip: '127.0.36.1',
        public: false,
        region: null,
        zone: null,
        state: 'healthy',
        reason: null,
        heldOut: null,
        taskId: 'p1',
        goal: '0.1.0-0123456789ab',
        running: { version: '0.0.9', configRevision: 1, codeSha256: CODE, upgrade },
        wanted: { version: '0.1.0', configRevision: 1, codeSha256: CODE },
        sync: {
          revision: proxy.table.revision,
          digestOk: true,
          repairs: 0,
          lastReport: expect.any(String),
          ageSeconds: 2,
        },
        since: '2026-01-01T00:00:00.000Z',
      },
      {
        agentId: 'S2',
        hostname: 'S2.example',
        ip: '127.0.36.2',
        public: true,
        region: 'eu',
        zone: 'z1',
        state: 'pending',
        reason: 'No offer has come yet.',
        heldOut: null,
        taskId: null,
        goal: null,
        running: null,
        wanted: { version: '0.1.0', configRevision: 1, codeSha256: CODE },
        sync: null,
        since: '2026-01-01T00:00:00.000Z',
      },
    ]);
  });

  test('/v1/nodes gives a part of the list where that is asked for', async () => {
    const scheduler = await use.start({ nodes: { S1, S2: {}, S3: {} } });
    const ids = async (query: string) => {
      const { json, headers } = await scheduler.get(`/v1/nodes${query}`);
      return [(json as { agentId: string }[]).map(({ agentId }) => agentId), headers.get('x-total-count')];
    };
    expect(await ids('?limit=1')).toEqual([['S1'], '3']);
    expect(await ids('?limit=2&offset=1')).toEqual([['S2', 'S3'], '3']);
    expect(await ids('?offset=3')).toEqual([[], '3']);
    expect(await ids('')).toEqual([['S1', 'S2', 'S3'], null]);
    for (const query of ['?limit=x', '?offset=-1', '?limit=1&limit=2']) {
      expect((await scheduler.get(`/v1/nodes${query}`)).status).toBe(400);
    }
  });

  test('/v1/nodes wants nothing of an agent that the placement leaves out', async () => {
    const reason = 'The placement leaves this agent out: rack r9 is not like r[1-3].';
    const scheduler = await use.start({ nodes: { S1: { state: 'excluded', reason } } });
    expect((await scheduler.get('/v1/nodes')).json).toMatchObject([{ state: 'excluded', reason, wanted: null }]);
  });

  test('/v1/services lists every app by name with its running instances', async () => {
    use.marathon.put('web', [
      { id: 'web.1', port: 21_000, alive: true },
      { id: 'web.2', port: 21_001, alive: false },
      { id: 'web.3', state: 'TASK_STAGING' },
    ]);
    use.marathon.put('team/api', []);
    use.marathon.apps.set('odd', { id: '/' });
    use.marathon.put('odd/tasks', [{ id: 'odd.1' }, { id: 'odd.2', host: '' }]);
    const scheduler = await use.start({ nodes: { S1 } });
    await eventually(
      'the services',
      async () => ((await scheduler.get('/v1/services')).json as unknown[]).length === 4,
    );
    expect((await scheduler.get('/v1/services')).json).toEqual([
      {
        name: '(without a name, 1)',
        reason: 'it has no id that can be read',
        endpoints: [],
        settings: null,
        labels: [],
      },
      {
        name: 'odd/tasks',
        reason: 'task odd.2 names no agent',
        endpoints: [expect.anything()],
        settings: null,
        labels: [],
      },
      { name: 'team/api', reason: null, endpoints: [], settings: null, labels: [] },
      {
        name: 'web',
        reason: null,
        endpoints: [
          {
            instance: 'web.1',
            address: '127.0.36.1',
            port: 21_000,
            ports: [{ name: 'http', port: 21_000 }],
            agentId: 'S1',
            healthy: true,
            state: 'ready',
          },
          {
            instance: 'web.2',
            address: '127.0.36.1',
            port: 21_001,
            ports: [{ name: 'http', port: 21_001 }],
            agentId: 'S1',
            healthy: false,
            state: 'unhealthy',
          },
        ],
        settings: null,
        labels: [],
      },
    ]);
  });

  test('/v1/services shows what the labels of an app say, what is wrong with them, and proxies are told', async () => {
    const labels = { NODEMESH_TIMEOUT: '5s', NODEMESH_WEIGHT: '0.5', HAPROXY_0_VHOST: 'a.b', HAPROXY_0_MODE: 'tcp' };
    const portDefinitions = [{ name: 'http', labels: { VIP_0: '/web:80' } }];
    use.marathon.put('web', [{ id: 'web.1', port: 21_000 }], { labels, portDefinitions });
    const scheduler = await use.start({ nodes: { S1 } });
    const proxy = scheduler.client('S1', 'p1');
    await eventually('the settings', () => proxy.table.document('settings', 'web'));
    const settings = {
      ...{ off: false, slowStartMs: 0, vips: [{ vip: 'web', vipPort: 80, port: 'http' }] },
      exposed: [{ host: 'a.b', path: '/', port: 'http', redirectToHttps: false, sticky: false }],
      policies: [{ port: null, service: { totalTimeoutMs: 5_000 }, client: {} }],
    };
    expect(proxy.table.document('settings', 'web')?.settings).toEqual(settings);
    expect(proxy.table.service('web')?.endpoints).toMatchObject([{ weight: 0.5 }]);
    expect((await scheduler.get('/v1/services')).json).toMatchObject([
      { name: 'web', settings, labels: [{ label: 'HAPROXY_0_MODE' }] },
    ]);
    use.marathon.put('web', [{ id: 'web.1', port: 21_000 }], { portDefinitions: [{ name: 'http' }] });
    use.marathon.emit('api_post_event', { appDefinition: { id: '/web' } });
    await eventually('no settings', () => proxy.table.document('settings', 'web') === undefined);
    await eventually('its weight', () => proxy.table.service('web')?.endpoints[0]?.weight === 1);
  });

  test('/v1/traffic sums what the outgoing routers reported, and is null without traffic', async () => {
    use.marathon.put('web', [{ id: 'web.1' }]);
    use.marathon.put('idle', [{ id: 'idle.1' }]);
    const scheduler = await use.start({ nodes: { S1, S2: { taskId: taskId('p2') } } });
    const one = scheduler.client('S1', 'p1');
    const two = scheduler.client('S2', 'p2');
    await eventually('tables', () => one.table.ready && two.table.ready);
    const traffic = (requests: number, failures: number, ms: number): Report['traffic'][number] => ({
      service: 'web',
      router: 'outgoing',
      requests,
      failures,
      proxyErrors: 0,
      retries: 1,
      latency: [[latencyBucket(ms), requests]],
    });
    await one.report({ traffic: [traffic(30, 0, 2), { ...traffic(99, 99, 500), router: 'incoming' }] });
    await two.report({ traffic: [traffic(10, 4, 50), { ...traffic(5, 5, 1), service: 'no-such-name' }] });
    const { json } = await scheduler.get('/v1/traffic');
    const { windowMs, services, nodes } = json as {
      windowMs: number;
      services: {
        name: string;
        rps: number;
        successRate: number;
        p50Ms: number;
        p95Ms: number;
        p99Ms: number;
        retries: number;
      }[];
      nodes: { agentId: string; rps: number; successRate: number | null; p50Ms: number }[];
    };
    expect(windowMs).toBeLessThanOrEqual(10_000);
    expect(services.map((service) => service.name)).toEqual(['idle', 'web']);
    expect(services[0]).toEqual({
      name: 'idle',
      rps: 0,
      successRate: null,
      p50Ms: null,
      p95Ms: null,
      p99Ms: null,
      retries: 0,
    });
    const web = services[1];
    expect(web?.rps).toBeCloseTo(40_000 / windowMs, 0);
    expect(web).toMatchObject({ successRate: 0.9, retries: 2 });
    expect(web?.p50Ms).toBeGreaterThan(1.8);
    expect(web?.p50Ms).toBeLessThan(2.3);
    expect(web?.p99Ms).toBeGreaterThan(45);
    expect(nodes.map((node) => [node.agentId, node.successRate])).toEqual([
      ['S1', 1],
      ['S2', 0.4],
    ]);
  });

  test('/v1/health and the others answer while Marathon is away', async () => {
    await use.marathon.stop();
    const scheduler = await use.start({ nodes: { S1 } });
    expect((await scheduler.get('/v1/health')).json).toMatchObject({
      status: 'ok',
      leading: true,
      subscribed: true,
      epoch: 1,
      marathon: { connected: false, synced: false },
      marathons: [{ prefix: 'io.l5d.marathon', connected: false, synced: false }],
      mesosDiscovery: { enabled: true, connected: false },
    });
    expect((await scheduler.get('/v1/nodes')).json).toHaveLength(1);
    expect((await scheduler.get('/v1/services')).json).toEqual([]);
    await use.marathon.up();
    await eventually('Marathon', () =>
      scheduler.get('/v1/health').then(({ json }) => (json as { marathon: { synced: boolean } }).marathon.synced),
    );
  });

  test('/v1/state/frameworkId is a list of one, as with the DC/OS SDK, and of none before there is one', async () => {
    const scheduler = await use.start();
    expect((await scheduler.get('/v1/state/frameworkId')).json).toEqual(['fake-0001']);
    scheduler.framework.id = null;
    expect((await scheduler.get('/v1/state/frameworkId')).json).toEqual([]);
  });

  test('/metrics tells the state of nodes, endpoints, sessions and Marathon, in the format of Prometheus', async () => {
    use.marathon.put('web', [{ id: 'web.1' }]);
    const scheduler = await use.start({ nodes: { S1, S2: { state: 'excluded' } } });
    scheduler.framework.plans.set('update', fakePlan('update', 'COMPLETE', 'COMPLETE', 'PENDING'));
    const proxy = scheduler.client('S1', 'p1');
    await eventually('a table', () => proxy.table.service('web'));
    await proxy.report();
    use.marathon.emit('status_update_event', { appId: '/web' });
    await eventually('the event', async () =>
      (await scheduler.get('/metrics')).text.includes('nodemesh_marathon_events_total{type="status_update_event"} 1'),
    );
    const { text, headers } = await scheduler.get('/metrics');
    expect(headers.get('content-type')).toContain('text/plain');
    for (const line of [
      'nodemesh_nodes{state="healthy"} 1',
      'nodemesh_nodes{state="lost"} 0',
      'nodemesh_nodes{state="excluded"} 1',
      'nodemesh_frozen 0',
      'nodemesh_plan_status{plan="update",status="IN_PROGRESS"} 1',
      'nodemesh_plan_status{plan="update",status="COMPLETE"} 0',
      'nodemesh_plan_steps{plan="update",status="COMPLETE"} 2',
      'nodemesh_plan_steps{plan="update",status="PENDING"} 1',
      'nodemesh_services 1',
      'nodemesh_endpoints{state="ready"} 1',
      'nodemesh_leader_epoch 1',
      'nodemesh_control_sessions 1',
      'nodemesh_digest_mismatches_total{why="digest"} 0',
      'nodemesh_framework_launches_total 3',
      'nodemesh_framework_kills_total 4',
      'nodemesh_framework_offers_declined_total 2',
      'nodemesh_framework_unreserved_total 8',
      'nodemesh_framework_status_updates_total 7',
      'nodemesh_marathon_connected 1',
      'nodemesh_marathon_requests_total{kind="list"} 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toMatch(/^nodemesh_table_revision \d+$/m);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
  });

  test('the dashboard is served at /, and only from its folder', async () => {
    const scheduler = await use.start();
    writeFileSync(join(use.directory, 'dist', 'dashboard', 'app.js'), 'export {};');
    expect((await scheduler.get('/')).text).toBe('<title>nodemesh</title>');
    expect((await scheduler.get('/app.js')).headers.get('content-type')).toContain('javascript');
    expect((await scheduler.get('/..%2fproxy.mjs')).status).toBeGreaterThanOrEqual(400);
  });

  test('no read shows a secret', async () => {
    const scheduler = await use.start({ nodes: { S1 } });
    const proxy = scheduler.client('S1', 'p1');
    await eventually('hello', () => proxy.session);
    const { options } = scheduler.framework;
    const task = options.task(fakeAgent('127.0.36.1'), taskId('p1'), options.goal);
    const token = task.command.environment?.variables.find(({ name }) => name === 'NODEMESH_TOKEN')?.value ?? '';
    const kept = await Promise.all(['cluster', 'launch'].map((name) => options.store.get(`scheduler/${name}-key`)));
    const secrets = [token, ...kept.map((record) => String(record?.value))];
    for (const secret of secrets) expect(secret.length).toBeGreaterThanOrEqual(32);
    for (const path of [
      '/v1/nodes',
      '/v1/services',
      '/v1/health',
      '/v1/traffic',
      '/metrics',
      '/v1/state/frameworkId',
    ]) {
      const { text } = await scheduler.get(path);
      for (const secret of secrets) expect(text).not.toContain(secret);
      expect(text).not.toContain(proxy.frames('hello')[0]?.peerKey);
    }
    for (const secret of secrets) expect(scheduler.logs.join('\n')).not.toContain(secret);
  });
});

describe('errors', () => {
  test.each([
    ['GET', '/v1/nothing', undefined, 404],
    ['POST', '/v1/nodes', '{}', 404],
    ['GET', '/artifacts/nodemesh-proxy-0.1.0-host-node-000000000000.tar.gz', undefined, 404],
    ['GET', '/artifacts/..%2f..%2fproxy.mjs', undefined, 404],
    ['GET', '/artifacts/%2e%2e/proxy.mjs', undefined, 404],
    ['GET', '/artifacts/', undefined, 404],
    ['GET', '/%ff', undefined, 404],
    ['POST', '/control/v1/subscribe', '{"agentId":', 400],
    ['POST', '/control/v1/subscribe', '{}', 400],
    ['POST', '/control/v1/subscribe', JSON.stringify({ pad: 'x'.repeat(4_200_000) }), 413],
    ['POST', '/control/v1/want', '{}', 400],
    ['POST', '/control/v1/report', '[]', 400],
  ])('%s %s is answered as JSON without a stack trace (%#)', async (method, path, body, expected) => {
    const scheduler = await use.start();
    const response = await fetch(`${scheduler.url}${path}`, { method, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    expect([expected, path === '/%ff' ? 400 : expected]).toContain(response.status);
    expect(Object.keys(JSON.parse(text))).toEqual(['error']);
    expect(text).not.toMatch(/\.(ts|js|mjs):\d+|node_modules/);
  });
});

describe('off loopback', () => {
  test('writes need the token, proxies that were launched without one the cluster key, and reads need neither', async () => {
    const token = 'a-token-of-enough-length';
    writeFileSync(join(use.directory, 'token'), token);
    const scheduler = await use.start({
      nodes: { S1 },
      args: [
        '--listen=0.0.0.0:0',
        '--advertise=http://127.0.0.1:1',
        `--api-token-file=${join(use.directory, 'token')}`,
      ],
    });
    const { url } = scheduler.running;
    const post = async (path: string, bearer?: string): Promise<number> => {
      const headers: Record<string, string> = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
      const response = await fetch(`${url}${path}`, { method: 'POST', body: '{}', headers });
      await response.arrayBuffer();
      return response.status;
    };
    const { options } = scheduler.framework;
    const task = options.task(fakeAgent('10.0.0.1'), taskId('t'), options.goal);
    const key = String((await options.store.get('scheduler/cluster-key'))?.value);
    expect(task.command.uris?.[0]?.value).toContain('http://127.0.0.1:1/artifacts/');

    expect(await post('/v1/nothing')).toBe(401);
    expect(await post('/v1/nothing', 'wrong')).toBe(401);
    expect(await post('/v1/nothing', token)).toBe(404);
    expect(await post('/control/v1/subscribe')).toBe(401);
    expect(await post('/control/v1/subscribe', token)).toBe(401);
    expect(await post('/control/v1/subscribe', key)).toBe(400);
    expect(await post('/control/v1/report', key)).toBe(400);
    expect((await fetch(`${url}/v1/nodes`)).status).toBe(200);
  });

  test('a page of another site cannot write, although it reaches loopback', async () => {
    const scheduler = await use.start();
    const post = (site: string) =>
      fetch(`${scheduler.url}/v1/freeze`, { method: 'POST', headers: { 'sec-fetch-site': site } });
    expect((await post('cross-site')).status).toBe(403);
    expect(scheduler.framework.frozen).toBe(false);
    expect((await post('same-origin')).status).toBe(200);
  });

  test('without a token writes from elsewhere are 401, and the answer says what to do', async () => {
    const scheduler = await use.start({ args: ['--listen=0.0.0.0:0', '--advertise=http://127.0.0.1:1'] });
    const response = await fetch(`${scheduler.running.url}/v1/nothing`, { method: 'POST' });
    expect(response.status).toBe(401);
    expect(await response.text()).toContain('--api-token-file');
  });
});
