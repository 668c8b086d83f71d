/** Discovery against a scripted Marathon over real sockets: what the table holds, and what Marathon was asked. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DISCOVERY_TIMES, Discovery, type DiscoveryTimes } from '../../../scheduler/discovery/discovery.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { FakeMarathon } from '../support/fake-marathon.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

let marathon: FakeMarathon;
let discovery: Discovery | null = null;
let changes: string[][];
let wholes: number;

beforeEach(async () => {
  marathon = await FakeMarathon.start();
  changes = [];
  wholes = 0;
});

afterEach(async () => {
  await discovery?.stop();
  discovery = null;
  await marathon.stop();
});

function follow(times: Partial<DiscoveryTimes> = {}): Discovery {
  discovery = new Discovery({
    marathon: marathon.url,
    logger: silent,
    changed: (names) => changes.push([...names].sort()),
    whole: () => wholes++,
    times: { ...DISCOVERY_TIMES, confirmMs: 50, ...times },
  });
  discovery.start();
  return discovery;
}

const instancesOf = (name: string): string[] | undefined =>
  discovery?.app(name)?.instances.map((instance) => `${instance.taskId} ${instance.state}`);

async function synced(times: Partial<DiscoveryTimes> = {}): Promise<Discovery> {
  const followed = follow(times);
  await eventually('the first list', () => followed.synced);
  return followed;
}

describe('following Marathon', () => {
  test('P35: connects the stream first and then asks for everything once', async () => {
    marathon.put('web', [{ id: 'web.1' }]);
    marathon.put('team/api', [{ id: 'api.1' }, { id: 'api.2' }]);
    await synced();
    expect(marathon.requests[0]).toMatch(/^\/v2\/events\?event_type=/);
    expect(marathon.requests[1]).toMatch(/^\/v2\/apps\?embed=apps.tasks/);
    expect(marathon.requests[2]).toBe('/v2/pods/::status');
    expect(marathon.requests).toHaveLength(3);
    expect(changes).toEqual([['team/api', 'web']]);
    expect(instancesOf('team/api')).toEqual(['api.1 ready', 'api.2 ready']);
  });

  test('tells that an empty Marathon is a complete table', async () => {
    await synced();
    expect([changes, wholes]).toEqual([[], 1]);
  });

  test('an event about one app fetches that app alone, soon, and nothing is asked without events', async () => {
    marathon.put('web', [{ id: 'web.1' }]);
    await synced();
    marathon.put('web', [{ id: 'web.1' }, { id: 'web.2' }]);
    const at = performance.now();
    marathon.emit('instance_changed_event', { runSpecId: '/web', instanceId: 'web.2', condition: 'Running' });
    marathon.emit('status_update_event', { appId: '/web', taskId: 'web.2', taskStatus: 'TASK_RUNNING' });
    await eventually('web.2', () => instancesOf('web')?.length === 2);
    expect(performance.now() - at).toBeLessThan(3_000);
    expect(marathon.requests.slice(3)).toEqual(['/v2/apps/web?embed=app.tasks&embed=app.readiness']);
    expect(changes).toEqual([['web'], ['web']]);
  });

  test('D11: an event that arrives while the list is fetched is applied after it', async () => {
    marathon.put('web', [{ id: 'web.1' }]);
    const before = JSON.stringify({ apps: [...marathon.apps.values()] });
    marathon.script('/v2/apps?', async (_request, response) => {
      marathon.put('web', [{ id: 'web.2' }]);
      marathon.emit('status_update_event', { appId: '/web', taskId: 'web.2', taskStatus: 'TASK_RUNNING' });
      await new Promise((resolve) => setTimeout(resolve, 50));
      response.end(before);
    });
    follow();
    await eventually('web.2', () => instancesOf('web')?.[0] === 'web.2 ready');
    expect(changes).toEqual([['web'], ['web']]);
  });

  test('D23: content of the answer wins, not that of the event', async () => {
    marathon.put('web', [{ id: 'web.1' }]);
    await synced();
    marathon.emit('status_update_event', {
      appId: '/web',
      taskId: 'web.1',
      taskStatus: 'TASK_KILLED',
      version: '1970',
    });
    await eventually('the question', () => marathon.asked('/v2/apps/web') === 1);
    marathon.put('web', [{ id: 'web.1' }, { id: 'web.9' }]);
    marathon.emit('status_update_event', { appId: '/web' });
    await eventually('web.9', () => instancesOf('web')?.length === 2);
    // The first answer was the same as before: no change was told.
    expect(changes).toEqual([['web'], ['web']]);
  });

  test('a deleted app goes with its event', async () => {
    marathon.put('web', [{ id: 'web.1' }]);
    await synced();
    marathon.apps.delete('web');
    marathon.emit('api_post_event', { appDefinition: { id: '/web' }, uri: '/v2/apps//web' });
    await eventually('no web', () => discovery?.app('web') === undefined);
    expect(changes.at(-1)).toEqual(['web']);
  });

  test('a finished deployment is asked for by the apps in its plan, and a changed group by the list', async () => {
    marathon.put('a', [{ id: 'a.1' }]);
    marathon.put('b/c', [{ id: 'c.1' }]);
    await synced();
    marathon.emit('deployment_success', {
      plan: { steps: [{ actions: [{ action: 'ScaleApplication', app: '/b/c' }] }] },
    });
    await eventually('the app', () => marathon.asked('/v2/apps/b/c?') === 1);
    marathon.emit('group_change_success', { groupId: '/' });
    await eventually('the list', () => marathon.asked('/v2/apps?') === 2);
  });

  test('an app whose name is that of a sub-resource is asked for by the list', async () => {
    marathon.put('x/tasks', [{ id: 't.1' }]);
    await synced();
    marathon.put('x/tasks', [{ id: 't.2' }]);
    marathon.emit('status_update_event', { appId: '/x/tasks' });
    await eventually('t.2', () => instancesOf('x/tasks')?.[0] === 't.2 ready');
    expect(marathon.asked('/v2/apps/')).toBe(0);
  });

  test('D24: ids that differ in case are different apps', async () => {
    marathon.put('Web', [{ id: 'W.1' }]);
    marathon.put('web', [{ id: 'w.1' }]);
    await synced();
    expect([instancesOf('Web'), instancesOf('web')]).toEqual([['W.1 ready'], ['w.1 ready']]);
  });
});

describe('the event stream', () => {
  test('D16: reads CRLF, comments, data over several lines, and characters cut in two', async () => {
    marathon.put('web', [{ id: 'web.1' }]);
    await synced();
    marathon.put('web', [{ id: 'web.2' }]);
    const bytes = Buffer.from(
      ':keep-alive\r\n\r\n\r\nevent: status_update_event\r\ndata: {"message":"ü",\r\ndata: "appId":"/web"}\r\n\r\n',
    );
    const cut = bytes.indexOf(0xc3) + 1;
    marathon.raw(bytes.subarray(0, cut));
    await new Promise((resolve) => setTimeout(resolve, 20));
    marathon.raw(bytes.subarray(cut));
    await eventually('web.2', () => instancesOf('web')?.[0] === 'web.2 ready');
  });

  test('D16: an event that is no JSON is skipped, counted, and answered with a list', async () => {
    marathon.put('web', [{ id: 'web.1' }]);
    await synced();
    marathon.put('web', [{ id: 'web.2' }]);
    marathon.raw('event: status_update_event\ndata: {"appId":\n\n');
    await eventually('web.2', () => instancesOf('web')?.[0] === 'web.2 ready');
    expect(discovery?.counters().unreadableEvents).toBe(1);
    expect(discovery?.connected).toBe(true);
  });

  test('D12: after an end it connects again soon and fetches everything; nothing is cleared meanwhile', async () => {
    marathon.put('web', [{ id: 'web.1' }]);
    marathon.put('old', [{ id: 'old.1' }]);
    await synced();
    marathon.apps.delete('old');
    const at = performance.now();
    marathon.dropStreams();
    expect(instancesOf('old')).toEqual(['old.1 ready']);
    await eventually('the second list', () => discovery?.app('old') === undefined);
    expect(performance.now() - at).toBeLessThan(4_500);
    expect(instancesOf('web')).toEqual(['web.1 ready']);
    expect(discovery?.counters().connections).toBe(2);
  });

  test('D13: silence for too long counts as an end', async () => {
    await synced({ silenceMs: 60 });
    await eventually('a second connection', () => (discovery?.counters().connections ?? 0) >= 2);
  });

  test('Marathon away for a while: the table stays, and what changed is there after its return', async () => {
    marathon.put('web', [{ id: 'web.1' }]);
    await synced({ maxRetryMs: 100 });
    await marathon.stop();
    await eventually('the loss', () => discovery?.connected === false);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(instancesOf('web')).toEqual(['web.1 ready']);
    await marathon.up();
    marathon.put('web', [{ id: 'web.2' }]);
    await eventually('web.2', () => instancesOf('web')?.[0] === 'web.2 ready');
  });

  test('a standby is followed to the leader', async () => {
    const leader = await FakeMarathon.start();
    leader.put('web', [{ id: 'web.1' }]);
    marathon.put('web', [{ id: 'web.1' }]);
    marathon.script('/v2/events', (request, response) => {
      response.writeHead(302, { location: `${leader.url}${request.url}` }).end();
    });
    try {
      await synced();
      expect(leader.streams).toBe(1);
      expect(marathon.streams).toBe(0);
    } finally {
      await discovery?.stop();
      await leader.stop();
    }
  });

  test('an attached event that comes late asks for everything once more', async () => {
    marathon.attachedEvent = false;
    await synced({ attachMs: 10 });
    marathon.emit('event_stream_attached', { remoteAddress: '127.0.0.1' });
    await eventually('the second list', () => marathon.asked('/v2/apps?') === 2);
    marathon.emit('event_stream_attached', { remoteAddress: 'somebody else' });
    marathon.emit('status_update_event', { appId: '/x' });
    await eventually('the app', () => marathon.asked('/v2/apps/x') === 1);
    expect(marathon.asked('/v2/apps?')).toBe(2);
  });
});

describe('answers that cannot be trusted', () => {
  test.each<[string, number, string]>([
    ['D20: a list that is cut off', 200, '{"apps":[{"id":"/we'],
    ['a page of a gateway', 502, '<html>Bad Gateway</html>'],
    ['a page with status 200', 200, '<html>hello</html>'],
    ['JSON of something else', 200, '{"message":"hello"}'],
    ['an error of Marathon', 503, '{"message":"overloaded"}'],
  ])('%s changes nothing, and everything is asked again', async (_name, status, body) => {
    marathon.put('web', [{ id: 'web.1' }]);
    await synced();
    marathon.script('/v2/apps?', (_request, response) => {
      response.writeHead(status).end(body);
    });
    marathon.put('new', [{ id: 'new.1' }]);
    marathon.emit('group_change_success', { groupId: '/' });
    await eventually('new.1', () => instancesOf('new')?.[0] === 'new.1 ready');
    expect(changes).toEqual([['web'], ['new']]);
    expect(discovery?.counters().failures).toBe(1);
  });

  test('an app that cannot be fetched stays as it was, and is asked again', async () => {
    marathon.put('web', [{ id: 'web.1' }]);
    await synced();
    marathon.script('/v2/apps/web', (_request, response) => {
      response.destroy();
    });
    marathon.put('web', [{ id: 'web.2' }]);
    marathon.emit('status_update_event', { appId: '/web' });
    await eventually('web.2', () => instancesOf('web')?.[0] === 'web.2 ready');
  });

  test('D19: a list that suddenly lacks most apps is believed only when a second answer agrees', async () => {
    for (let n = 0; n < 6; n++) marathon.put(`app${n}`, [{ id: `app${n}.1` }]);
    await synced({ confirmMs: 100 });
    marathon.script('/v2/apps?', (_request, response) => {
      response.end('{"apps":[]}');
    });
    marathon.dropStreams();
    await eventually('the doubt', () => discovery?.counters().held === 1);
    expect(discovery?.names()).toHaveLength(6);
    await eventually('the second look', () => marathon.asked('/v2/apps/app') === 6);
    expect(discovery?.names()).toHaveLength(6);

    marathon.apps.clear();
    marathon.dropStreams();
    await eventually('agreement', () => discovery?.names().length === 0);
    expect(discovery?.counters().held).toBe(2);
  });

  test('an instance whose health results vanish keeps its traffic; a new one without results gets none', async () => {
    marathon.put('web', [{ id: 'web.1', alive: true }]);
    await synced();
    marathon.put('web', [
      { id: 'web.1', alive: null },
      { id: 'web.2', alive: null },
    ]);
    marathon.emit('status_update_event', { appId: '/web' });
    await eventually('web.2', () => instancesOf('web')?.length === 2);
    expect(instancesOf('web')).toEqual(['web.1 ready', 'web.2 unhealthy']);
    marathon.put('web', [
      { id: 'web.1', alive: false },
      { id: 'web.2', alive: true },
    ]);
    marathon.emit('instance_health_changed_event', { runSpecId: '/web', healthy: false });
    await eventually('the result', () => instancesOf('web')?.[0] === 'web.1 unhealthy');
    expect(instancesOf('web')).toEqual(['web.1 unhealthy', 'web.2 ready']);
  });
});

test('D17: a storm of events costs few questions', async () => {
  for (let n = 0; n < 40; n++) marathon.put(`app${n}`, [{ id: `app${n}.1` }]);
  await synced();
  const asked = marathon.requests.length;
  for (let round = 0; round < 50; round++) {
    for (let n = 0; n < 100; n++) marathon.emit('status_update_event', { appId: `/app${n % 40}`, taskId: `t${n}` });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  marathon.put('app7', [{ id: 'last' }]);
  marathon.emit('status_update_event', { appId: '/app7' });
  await eventually('the last one', () => instancesOf('app7')?.[0] === 'last ready');
  expect(discovery?.counters().events.status_update_event).toBe(5_001);
  expect(marathon.requests.length - asked).toBeLessThan(80);
});

test('a Marathon that answers but has no event stream is listed now and then', async () => {
  const refuse: Parameters<FakeMarathon['script']>[1] = (_request, response) => {
    response.writeHead(502).end('no streams through here');
  };
  marathon.script('/v2/events', ...Array.from({ length: 500 }, () => refuse));
  marathon.put('web', [{ id: 'web.1' }]);
  const followed = await synced({ blindMs: 50 });
  marathon.put('web', [{ id: 'web.1' }, { id: 'web.2' }]);
  await eventually('web.2', () => instancesOf('web')?.length === 2);
  expect(followed.connected).toBe(false);
});
