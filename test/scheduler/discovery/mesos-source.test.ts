/** The second source beside a master: the local cluster's, over HTTP, with frameworks that run tasks. */
import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeRecord, fixedMaster, type MasterSource } from '../../../framework/mesos-http-client/index.ts';
import { taskId } from '../../../framework/mesos-http-client/messages.ts';
import { MesosSource } from '../../../scheduler/discovery/mesos-source.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { figure } from '../../fixtures/measure.ts';
import { SmallFramework } from '../../fixtures/small-framework.ts';
import { ScriptedMaster, TestSource } from '../../framework/mesos-http-client/scripted-master.ts';
import { MiniMesos } from '../../framework/mini-mesos.ts';
import { subscribed, task, updated } from './mesos-tasks.ts';

const NAME = '#io.nodemesh.mesos/hello-world/node';
let mesos: MiniMesos;
let source: MesosSource;
let frameworks: SmallFramework[];
let ended: string[];
let changed: string[];
let logs: string[];
let quiet: string[];

beforeEach(async () => {
  mesos = new MiniMesos();
  await mesos.start();
  [ended, changed, logs, frameworks] = [[], [], [], []];
  quiet = [];
  source = sourceOf(fixedMaster(mesos.url));
});

function sourceOf(masters: MasterSource): MesosSource {
  const log = (_fields: object, message: string): void => void logs.push(message);
  return new MesosSource({
    access: { masters },
    known: { ownName: 'nodemesh', marathons: [] },
    logger: { debug: (_fields, message) => void quiet.push(message), info: log, warn: log },
    changed: (names) => void changed.push(...names),
    taskEnded: (taskId, agentId) => void ended.push(`${taskId} on ${agentId}`),
  });
}

afterEach(async () => {
  source.stop();
  for (const framework of frameworks) framework.close();
  await mesos.stop();
});

function use(name: string): SmallFramework {
  const framework = new SmallFramework(name, mesos.url);
  frameworks.push(framework);
  return framework;
}

const shown = (): string[] =>
  (source.service(NAME)?.endpoints ?? []).map(
    ({ instance, address, port, state }) => `${instance} ${address}:${port} ${state}`,
  );

describe('the operator stream of a master', () => {
  test('tells of tasks that run, that are lost, that come back, and that end', async () => {
    const first = mesos.addAgent();
    const second = mesos.addAgent();
    const hello = use('hello-world');
    await hello.launch('a', '127.0.34.1', 4_001);
    await eventually('it runs', () => first.running.size === 1);
    source.start();
    await eventually('the snapshot', () => source.connected);
    await eventually('the first', () => shown().join() === 'a 127.0.34.1:4001 ready');
    await hello.launch('b', '127.0.34.2', 4_002);
    await eventually('both', () => shown().join() === 'a 127.0.34.1:4001 ready,b 127.0.34.2:4002 ready');
    expect(changed).toContain(NAME);

    second.cut();
    await eventually('the loss', () => shown()[1] === 'b 127.0.34.2:4002 suspect');
    second.connect();
    await eventually('the return', () => shown()[1] === 'b 127.0.34.2:4002 ready');
    second.fail(taskId('b'));
    await eventually('the end', () => shown().length === 1);
    expect(ended).toEqual([]);
    expect(logs).toEqual(['the operator stream of Mesos is in place']);
  });

  test('gives a second look at the tasks of Marathon, and none while there is no stream', async () => {
    const agent = mesos.addAgent();
    const marathon = use('marathon');
    const agentId = await eventually('the agent', () => agent.id ?? undefined);
    source.start();
    await marathon.launch('web.1', '127.0.34.1', 4_001);
    await eventually('it is known', () => source.isGone('web.1', agentId) === 'alive');
    await marathon.launch('web.2', '127.0.34.1', 4_002);
    await eventually('it is known too', () => source.isGone('web.2', agentId) === 'alive');
    expect(source.names()).toEqual([]);
    expect(source.tasks()).toEqual({ named: 0, marathon: 2, other: 0 });

    agent.fail(taskId('web.1'));
    await eventually('the end', () => source.isGone('web.1', agentId) === 'gone');
    expect(ended).toEqual([`web.1 on ${agentId}`]);
    expect(source.isGone('web.2', agentId)).toBe('alive');

    const gap = mesos.failover(200);
    await eventually('the loss of the master', () => !source.connected);
    expect(['web.1', 'web.2'].map((id) => source.isGone(id, agentId))).toEqual(['unknown', 'unknown']);
    await gap;
    await eventually('the next', () => source.isGone('web.2', agentId) === 'alive', 10_000);
    expect(source.isGone('web.1', agentId)).toBe('gone');
    expect(ended).toEqual([`web.1 on ${agentId}`]);
    expect(logs).toContain('the operator stream of Mesos is down; its services stay as they are');
  });
});

