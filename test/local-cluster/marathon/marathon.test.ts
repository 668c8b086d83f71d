import { describe, expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { useEvents, useMarathon } from './marathon-fixture.ts';

const MESOS_HTTP = { protocol: 'MESOS_HTTP', path: '/health', portIndex: 0 };

describe('subscribing', () => {
  test('it subscribes as a framework that keeps its tasks for a week', async () => {
    const { master } = await useMarathon();
    expect(master.subscriptions).toHaveLength(1);
    expect(master.subscriptions[0]?.subscribe.framework_info).toMatchObject({
      name: 'marathon',
      user: 'tester',
      roles: ['*', 'slave_public'],
      checkpoint: true,
      failover_timeout: 604_800,
      capabilities: ['MULTI_ROLE', 'RESERVATION_REFINEMENT', 'PARTITION_AWARE', 'TASK_KILLING_STATE'].map((type) => ({
        type,
      })),
    });
  });

  test('offers that nobody needs are declined at once, for long', async () => {
    const { master } = await useMarathon();
    expect(master.callsOf('DECLINE').map(({ decline }) => decline.filters?.refuse_seconds)).toEqual([120, 120, 120]);
  });

  test('after a failover it subscribes with the same id, reconciles, and launches nothing twice', async () => {
    const { master, leader, timers, create, tasks } = await useMarathon();
    await create({ instances: 3 });
    const before = await tasks('/app');
    leader.set(null);
    await timers.advance(300);
    leader.set(master);
    await timers.advance(5_000);
    expect(master.subscriptions.at(-1)?.framework_id?.value).toBe('fw-1');
    const asked = master
      .callsOf('RECONCILE')
      .flatMap(({ reconcile }) => reconcile.tasks.map(({ task_id }) => task_id.value));
    expect(asked).toEqual(expect.arrayContaining(before.map(({ id }) => id)));
    expect(await tasks('/app')).toEqual(before);
  });

  test('a task that the new master does not know is replaced', async () => {
    const { master, timers, create, tasks } = await useMarathon();
    await create({ instances: 1 });
    const [lost] = master.running('app');
    master.tasks.delete(lost ?? '');
    master.breakStream();
    await timers.advance(3_000);
    const now = await tasks('/app');
    expect(now).toHaveLength(1);
    expect(now[0].id).not.toBe(lost);
  });
});

describe('launching', () => {
  test('instances are spread over the agents', async () => {
    const { create, tasks } = await useMarathon();
    await create({ instances: 6 });
    const hosts = (await tasks('/app')).map(({ host }) => host).sort();
    expect(hosts).toEqual(['127.0.33.1', '127.0.33.1', '127.0.33.2', '127.0.33.2', '127.0.33.3', '127.0.33.3']);
  });

  test('a task gets its identity, its ports and its labels in the environment', async () => {
    const { master, create, tasks } = await useMarathon();
    await create({
      id: '/team/api',
      env: { OWN: 'x' },
      labels: { tier: 'back' },
      portDefinitions: [
        { port: 0, name: 'http' },
        { port: 0, name: 'my-admin' },
      ],
      fetch: [{ uri: 'http://files/app.mjs', extract: false, cache: true, destPath: 'a.mjs' }],
    });
    const [view] = await tasks('/team/api');
    const { task } = [...master.tasks.values()][0] ?? {};
    const env = Object.fromEntries(
      (task?.command?.environment?.variables ?? []).map(({ name, value }) => [name, value]),
    );
    expect(view.id).toMatch(/^team_api\.instance-[0-9a-f-]{36}\._app\.1$/);
    expect(env).toMatchObject({
      HOST: view.host,
      PORT0: String(view.ports[0]),
      PORT1: String(view.ports[1]),
      PORT: String(view.ports[0]),
      PORTS: view.ports.join(','),
      PORT_HTTP: String(view.ports[0]),
      PORT_MY_ADMIN: String(view.ports[1]),
      MARATHON_APP_ID: '/team/api',
      MARATHON_APP_VERSION: view.version,
      MARATHON_APP_LABELS: 'TIER',
      MARATHON_APP_LABEL_TIER: 'back',
      MESOS_TASK_ID: view.id,
      OWN: 'x',
    });
    expect(task?.command?.uris).toEqual([
      { value: 'http://files/app.mjs', extract: false, executable: false, cache: true, output_file: 'a.mjs' },
    ]);
    expect(task?.name).toBe('api.team');
  });

  test('free ports come from the large range, not from well-known ones', async () => {
    const { create, tasks } = await useMarathon();
    await create({ instances: 9 });
    for (const { ports } of await tasks('/app')) expect(ports[0]).toBeGreaterThanOrEqual(20_000);
  });

  test('apps stay off public agents unless they ask for them', async () => {
    const agents = [
      { name: 'S1', ip: '127.0.33.1' },
      { name: 'P1', ip: '127.0.33.9', role: 'slave_public' as const },
    ];
    const { master, create, tasks } = await useMarathon(agents);
    await create({ id: '/inside', instances: 3 });
    await create({ id: '/edge', instances: 2, acceptedResourceRoles: ['slave_public'] });
    expect((await tasks('/inside')).map(({ host }) => host)).toEqual(['127.0.33.1', '127.0.33.1', '127.0.33.1']);
    expect(await tasks('/edge')).toMatchObject([{ host: '127.0.33.9', role: 'slave_public' }, { host: '127.0.33.9' }]);
    const edge = [...master.tasks.values()].find(({ task }) => task.name === 'edge');
    expect(edge?.task.resources[0]).toMatchObject({
      reservations: [{ type: 'STATIC', role: 'slave_public' }],
      allocation_info: { role: 'slave_public' },
    });
  });

  test('an app that accepts both roles runs on either kind of agent, and on public ones alone', async () => {
    const both = { instances: 4, acceptedResourceRoles: ['*', 'slave_public'] };
    const inside = { name: 'S1', ip: '127.0.33.1' };
    const edge = { name: 'P1', ip: '127.0.33.9', role: 'slave_public' as const };
    const mixed = await useMarathon([inside, edge]);
    await mixed.create(both);
    const hosts = (await mixed.tasks('/app')).map(({ host }) => host).sort();
    expect(hosts).toEqual(['127.0.33.1', '127.0.33.1', '127.0.33.9', '127.0.33.9']);
    const alone = await useMarathon([edge]);
    await alone.create(both);
    expect(await alone.tasks('/app')).toHaveLength(4);
  });

  test('every update with a uuid is acknowledged, and no other', async () => {
    const { master, create } = await useMarathon();
    await create({ instances: 1 });
    expect(master.callsOf('ACKNOWLEDGE')).toHaveLength(2);
    const [id = ''] = master.running('app');
    master.status(id, 'TASK_RUNNING', { uuid: undefined as unknown as string });
    expect(master.callsOf('ACKNOWLEDGE')).toHaveLength(2);
  });

  test('an app that fits nowhere waits in the queue with the reason', async () => {
    const { create, request } = await useMarathon();
    await create({ cpus: 100 });
    const { queue } = (await request('GET', '/v2/queue')).json;
    expect(queue).toMatchObject([
      {
        app: { id: '/app' },
        count: 1,
        processedOffersSummary: { rejectSummaryLastOffers: [{ reason: 'InsufficientCpus', declined: 3 }] },
      },
    ]);
  });

  test('hostname UNIQUE puts at most one on each agent', async () => {
    const { create, tasks, request } = await useMarathon();
    await create({ instances: 5, constraints: [['hostname', 'UNIQUE']] });
    expect(new Set((await tasks('/app')).map(({ host }) => host)).size).toBe(3);
    expect((await request('GET', '/v2/queue')).json.queue[0].count).toBe(2);
  });
});

describe('replacing', () => {
  test('a task that had run for a while is replaced at once', async () => {
    const { master, timers, create, tasks } = await useMarathon();
    await create({ instances: 1 });
    await timers.advance(10_000);
    const [id = ''] = master.running('app');
    master.status(id, 'TASK_FAILED', { message: 'Command terminated with signal Killed' });
    await timers.advance(100);
    expect(await tasks('/app')).toHaveLength(1);
    expect((await tasks('/app'))[0].id).not.toBe(id);
  });

  test('a task that fails at once is launched ever more rarely, up to the maximum', async () => {
    const { master, timers, create } = await useMarathon();
    master.autoRun = 'nothing';
    await create({ instances: 1, backoffSeconds: 2, backoffFactor: 2, maxLaunchDelaySeconds: 7 });
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const [id = ''] = master.running('app');
      master.status(id, 'TASK_FAILED');
      const failedAt = timers.now();
      await timers.advance(0);
      while (master.running('app').length === 0 && timers.now() - failedAt < 20_000) await timers.advance(100);
      waits.push(Math.round((timers.now() - failedAt) / 1000));
    }
    expect(waits).toEqual([2, 4, 7, 7]);
  });

  test('unreachable instances are replaced at once, and the surplus dies when they return', async () => {
    const { master, timers, create, tasks } = await useMarathon();
    await create({ instances: 2 });
    const [id = ''] = master.running('app');
    master.status(id, 'TASK_UNREACHABLE', { reason: 'REASON_AGENT_REMOVED' });
    await timers.advance(1_000);
    const during = await tasks('/app');
    expect(during.map(({ state }) => state).sort()).toEqual(['TASK_RUNNING', 'TASK_RUNNING', 'TASK_UNREACHABLE']);
    master.status(id, 'TASK_RUNNING', { reason: 'REASON_AGENT_REREGISTERED' });
    await timers.advance(1_000);
    const after = await tasks('/app');
    expect(after.map(({ state }) => state)).toEqual(['TASK_RUNNING', 'TASK_RUNNING']);
    expect(after.map((task) => task.id)).toContain(id);
  });

  test('an instance that was given up dies when it comes back after all', async () => {
    const { master, timers, create, tasks } = await useMarathon();
    await create({ instances: 1 });
    const [id = ''] = master.running('app');
    master.status(id, 'TASK_UNREACHABLE');
    await timers.advance(60_000);
    expect((await tasks('/app')).map((task) => task.id)).not.toContain(id);
    master.status(id, 'TASK_RUNNING');
    await timers.advance(100);
    expect(master.callsOf('KILL').at(-1)?.kill.task_id.value).toBe(id);
    expect(master.tasks.has(id)).toBe(false);
  });

  test("a gone agent's tasks vanish and are replaced", async () => {
    const { master, timers, create, tasks } = await useMarathon();
    await create({ instances: 3 });
    const [id = ''] = master.running('app');
    master.status(id, 'TASK_GONE_BY_OPERATOR');
    await timers.advance(1_000);
    const after = await tasks('/app');
    expect(after).toHaveLength(3);
    expect(after.map((task) => task.id)).not.toContain(id);
  });

  test('a kill that nobody answers is sent again', async () => {
    const { master, timers, create, request } = await useMarathon();
    await create({ instances: 1 });
    master.autoKill = false;
    await request('DELETE', '/v2/apps/app/tasks');
    await timers.advance(30_000);
    expect(master.callsOf('KILL').length).toBeGreaterThanOrEqual(2);
  });

  test('a status that steps back does not make a running task start again', async () => {
    const { master, timers, create, tasks } = await useMarathon();
    await create({ instances: 1 });
    const [id = ''] = master.running('app');
    master.status(id, 'TASK_STARTING');
    await timers.advance(0);
    expect(await tasks('/app')).toMatchObject([{ state: 'TASK_RUNNING' }]);
  });
});

