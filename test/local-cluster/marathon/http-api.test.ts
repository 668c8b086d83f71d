import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Marathon } from '../../../local-cluster/marathon/marathon.ts';
import { eventually } from '../eventually.ts';
import { useEvents, useMarathon } from './marathon-fixture.ts';
import { StandInLeader } from './stand-in-master.ts';

describe('apps', () => {
  test('a created app is answered with all defaults and its deployment', async () => {
    const { request } = await useMarathon();
    const { status, headers, json } = await request('POST', '/v2/apps', { id: 'team/api', cmd: 'sleep 1' });
    expect(status).toBe(201);
    expect(headers.get('marathon-deployment-id')).toBe(json.deployments[0].id);
    expect(json).toMatchObject({
      ...{ id: '/team/api', cmd: 'sleep 1', instances: 1, cpus: 1, mem: 128, disk: 0, gpus: 0, executor: '' },
      ...{ backoffSeconds: 1, backoffFactor: 1.15, maxLaunchDelaySeconds: 300 },
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
      unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
      networks: [{ mode: 'host' }],
      portDefinitions: [{ port: 10_000, protocol: 'tcp', name: 'default', labels: {} }],
      requirePorts: false,
      killSelection: 'YOUNGEST_FIRST',
      ...{ env: {}, labels: {}, fetch: [], constraints: [], healthChecks: [], readinessChecks: [], dependencies: [] },
      ...{ tasks: [], tasksStaged: 0, tasksRunning: 0, tasksHealthy: 0, tasksUnhealthy: 0 },
      version: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      versionInfo: { lastScalingAt: json.version, lastConfigChangeAt: json.version },
    });
  });

  test('an app that exists is a conflict, and one that is invalid says where and why', async () => {
    const { create, request } = await useMarathon();
    await create({});
    const again = await create({});
    expect([again.status, again.json]).toEqual([409, { message: 'An app with id [/app] already exists.' }]);
    const invalid = await request('POST', '/v2/apps', { id: '/Bad_Name', cpus: -1, instances: 'two' });
    expect(invalid.status).toBe(422);
    expect(invalid.json).toMatchObject({
      message: 'Object is not valid',
      details: [
        { path: '/instances', errors: [expect.any(String)] },
        { path: '/cpus', errors: ['must be greater than or equal to 0'] },
      ],
    });
    const broken = await fetch(`${(await useMarathon()).marathon.url}/v2/apps`, { method: 'POST', body: '{' });
    expect([broken.status, ((await broken.json()) as { message: string }).message]).toEqual([400, 'Invalid JSON']);
  });

  test('an app that does not exist is 404 in every way', async () => {
    const { request } = await useMarathon();
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/restart'],
      ['GET', '/tasks'],
      ['GET', '/versions'],
    ]) {
      const reply = await request(method ?? '', `/v2/apps/no/such${path}`);
      expect([reply.status, reply.json]).toEqual([404, { message: "App '/no/such' does not exist" }]);
    }
  });

  test('lists are filtered by id, command and label, and hold tasks when asked', async () => {
    const { create, request } = await useMarathon();
    await create({ id: '/a/one', labels: { tier: 'front', team: 'x' } });
    await create({ id: '/a/two', cmd: 'serve', labels: { tier: 'back' } });
    await create({ id: '/b', labels: {} });
    const ids = async (query: string) => {
      const { json } = await request('GET', `/v2/apps?${query}`);
      return json.apps.map(({ id }: { id: string }) => id);
    };
    expect(await ids('')).toEqual(['/a/one', '/a/two', '/b']);
    expect(await ids('id=a/')).toEqual(['/a/one', '/a/two']);
    expect(await ids('cmd=serv')).toEqual(['/a/two']);
    expect(await ids('label=tier')).toEqual(['/a/one', '/a/two']);
    expect(await ids('label=tier==back')).toEqual(['/a/two']);
    expect(await ids(`label=${encodeURIComponent('tier in (front, middle),team!=y')}`)).toEqual(['/a/one']);
    expect(await ids(`label=${encodeURIComponent('tier notin (front)')}`)).toEqual(['/a/two']);
    expect((await request('GET', '/v2/apps?label=(')).status).toBe(400);
    expect((await request('GET', '/v2/apps')).json.apps[0].tasks).toBeUndefined();
    const { apps } = (await request('GET', '/v2/apps?embed=apps.tasks&embed=apps.counts')).json;
    expect(apps[0]).toMatchObject({
      tasksRunning: 1,
      deployments: [],
      tasks: [{ appId: '/a/one', state: 'TASK_RUNNING' }],
    });
    expect((await request('GET', '/v2/apps/a/*')).json.apps).toHaveLength(2);
  });

  test('an update creates what does not exist, and a version brings back what was', async () => {
    const { timers, request } = await useMarathon();
    const created = await request('PUT', '/v2/apps/app', { cmd: 'one', instances: 0 });
    expect(created.status).toBe(201);
    await timers.advance(100);
    await request('PUT', '/v2/apps/app', { cmd: 'two' });
    await timers.advance(100);
    const { versions } = (await request('GET', '/v2/apps/app/versions')).json;
    expect(versions).toHaveLength(2);
    expect(versions[1]).toBe(created.json.version);
    expect((await request('GET', `/v2/apps/app/versions/${versions[1]}`)).json.cmd).toBe('one');
    await request('PUT', '/v2/apps/app', { version: versions[1] });
    expect((await request('GET', '/v2/apps/app')).json.app).toMatchObject({ cmd: 'one', instances: 0 });
  });

  test('a deleted app is gone at once, and its tasks soon after', async () => {
    const { timers, create, request } = await useMarathon();
    await create({ instances: 2 });
    expect((await request('DELETE', '/v2/apps/app')).json).toEqual({
      version: expect.any(String),
      deploymentId: expect.any(String),
    });
    expect((await request('GET', '/v2/apps/app')).status).toBe(404);
    await timers.advance(100);
    expect((await request('GET', '/v2/tasks')).json.tasks).toEqual([]);
    expect((await create({})).status).toBe(201);
  });

  test('a restart replaces all instances without a new definition', async () => {
    const { timers, create, tasks, request } = await useMarathon();
    await create({ instances: 2 });
    const before = (await tasks('/app')).map(({ id }) => id);
    expect((await request('POST', '/v2/apps/app/restart')).status).toBe(200);
    await timers.advance(2_000);
    const after = await tasks('/app');
    expect(after).toHaveLength(2);
    expect(after.some(({ id }) => before.includes(id))).toBe(false);
  });
});

