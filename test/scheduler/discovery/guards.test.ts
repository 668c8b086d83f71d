/** Whatever Marathon does for a moment, it never empties a healthy table. */
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DISCOVERY_TIMES, Discovery, type DiscoveryTimes } from '../../../scheduler/discovery/discovery.ts';
import type { SecondLook } from '../../../scheduler/discovery/second-look.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { FakeMarathon } from '../support/fake-marathon.ts';

const reasons: unknown[] = [];
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields: object) => void reasons.push(Reflect.get(fields, 'reason')),
};
const APPS = 8;

let marathon: FakeMarathon;
let discovery: Discovery;
/** The fewest endpoints that there were at any moment since the table was whole. */
let fewest: number;

beforeEach(async () => {
  reasons.length = 0;
  marathon = await FakeMarathon.start();
  for (let n = 0; n < APPS; n++) marathon.put(`app${n}`, [{ id: `app${n}.1` }]);
});

afterEach(async () => {
  await discovery.stop();
  await marathon.stop();
});

const endpoints = (): number =>
  discovery.names().reduce((sum, name) => sum + (discovery.app(name)?.instances.length ?? 0), 0);

async function follow(times: Partial<DiscoveryTimes> = {}, secondLook?: SecondLook): Promise<void> {
  fewest = Number.POSITIVE_INFINITY;
  discovery = new Discovery({
    marathon: marathon.url,
    logger,
    changed: () => {
      if (discovery.synced) fewest = Math.min(fewest, endpoints());
    },
    whole: () => undefined,
    times: { ...DISCOVERY_TIMES, confirmMs: 100, ...times },
    ...(secondLook === undefined ? {} : { secondLook }),
  });
  discovery.start();
  await eventually('the first list', () => discovery.synced);
}

/** Something new, so that it can be seen that all is well again. */
async function recovers(): Promise<void> {
  marathon.put('new', [{ id: 'new.1' }]);
  marathon.emit('status_update_event', { appId: '/new' });
  await eventually('what is new', () => discovery.app('new') !== undefined);
  expect(endpoints()).toBe(APPS + 1);
  expect(fewest).toBeGreaterThanOrEqual(APPS);
}

describe('a Marathon that', () => {
  test('hangs', async () => {
    await follow({ requestMs: 150 });
    const hung: ServerResponse[] = [];
    marathon.script('/v2/apps?', (_request, response) => void hung.push(response));
    marathon.dropStreams();
    await eventually('the failure', () => discovery.counters().failures === 1);
    expect(reasons).toContainEqual(expect.stringMatching(/^GET \/v2\/apps.* failed: no whole answer in 150 ms$/));
    await recovers();
    expect(discovery.reason).toBeNull();
  });

  test('hangs in the middle of its answer', async () => {
    await follow({ requestMs: 150 });
    marathon.script('/v2/apps?', (_request, response) => void response.write('{"apps":[{"id":"/app0","tasks":[]},'));
    marathon.dropStreams();
    await eventually('the failure', () => discovery.counters().failures === 1);
    await recovers();
  });

  test('sends half an event and closes', async () => {
    await follow();
    marathon.raw('event: app_terminated_event\r\ndata: {"appId":"/ap');
    marathon.dropStreams();
    await eventually('a new stream', () => discovery.counters().connections === 2);
    expect(discovery.counters().unreadableEvents).toBe(0);
    await recovers();
  });

  test.each([500, 401, 405])('D15, D20: answers %i', async (status) => {
    await follow();
    for (const path of ['/v2/apps?', '/v2/events']) {
      marathon.script(path, (_request, response) => void response.writeHead(status).end());
    }
    marathon.dropStreams();
    await eventually('the failure', () => discovery.counters().failures > 0 || discovery.counters().connections === 2);
    await recovers();
  });

  test('changes its leader, whose table is still empty', async () => {
    await follow();
    const leader = await FakeMarathon.start();
    const toLeader: Parameters<FakeMarathon['script']>[1] = (request, response) => {
      response.writeHead(302, { location: `${leader.url}${request.url}` }).end();
    };
    marathon.script('/v2/events', toLeader);
    for (const path of ['/v2/apps?', '/v2/pods/::status']) marathon.script(path, toLeader);
    marathon.dropStreams();
    await eventually('the doubt', () => discovery.counters().held === 1);
    for (const [name, app] of marathon.apps) leader.apps.set(name, app);
    await eventually('the second look', () => marathon.asked('/v2/apps/app') === APPS);
    leader.dropStreams();
    await recovers();
    await leader.stop();
  });

  test('D19: says apps: [] for a moment', async () => {
    await follow();
    marathon.script('/v2/apps?', (_request, response) => void response.end('{"apps":[]}'));
    marathon.emit('scheduler_reregistered_event', { master: 'm' });
    await eventually('the doubt', () => discovery.counters().held === 1);
    await eventually('the second look', () => marathon.asked('/v2/apps/app') === APPS);
    await recovers();
  });

  test('knows no pods for a moment', async () => {
    marathon.pods?.set('pod', { ...podStatus(), id: '/pod' });
    await follow();
    expect(discovery.app('pod')?.kind).toBe('pod');
    marathon.script('/v2/pods/::status', (_request, response) => void response.writeHead(404).end());
    marathon.dropStreams();
    await eventually('the failure', () => discovery.counters().failures === 1);
    await eventually('a good list', () => discovery.counters().lists === 2);
    expect(discovery.app('pod')?.instances).toHaveLength(1);
  });
});