test('20,000 tasks are taken in without holding up the loop for 200 ms, and what follows waits for them', async () => {
  const master = await new ScriptedMaster().start();
  // As long as a task of the SDK is, 1.3 kB.
  const labels = { labels: [{ key: 'offer_attributes', value: 'x'.repeat(800) }] };
  const tasks = Array.from({ length: 20_000 }, (_, index) =>
    task(`t-${index}`, { name: `node-${index % 1_000}`, labels }),
  );
  const record = encodeRecord(JSON.stringify(subscribed({ tasks })));
  expect(record.length).toBeGreaterThan(25_000_000);
  master.onSubscribe = (_received, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(record);
    master.write(updated('t-0', 'TASK_KILLED'), response);
  };
  source.stop();
  source = sourceOf(fixedMaster(master.url));
  // On a busy machine a turn lasts as long as others have the processor: what counts is what it used itself.
  const now = (): { ms: number; used: number } => {
    const { user, system } = process.cpuUsage();
    return { ms: performance.now(), used: (user + system) / 1_000 };
  };
  let last = now();
  let longest = 0;
  const tick = (): void => {
    const next = now();
    longest = Math.max(longest, Math.min(next.ms - last.ms, next.used - last.used));
    last = next;
  };
  const ticking = setInterval(tick, 5);
  const beganAt = performance.now();
  source.start();
  await eventually('the last service', () => new Set(changed).size === 1_000, 60_000);
  clearInterval(ticking);
  tick();
  figure('20000 tasks of Mesos, 28 MB: taken in', performance.now() - beganAt, 'ms');
  figure('20000 tasks of Mesos: longest turn of the loop', longest, 'ms');
  expect(longest).toBeLessThan(200);
  expect(source.tasks()).toEqual({ named: 19_999, marathon: 0, other: 0 });
  source.stop();
  await master.stop();
}, 70_000);

test('a snapshot of a master that was left meanwhile is not taken over', async () => {
  const old = await new ScriptedMaster().start();
  const next = await new ScriptedMaster().start();
  const tells = (master: ScriptedMaster, tasks: readonly object[]) => {
    master.onSubscribe = (_received, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      master.streams.push(response);
      master.write(subscribed({ tasks }));
    };
  };
  // Long enough to be left in the middle of.
  tells(
    old,
    Array.from({ length: 4_000 }, (_, index) => task(`t-${index}`)),
  );
  tells(next, [task('a', { name: 'node' })]);
  const masters = new TestSource(old.url);
  source.stop();
  source = sourceOf(masters);
  source.start();
  await eventually('the beginning', () => source.counters().events['SUBSCRIBED'] === 1, 10_000);
  expect(source.connected).toBe(false);
  masters.become(next.url);
  await eventually('the next', () => source.connected);
  // Each round gives the old one, were it still at work, another slice of it.
  for (let round = 0; round < 200; round += 1) await immediate();
  expect(source.names()).toEqual([NAME]);
  expect(source.counters().connections).toBe(1);
  await old.stop();
  source.stop();
  await next.stop();
});

test('a master that gives no stream is complained of once', async () => {
  await mesos.stop();
  source.start();
  await eventually('more attempts', () => quiet.length >= 2);
  expect(logs).toEqual(['Mesos gives no operator stream: services of other frameworks are not found; trying again']);
  await mesos.start();
});
