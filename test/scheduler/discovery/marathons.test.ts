/** Several Marathons as one table. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { basicAuthorization } from '../../../framework/mesos-http-client/auth/authorization.ts';
import type { MarathonAccess } from '../../../scheduler/discovery/marathon-client.ts';
import { Marathons } from '../../../scheduler/discovery/marathons.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { FakeMarathon } from '../support/fake-marathon.ts';

const warnings: object[] = [];
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields: object) => void warnings.push(fields),
};

let main: FakeMarathon;
let eu: FakeMarathon;
let marathons: Marathons;
let changes: string[];
let wholes: number;

beforeEach(async () => {
  main = await FakeMarathon.start();
  eu = await FakeMarathon.start();
  main.put('web', [{ id: 'main.web.1', slaveId: 'S1' }]);
  eu.put('web', [{ id: 'eu.web.1', slaveId: 'S1' }]);
  eu.put('team/api', [{ id: 'eu.api.1', slaveId: 'S2' }]);
  changes = [];
  wholes = 0;
  warnings.length = 0;
});

afterEach(async () => {
  await marathons.stop();
  await main.stop();
  await eu.stop();
});

function follow(access: MarathonAccess = {}): void {
  marathons = new Marathons({
    sources: [
      { prefix: 'io.l5d.marathon', url: main.url, access: {} },
      { prefix: 'eu', url: eu.url, access },
    ],
    logger,
    changed: (names) => void changes.push(...names),
    whole: () => wholes++,
  });
  marathons.start();
}

test('the apps of the first have bare names, those of the others their prefix', async () => {
  follow();
  await eventually('both', () => wholes === 1);
  expect(changes.sort()).toEqual(['#eu/team/api', '#eu/web', 'web']);
  const idOf = (service: string) => marathons.app(service)?.instances[0]?.taskId;
  expect([idOf('web'), idOf('#eu/web'), idOf('#eu/team/api')]).toEqual(['main.web.1', 'eu.web.1', 'eu.api.1']);
  expect([idOf('team/api'), idOf('#us/web'), idOf('#eu/')]).toEqual([undefined, undefined, undefined]);
  expect([...marathons.namesOn('S1')].sort()).toEqual(['#eu/web', 'web']);
  expect(marathons.counters()).toMatchObject({ lists: 2, connections: 2 });
  expect([marathons.connected, marathons.synced]).toEqual([true, true]);
});

test('one that is away keeps its part, holds up no changes of the others, and is told of', async () => {
  follow();
  await eventually('both', () => wholes === 1);
  await eu.stop();
  await eventually('the loss', () => !marathons.connected);
  main.put('new', [{ id: 'new.1' }]);
  main.emit('status_update_event', { appId: '/new' });
  await eventually('what is new', () => marathons.app('new') !== undefined);
  expect(marathons.app('#eu/web')?.instances).toHaveLength(1);
  expect(marathons.statuses()).toMatchObject([
    { prefix: 'io.l5d.marathon', connected: true, reason: null },
    { prefix: 'eu', connected: false, synced: true },
  ]);
  expect(warnings).toContainEqual(expect.objectContaining({ marathon: 'eu' }));
});

test('the table is whole when all have been heard, and not before', async () => {
  await eu.stop();
  follow();
  await eventually('the first', () => marathons.app('web') !== undefined);
  await eventually('a failure', () => marathons.statuses()[1]?.reason !== null);
  expect([wholes, marathons.synced]).toEqual([0, false]);
  await eu.up();
  await eventually('both', () => wholes === 1);
});

test('each is asked with its own login, and says why it leaves something out', async () => {
  const seen: (string | undefined)[] = [];
  eu.script('/v2/apps?', (request, response) => {
    seen.push(request.headers.authorization);
    response.end(JSON.stringify({ apps: [{ id: '/odd', tasks: [{ id: 'o.1', state: 'TASK_RUNNING', ports: [1] }] }] }));
  });
  main.script('/v2/apps?', (request, response) => {
    seen.push(request.headers.authorization);
    response.end('{"apps":[]}');
  });
  follow({ authorization: basicAuthorization('dTpw') });
  await eventually('both', () => wholes === 1);
  expect(seen.sort()).toEqual(['Basic dTpw', undefined]);
  expect([...marathons.skipped()]).toEqual([['#eu/odd', 'task o.1 names no agent']]);
});