describe('tasks', () => {
  test('a task is printed with all that discovery needs', async () => {
    const { create, tasks } = await useMarathon();
    const { json } = await create({});
    expect(await tasks('/app')).toEqual([
      {
        id: expect.stringMatching(/^app\.instance-/),
        appId: '/app',
        host: '127.0.33.1',
        slaveId: 'S1',
        ipAddresses: [{ ipAddress: '127.0.33.1', protocol: 'IPv4' }],
        ports: [expect.any(Number)],
        servicePorts: [10_000],
        state: 'TASK_RUNNING',
        stagedAt: expect.any(String),
        startedAt: expect.any(String),
        version: json.version,
        localVolumes: [],
        role: '*',
      },
    ]);
  });

  test('killed tasks are replaced, or scaled away', async () => {
    const { timers, create, tasks, request } = await useMarathon();
    await create({ instances: 3 });
    const [first] = await tasks('/app');
    const killed = await request('DELETE', `/v2/apps/app/tasks/${first.id}`);
    expect(killed.json.task.id).toBe(first.id);
    await timers.advance(1_000);
    expect(await tasks('/app')).toHaveLength(3);
    const host = (await tasks('/app'))[0].host;
    const onHost = (await request('DELETE', `/v2/apps/app/tasks?host=${host}&scale=true`)).json;
    expect(onHost.deploymentId).toBeDefined();
    await timers.advance(1_000);
    expect((await request('GET', '/v2/apps/app')).json.app.instances).toBe((await tasks('/app')).length);
    const ids = (await tasks('/app')).map(({ id }) => id);
    expect((await request('POST', '/v2/tasks/delete', { ids })).json.tasks).toHaveLength(ids.length);
    await timers.advance(1_000);
    expect((await request('GET', '/v2/tasks?status=running')).json.tasks).toHaveLength(ids.length);
    expect((await request('GET', '/v2/tasks?status=staging')).json.tasks).toEqual([]);
    expect((await request('POST', '/v2/tasks/delete', {})).status).toBe(422);
  });
});

