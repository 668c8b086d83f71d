import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createFramework,
  type Framework,
  type FrameworkOptions,
  fixedMaster,
  openFileStore,
  type StateStore,
  StateStoreError,
} from '../../framework/index.ts';
import { frameworkId } from '../../framework/mesos-http-client/messages.ts';
import { MiniMesos } from './mini-mesos.ts';
import { frameworkOptions } from './options.ts';
import { template } from './story.ts';

let mesos: MiniMesos;
let directory: string;
let store: StateStore;
let framework: Framework;
let fatal: Error[];
const changed = new Set<string>();

/** A scheduler whose tasks are healthy as soon as they are known. */
async function startScheduler(more: Partial<FrameworkOptions> = {}): Promise<void> {
  store = await openFileStore(directory);
  framework = createFramework(
    frameworkOptions({
      masters: fixedMaster(mesos.url),
      store,
      task: () => ({ ...template, ports: [4140, 4141, 9990] }),
      changed: (agentId) => {
        changed.add(agentId);
        const node = framework.node(agentId);
        if (node?.taskId != null && node.reason?.includes('not reported its health')) {
          framework.reportHealth(node.taskId, { healthy: true });
        }
      },
      fatal: (error) => fatal.push(error),
      ...more,
    }),
  );
  await framework.start();
}

async function stopScheduler(): Promise<void> {
  await framework.stop();
  await store.close();
}