describe('a loss of three in ten or more', () => {
  const lose = (count: number): void => {
    for (let n = 0; n < count; n++) {
      marathon.put(`app${n}`, []);
      marathon.emit('status_update_event', { appId: `/app${n}` });
    }
  };

  test('is believed at once where Mesos says the same', async () => {
    await follow({ confirmMs: 60_000 }, { isGone: () => 'gone' });
    lose(4);
    await eventually('the loss', () => endpoints() === APPS - 4);
    expect(discovery.counters().held).toBe(0);
  });

  test('is held as long as Mesos says otherwise', async () => {
    const verdicts: Record<string, 'gone'> = {};
    await follow({}, { isGone: (taskId) => verdicts[taskId] ?? 'alive' });
    lose(4);
    await eventually('a third look', () => marathon.asked('/v2/apps/app') >= 12);
    // The two before it made three in ten were believed.
    expect(fewest).toBeGreaterThanOrEqual(APPS - 2);
    for (let n = 0; n < 4; n++) verdicts[`app${n}.1`] = 'gone';
    discovery.taskGone('app3.1', 'S1');
    await eventually('the loss', () => endpoints() === APPS - 4);
  });

  test('is no surprise where a group was changed', async () => {
    await follow({ confirmMs: 60_000 });
    for (const name of [...marathon.apps.keys()]) marathon.apps.delete(name);
    marathon.emit('group_change_success', { groupId: '/' });
    await eventually('the loss', () => discovery.names().length === 0);
    expect(discovery.counters().held).toBe(0);
  });
});

test('what Mesos says to be gone goes before Marathon is asked', async () => {
  await follow();
  discovery.taskGone('app3.1', 'S1');
  expect(discovery.app('app3')?.instances).toEqual([]);
  // Marathon, which has not noticed yet, is asked, and does not bring it back.
  await eventually('the question', () => discovery.counters().singleApps === 1);
  expect(discovery.app('app3')?.instances).toEqual([]);
});