describe('the rest', () => {
  test('ping, info, leader, pods and unknown paths', async () => {
    const { marathon, request } = await useMarathon();
    const ping = await request('GET', '/ping');
    expect([ping.status, ping.text]).toEqual([200, 'pong']);
    const { host } = new URL(marathon.url);
    expect((await request('GET', '/v2/info')).json).toMatchObject({
      name: 'marathon',
      elected: true,
      leader: host,
      frameworkId: 'fw-1',
    });
    expect((await request('GET', '/v2/leader')).json).toEqual({ leader: host });
    expect((await request('GET', '/v2/pods/::status')).json).toEqual([]);
    expect((await request('GET', '/v2/nonsense')).status).toBe(404);
    expect((await request('DELETE', '/v2/info')).status).toBe(405);
    expect((await request('GET', '/v2/apps/%zz')).status).toBe(400);
  });

  test('groups nest as ids do', async () => {
    const { create, request } = await useMarathon();
    await create({ id: '/solo' });
    await create({ id: '/team/api' });
    await create({ id: '/team/web/edge' });
    const root = (await request('GET', '/v2/groups')).json;
    expect(root).toMatchObject({
      id: '/',
      apps: [{ id: '/solo' }],
      groups: [
        {
          id: '/team',
          apps: [{ id: '/team/api' }],
          groups: [{ id: '/team/web', apps: [{ id: '/team/web/edge' }], groups: [] }],
        },
      ],
    });
    expect((await request('GET', '/v2/groups/team/web')).json.id).toBe('/team/web');
    expect((await request('GET', '/v2/groups/none')).status).toBe(404);
  });

  test('a deployment under way is listed with its steps', async () => {
    const { master, create, request } = await useMarathon();
    master.autoRun = 'nothing';
    await create({});
    expect((await request('GET', '/v2/deployments')).json).toMatchObject([
      {
        affectedApps: ['/app'],
        currentStep: 2,
        totalSteps: 2,
        currentActions: [{ action: 'ScaleApplication', app: '/app', readinessCheckResults: [] }],
        steps: [
          { actions: [{ action: 'StartApplication', app: '/app' }] },
          { actions: [{ action: 'ScaleApplication', app: '/app' }] },
        ],
      },
    ]);
  });

  test('an event stream needs its Accept header, and gets only what it asked for', async () => {
    const { marathon, create, request } = await useMarathon();
    expect((await request('GET', '/v2/events')).status).toBe(405);
    const { events } = await useEvents(marathon, ['deployment_success', 'api_post_event']);
    await create({});
    await eventually(() => events.map(({ eventType }) => eventType)).toEqual(['api_post_event', 'deployment_success']);
    expect(events[0]).toMatchObject({ clientIp: expect.any(String), uri: '/v2/apps', appDefinition: { id: '/app' } });
  });

  test('a reader that does not read is cut off, and the others are not', async () => {
    const { marathon, timers, request } = await useMarathon();
    const { events } = await useEvents(marathon, ['api_post_event']);
    const { hostname, port } = new URL(marathon.url);
    const slow = connect({ host: hostname, port: Number(port) });
    slow.on('error', () => undefined);
    slow.write('GET /v2/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
    slow.pause();
    const closed = new Promise<void>((resolve) => slow.once('close', () => resolve()));
    const padding = 'x'.repeat(1_200_000);
    for (let index = 0; index < 20; index += 1) {
      await request('PUT', '/v2/apps/app?force=true', { cmd: `run ${index}`, instances: 0, labels: { padding } });
      await timers.advance(10);
    }
    slow.resume();
    await closed;
    await eventually(() => events.length).toBe(20);
  });

  test('a taken port is an error, and stopping afterwards is not', async () => {
    const { marathon } = await useMarathon();
    const other = new Marathon({
      ip: '127.0.0.1',
      port: Number(new URL(marathon.url).port),
      leader: new StandInLeader(null),
    });
    await expect(other.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await other.stop();
  });
});