async function until(what: string, condition: () => boolean, seconds = 5): Promise<number> {
  const from = performance.now();
  while (!condition()) {
    if (performance.now() - from > seconds * 1000) {
      throw new Error(`not within ${seconds} s: ${what}; ${JSON.stringify(framework.nodes())}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - from;
}

const allHealthy = (count: number) => () => {
  const nodes = framework.nodes();
  return nodes.length === count && nodes.every((node) => node.state === 'healthy');
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'framework-'));
  fatal = [];
  changed.clear();
  mesos = new MiniMesos();
  await mesos.start();
  for (const isPublic of [false, false, true]) mesos.addAgent(isPublic);
  await startScheduler();
  await until('every node healthy', allHealthy(3));
});

afterEach(async () => {
  await stopScheduler();
  await mesos.stop();
  await rm(directory, { recursive: true });
});

const tasksNow = () => mesos.agents.map((agent) => [...agent.running.keys()]);

describe('against the miniature master', () => {
  test('every agent, private and public, gets one task', () => {
    expect(tasksNow().map((tasks) => tasks.length)).toEqual([1, 1, 1]);
    expect(framework.nodes().map((node) => node.isPublic)).toEqual([false, false, true]);
    expect(framework.nodes().map((node) => node.ip)).toEqual(['127.0.34.1', '127.0.34.2', '127.0.34.3']);
    expect(changed.size).toBe(3);
    expect(framework.counters()).toMatchObject({ launches: 3, subscriptions: 1, reconciliations: 1 });
  });

  test('a task that dies is replaced within a second', async () => {
    const [agent] = mesos.agents;
    const old = agent?.onlyTask;
    if (agent === undefined || old === undefined) throw new Error('no task');
    agent.fail(old);
    const took = await until('a new task', () => agent.onlyTask !== undefined && agent.onlyTask !== old);
    await until('all healthy', allHealthy(3));
    // Three times what is promised: other tests run beside this one.
    expect(took).toBeLessThan(3_000);
    expect(agent.most).toBe(1);
  });

  test('F13: an agent that joins is served, one that is marked gone is forgotten', async () => {
    const agent = mesos.addAgent();
    await until('four healthy nodes', allHealthy(4));
    if (agent.id === null) throw new Error('not registered');
    mesos.master?.markAgentGone(agent.id);
    await until('three nodes', allHealthy(3));
    // The record follows the event.
    await expect.poll(async () => (await store.list('agents')).length, { timeout: 15_000 }).toBe(3);
  });

  test('an agent that is cut off is lost, and has the same task when it returns', async () => {
    const [agent] = mesos.agents;
    const task = agent?.onlyTask;
    const lost = () => framework.nodes().find((node) => node.agentId === agent?.id)?.state === 'lost';
    agent?.cut();
    await until('lost', lost);
    agent?.connect();
    await until('all healthy', allHealthy(3));
    expect(agent?.onlyTask).toBe(task);
    expect(agent?.launches).toBe(1);
  });

  test('F4: a master failover ends in a new subscription, and launches nothing', async () => {
    const before = tasksNow();
    await mesos.failover(700);
    await until('subscribed', () => framework.counters().subscriptions === 2 && framework.subscribed());
    await until('all healthy', allHealthy(3));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(tasksNow()).toEqual(before);
    expect(mesos.agents.map((agent) => agent.launches)).toEqual([1, 1, 1]);
  });

  test('a new scheduler with the same store has the same id and the same tasks', async () => {
    const [id, before] = [framework.frameworkId(), tasksNow()];
    await stopScheduler();
    await startScheduler();
    expect(framework.nodes()).toHaveLength(3);
    await until('all healthy', allHealthy(3));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(framework.frameworkId()).toBe(id);
    expect(tasksNow()).toEqual(before);
    expect(mesos.agents.map((agent) => agent.launches)).toEqual([1, 1, 1]);
  });

  test('a task that dies while the scheduler is away is replaced when it is back', async () => {
    const [agent] = mesos.agents;
    const task = agent?.onlyTask;
    await stopScheduler();
    if (task !== undefined) agent?.fail(task);
    await startScheduler();
    await until('all healthy', allHealthy(3));
    expect(agent?.onlyTask).not.toBe(task);
    expect(agent?.most).toBe(1);
  });

  test('F2: a second scheduler with the same id ends the first one, with a sentence that says so', async () => {
    const other = await mkdtemp(join(tmpdir(), 'framework-'));
    const [first, firstStore] = [framework, store];
    const stolen = await openFileStore(other);
    await stolen.put('framework', { frameworkId: first.frameworkId() }, null);
    await stolen.close();
    const home = directory;
    directory = other;
    await startScheduler();
    await until('the first one told', () => fatal.length === 1);
    expect(fatal[0]?.message).toMatch(/another scheduler has subscribed as framework .*: stop one of the two/);
    await first.stop();
    await firstStore.close();
    await rm(home, { recursive: true });
  });

  test('F3: a removed framework is fatal, with a sentence that says what to do', async () => {
    const id = framework.frameworkId();
    await stopScheduler();
    const { info } = mesos.master?.context.frameworks.get(frameworkId(id ?? '')) ?? {};
    if (info === undefined) throw new Error('unknown to the master');
    const torn = mesos.master?.subscribe(
      { type: 'SUBSCRIBE', framework_id: { value: frameworkId(id ?? '') }, subscribe: { framework_info: info } },
      { event: () => {}, closed: () => {} },
    );
    if (torn === undefined || !('call' in torn)) throw new Error('refused');
    torn.call({ type: 'TEARDOWN' });
    await startScheduler();
    await until('told', () => fatal.length === 1);
    expect(fatal[0]?.message).toMatch(/has removed the framework .* empty the state store and start again/);
  });

  test('a record that cannot be understood is one line that names it', async () => {
    await stopScheduler();
    const other = await openFileStore(directory);
    const [key = ''] = await other.list('agents');
    await other.put(key, { agentId: 7 }, (await other.get(key))?.version ?? null);
    await other.close();
    const failure = startScheduler();
    await expect(failure).rejects.toThrow(StateStoreError);
    await expect(failure).rejects.toThrow(
      new RegExp(`^state record ${key} was not written by this version of the scheduler .*agentId`),
    );
  });

  test('an event that cannot be worked on is fatal, with a sentence that names it, and rejects nowhere', async () => {
    await stopScheduler();
    mesos.addAgent();
    const unprintable: unknown = Object.create(null);
    await startScheduler({
      task: () => {
        throw unprintable;
      },
    });
    await until('told', () => fatal.length === 1);
    expect(fatal[0]?.message).toMatch(/^the framework failed while it worked on an event of type offers \(.*start the/);
    expect(fatal[0]?.cause).toBeInstanceOf(TypeError);
    expect(framework.subscribed()).toBe(false);
  });

  test('a store that another process wrote to is fatal', async () => {
    const key = (await store.list('agents'))[0] ?? '';
    const found = await store.get(key);
    await store.put(key, found?.value, found?.version ?? null);
    const agent = mesos.agents.find((one) => key.endsWith(one.id ?? '?'));
    if (agent?.onlyTask !== undefined) agent.fail(agent.onlyTask);
    await until('told', () => fatal.length === 1);
    expect(fatal[0]?.message).toMatch(/Only one scheduler may use a state store/);
  });
});