describe('health', () => {
  test('a Mesos check goes into the task, and its result into the API and the events', async () => {
    const { master, marathon, timers, create, tasks, request } = await useMarathon();
    master.autoRun = 'nothing';
    const { events } = await useEvents(marathon, ['instance_health_changed_event']);
    await create({
      healthChecks: [{ ...MESOS_HTTP, intervalSeconds: 1, gracePeriodSeconds: 2, delaySeconds: 0, timeoutSeconds: 3 }],
    });
    const [id = ''] = master.running('app');
    const port = (await tasks('/app'))[0].ports[0];
    expect(master.tasks.get(id)?.task.health_check).toEqual({
      type: 'HTTP',
      http: { scheme: 'http', port, path: '/health' },
      ...{
        delay_seconds: 0,
        interval_seconds: 1,
        timeout_seconds: 3,
        grace_period_seconds: 2,
        consecutive_failures: 3,
      },
    });
    master.status(id, 'TASK_RUNNING');
    await timers.advance(0);
    expect((await tasks('/app'))[0].healthCheckResults).toBeUndefined();
    expect((await request('GET', '/v2/deployments')).json).toHaveLength(1);
    master.status(id, 'TASK_RUNNING', { healthy: true, reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED' });
    await timers.advance(0);
    expect((await tasks('/app'))[0].healthCheckResults).toMatchObject([{ alive: true, consecutiveFailures: 0 }]);
    expect((await request('GET', '/v2/deployments')).json).toEqual([]);
    await eventually(() => events).toMatchObject([{ healthy: true, runSpecId: '/app' }]);
    master.status(id, 'TASK_RUNNING', { healthy: false });
    await timers.advance(0);
    expect((await request('GET', '/v2/apps/app')).json.app).toMatchObject({ tasksHealthy: 0, tasksUnhealthy: 1 });
  });

  test('a check of its own kills an instance that fails too often, and replaces it', async () => {
    let cause: string | null = null;
    const { master, marathon, timers, create, tasks } = await useMarathon(undefined, async () => cause);
    const { events } = await useEvents(marathon, ['failed_health_check_event', 'unhealthy_instance_kill_event']);
    await create({
      healthChecks: [
        { protocol: 'HTTP', delaySeconds: 0, intervalSeconds: 2, maxConsecutiveFailures: 2, gracePeriodSeconds: 1 },
      ],
    });
    await timers.advance(3_000);
    expect((await tasks('/app'))[0].healthCheckResults).toMatchObject([{ alive: true }]);
    const [id] = master.running('app');
    cause = 'connection refused';
    await timers.advance(2_000);
    expect((await tasks('/app'))[0]).toMatchObject({
      id,
      healthCheckResults: [{ alive: false, consecutiveFailures: 1, lastFailureCause: cause }],
    });
    await timers.advance(2_000);
    cause = null;
    await timers.advance(1_000);
    expect((await tasks('/app')).map((task) => task.id)).not.toContain(id);
    expect(await tasks('/app')).toHaveLength(1);
    await eventually(() => events.map(({ eventType }) => eventType)).toEqual([
      'failed_health_check_event',
      'failed_health_check_event',
      'unhealthy_instance_kill_event',
    ]);
  });
});

describe('deploying', () => {
  test('a rolling restart never has fewer healthy instances than it may, nor more than it may', async () => {
    const { master, timers, create, tasks, request } = await useMarathon();
    const healthChecks = [MESOS_HTTP];
    await create({
      instances: 4,
      healthChecks,
      upgradeStrategy: { minimumHealthCapacity: 0.75, maximumOverCapacity: 0.25 },
    });
    const old = new Set((await tasks('/app')).map(({ id }) => id));
    master.autoRun = 'nothing';
    await request('PUT', '/v2/apps/app', { env: { NEW: '1' } });
    for (let round = 0; round < 30; round += 1) {
      await timers.advance(500);
      const now = await tasks('/app');
      const healthy = now.filter(({ healthCheckResults }) => healthCheckResults?.[0]?.alive === true);
      expect(healthy.length).toBeGreaterThanOrEqual(3);
      expect(now.length).toBeLessThanOrEqual(5);
      const starting = now.find(({ healthCheckResults }) => healthCheckResults === undefined);
      if (starting !== undefined) master.status(starting.id, 'TASK_RUNNING', { healthy: true });
    }
    const after = await tasks('/app');
    expect(after).toHaveLength(4);
    expect(after.some(({ id }) => old.has(id))).toBe(false);
    expect((await request('GET', '/v2/deployments')).json).toEqual([]);
  });

  test('scaling changes no instance that exists', async () => {
    const { timers, create, tasks, request } = await useMarathon();
    const created = await create({ instances: 2 });
    const before = (await tasks('/app')).map(({ id }) => id);
    const reply = await request('PUT', '/v2/apps/app', { instances: 5 });
    expect(reply.json).toEqual({ version: expect.any(String), deploymentId: expect.any(String) });
    await timers.advance(1_000);
    const after = (await tasks('/app')).map(({ id }) => id);
    expect(after).toHaveLength(5);
    expect(after).toEqual(expect.arrayContaining(before));
    const { app } = (await request('GET', '/v2/apps/app')).json;
    expect(app.versionInfo).toEqual({ lastScalingAt: reply.json.version, lastConfigChangeAt: created.json.version });
    await request('PUT', '/v2/apps/app', { instances: 1 });
    await timers.advance(1_000);
    expect(await tasks('/app')).toHaveLength(1);
  });

  test('an app that is being changed is locked, unless the change is forced', async () => {
    const { master, create, request } = await useMarathon();
    master.autoRun = 'nothing';
    const created = await create({ instances: 1 });
    const locked = await request('PUT', '/v2/apps/app', { instances: 2 });
    expect(locked.status).toBe(409);
    expect(locked.json.deployments).toEqual(created.json.deployments);
    expect((await request('PUT', '/v2/apps/app?force=true', { instances: 2 })).status).toBe(200);
    expect((await request('GET', '/v2/deployments')).json).toHaveLength(1);
  });

  test('a cancelled deployment goes back to what was', async () => {
    const { master, timers, create, tasks, request } = await useMarathon();
    await create({ instances: 2 });
    const before = (await tasks('/app')).map(({ id }) => id);
    master.autoRun = 'nothing';
    const { deploymentId } = (await request('PUT', '/v2/apps/app', { instances: 4 })).json;
    const reply = await request('DELETE', `/v2/deployments/${deploymentId}`);
    expect(reply.status).toBe(200);
    await timers.advance(1_000);
    expect((await tasks('/app')).map(({ id }) => id)).toEqual(before);
    expect((await request('DELETE', '/v2/deployments/none')).status).toBe(404);
  });

  test('a new app tells its whole life as events', async () => {
    const { marathon, create, timers, request } = await useMarathon();
    const { events, raw } = await useEvents(marathon);
    await create({ instances: 1 });
    await request('DELETE', '/v2/apps/app');
    await timers.advance(11_000);
    await eventually(() =>
      events.map(({ eventType, condition, taskStatus }) => condition ?? taskStatus ?? eventType),
    ).toEqual([
      'event_stream_attached',
      'group_change_success',
      'deployment_info',
      'deployment_step_success',
      'deployment_info',
      'api_post_event',
      'Provisioned',
      'Starting',
      'TASK_STARTING',
      'Running',
      'TASK_RUNNING',
      'deployment_step_success',
      'deployment_success',
      'group_change_success',
      'deployment_info',
      'api_post_event',
      'Killing',
      'TASK_KILLING',
      'Killed',
      'TASK_KILLED',
      'deployment_step_success',
      'app_terminated_event',
      'deployment_success',
    ]);
    expect(events.find(({ taskStatus }) => taskStatus === 'TASK_RUNNING')).toMatchObject({
      eventType: 'status_update_event',
      appId: '/app',
      slaveId: expect.any(String),
      host: expect.any(String),
      ports: [expect.any(Number)],
      ipAddresses: [{ ipAddress: expect.any(String), protocol: 'IPv4' }],
      version: expect.any(String),
      timestamp: expect.any(String),
    });
    expect(raw()).toMatch(/\r\n\r\n\r\n/);
  });
});
