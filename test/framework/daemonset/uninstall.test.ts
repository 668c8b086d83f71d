import { describe, expect, test } from 'vitest';
import { ClusterStory } from '../cluster-story.ts';
import { listed } from '../sketches.ts';
import { Story } from '../story.ts';

async function served(agents: number): Promise<ClusterStory> {
  const cluster = await new ClusterStory().with();
  for (let index = 0; index < agents; index += 1) cluster.agent().join(cluster.master);
  await cluster.pass(5_000);
  expect(cluster.states()).toEqual(Array.from({ length: agents }, () => 'healthy'));
  return cluster;
}

const status = (cluster: ClusterStory): string => cluster.story.plan('deploy').status;

function expectNothingLeft(cluster: ClusterStory, after?: number): void {
  expect(cluster.uninstalled, after === undefined ? '' : `killed after ${after} actions`).toBe(true);
  expect(cluster.tasks().flat()).toEqual([]);
  expect(cluster.agents.flatMap((agent) => agent.checkpointed)).toEqual([]);
  expect(cluster.calls('TEARDOWN')).toHaveLength(1);
  expect(cluster.story.disk.size).toBe(0);
  expect(cluster.story.diskFramework?.mode).toBe('gone');
  expect(status(cluster)).toBe('COMPLETE');
}

describe('R16: an uninstall', () => {
  test('kills, gives back, and removes the framework, and shows how far it is', async () => {
    const cluster = await served(3);
    cluster.restart({ uninstall: true });
    expect(status(cluster)).toBe('IN_PROGRESS');
    await cluster.pass(60_000);
    expectNothingLeft(cluster);
    const order = cluster.called.map((call) => call.type);
    expect(order.lastIndexOf('KILL')).toBeLessThan(order.indexOf('TEARDOWN'));
    expect(order.lastIndexOf('ACCEPT')).toBeLessThan(order.indexOf('TEARDOWN'));
  });

  test.each([0, 10, 500, 1_000, 1_500, 2_000, 3_000, 5_000, 8_000])(
    'goes on after a restart %i ms later, even one that does not ask for it',
    async (ms) => {
      const cluster = await served(3);
      cluster.restart({ uninstall: true });
      await cluster.pass(ms);
      if (!cluster.uninstalled) cluster.restart();
      await cluster.pass(60_000);
      expectNothingLeft(cluster);
    },
  );

  test('ends, killed after any of its actions, and started again', async () => {
    let count = 0;
    for (let isWhole = false; !isWhole; count += 1) {
      const cluster = await served(2);
      cluster.actionsLeft = count;
      cluster.restart({ uninstall: true });
      await cluster.pass(20_000);
      isWhole = !cluster.isDead;
      if (!isWhole) {
        cluster.actionsLeft = Number.POSITIVE_INFINITY;
        cluster.restart({ uninstall: true });
        await cluster.pass(20_000);
      }
      expectNothingLeft(cluster, count);
    }
    // KILL and UNRESERVE of both, and what is asked and acknowledged between.
    expect(count).toBeGreaterThan(40);
  });

  test('R17: waits for an agent that is unreachable, and goes on when it is back', async () => {
    const cluster = await served(2);
    cluster.agents[0]?.cut();
    await cluster.pass(10_000);
    cluster.restart({ uninstall: true });
    await cluster.pass(600_000);
    expect([cluster.uninstalled, status(cluster)]).toEqual([false, 'IN_PROGRESS']);
    cluster.agents[0]?.join(cluster.master);
    await cluster.pass(120_000);
    expectNothingLeft(cluster);
  });

  test('R17: leaves an unreachable agent behind when the operator says so', async () => {
    const cluster = await served(2);
    const [lost] = cluster.agents;
    lost?.cut();
    await cluster.pass(10_000);
    cluster.restart({ uninstall: true });
    await cluster.pass(60_000);
    const step = lost?.id ?? '';
    const where = { plan: 'deploy', phase: 'kill-tasks', step };
    cluster.tell({ type: 'order', id: 1, order: { kind: 'plan', command: { ...where, verb: 'forceComplete' } } });
    await cluster.pass(60_000);
    expect([cluster.uninstalled, status(cluster)]).toEqual([true, 'COMPLETE']);
  });

  test('waits for an agent whose task is dead and whose place is still held', () => {
    const story = new Story();
    story.send.subscribed();
    const task = story.served('a');
    story.restart({ uninstall: true });
    story.send.subscribed();
    story.send.update(task, 'TASK_KILLED');
    story.send.agents();
    story.after(600_000);
    expect(story.takeCalls('TEARDOWN')).toEqual([]);
    story.send.agentList([listed('a', { holdsOurs: false })]);
    expect(story.takeCalls('TEARDOWN')).toHaveLength(1);
  });

  test('waits for what is held on an agent that had been forgotten, came back, and offers nothing', () => {
    const story = new Story();
    story.send.subscribed();
    const task = story.served('a');
    story.send.agents();
    for (let at = 0; at <= 60; at += 10) {
      story.send.reconciled(task, 'TASK_UNKNOWN');
      story.after(10_000);
    }
    story.expects.noNode('a');
    story.send.agentAdded('a');
    story.send.reconciled(task, 'TASK_RUNNING');
    story.restart({ uninstall: true });
    story.send.subscribed();
    // It is deactivated, and no list of agents can be had.
    story.send.update(task, 'TASK_KILLED');
    story.after(600_000);
    expect(story.takeCalls('TEARDOWN')).toEqual([]);
    story.send.agentList([listed('a', { holdsOurs: false })]);
    expect(story.takeCalls('TEARDOWN')).toHaveLength(1);
  });

  test('that finds something while it listens is not awake all the time until that is gone', () => {
    const story = new Story();
    story.send.subscribed();
    story.restart({ uninstall: true });
    story.send.subscribed();
    story.send.reconciled('a-task-1', 'TASK_RUNNING', 'a');
    story.send.agents('a');
    const before = story.ticks;
    story.after(60_000);
    expect(story.ticks - before).toBeLessThan(60);
    expect(story.takeCalls('TEARDOWN')).toEqual([]);
  });

  test('takes no orders but forceComplete, and cannot be frozen', async () => {
    const cluster = await served(1);
    cluster.restart({ uninstall: true });
    expect(cluster.story.send.freeze(true)).toBe('invalid');
  });
});