describe('pods', () => {
  test('are found in the list, followed by their events, and told apart from apps', async () => {
    marathon.pods?.set('team/pod', podStatus());
    await follow();
    expect(discovery.app('team/pod')?.instances[0]).toMatchObject({ address: '127.0.36.1', port: 31_000 });
    marathon.pods?.set('team/pod', podStatus(31_001));
    marathon.emit('pod_updated_event', { clientIp: '127.0.0.1', uri: '/v2/pods/team/pod' });
    await eventually('the change', () => discovery.app('team/pod')?.instances[0]?.port === 31_001);
    marathon.pods?.set('other', { ...podStatus(), id: '/other' });
    marathon.emit('instance_changed_event', { runSpecId: '/other', instanceId: 'i', condition: 'Running' });
    await eventually('the other', () => discovery.app('other')?.kind === 'pod');
    marathon.pods?.delete('team/pod');
    marathon.emit('pod_deleted_event', { clientIp: '127.0.0.1', uri: '/v2/pods/team/pod' });
    await eventually('the end', () => discovery.app('team/pod') === undefined);
  });

  test('of an old version are read by its definition, which is asked for once', async () => {
    const reference = '/v2/pods/pod::versions/V0';
    const status = podStatus();
    const [instance] = status.instances;
    marathon.documents.set(reference, { ...status.spec, version: 'V0', containers: status.spec.containers });
    marathon.pods?.set('pod', { ...status, id: '/pod', instances: [{ ...instance, specReference: reference }] });
    await follow();
    expect(discovery.app('pod')?.instances).toHaveLength(1);
    marathon.dropStreams();
    await eventually('a second list', () => discovery.counters().lists === 2);
    expect(marathon.asked(reference)).toBe(1);
  });
});

test('a definition that cannot be had costs its pod alone, and an instance that is known stays', async () => {
  const status = { ...podStatus(), id: '/pod' };
  marathon.pods?.set('pod', status);
  await follow();
  const old = { ...status.instances[0], specReference: '/v2/pods/pod::versions/V0' };
  marathon.pods?.set('pod', { ...status, instances: [old, { ...old, id: 'pod.instance-2' }] });
  marathon.put('app9', [{ id: 'app9.1' }]);
  const broken = Array.from({ length: 20 }, () => (_request: unknown, response: ServerResponse) => {
    response.writeHead(500).end();
  });
  marathon.script('/v2/pods/pod::versions/V0', ...broken);
  marathon.dropStreams();
  await eventually('the list', () => discovery.app('app9') !== undefined && discovery.skipped().has('pod'));
  expect(discovery.app('pod')?.instances.map(({ taskId, port }) => [taskId, port])).toEqual([
    ['pod.instance-1', 31_000],
  ]);
  expect(discovery.skipped().get('pod')).toBe('task pod.instance-2 has a definition that Marathon does not tell');
  expect(discovery.counters().failures).toBe(0);
});

function podStatus(hostPort = 31_000) {
  return {
    id: '/team/pod',
    spec: {
      version: 'V1',
      networks: [{ mode: 'host' }],
      containers: [{ name: 'c', endpoints: [{ name: 'http', hostPort: 0, protocol: ['tcp'] }] }],
    },
    instances: [
      {
        id: 'pod.instance-1',
        status: 'STABLE',
        agentHostname: '127.0.36.1',
        agentId: 'S1',
        networks: [],
        containers: [{ name: 'c', endpoints: [{ name: 'http', allocatedHostPort: hostPort }] }],
        specReference: '/v2/pods/team/pod::versions/V1',
      },
    ],
  };
}

test('an answer that is about something else says nothing of the app, and is told of', async () => {
  await follow();
  marathon.script('/v2/apps/app3', (_request, response) => void response.end('{"app":{"id":"/other","tasks":[]}}'));
  marathon.emit('status_update_event', { appId: '/app3' });
  await eventually('the answer', () => discovery.skipped().has('app3'));
  expect([endpoints(), discovery.app('other')]).toEqual([APPS, undefined]);
  marathon.emit('status_update_event', { appId: '/app3' });
  await eventually('a better one', () => !discovery.skipped().has('app3'));
});
