/**
 * What a real master was recorded doing that a scheduler has to be ready for, each in its own words, with the core on the
 * local cluster's master. docs/mesos-cases.md lists all of them, and where each is tested.
 */
import { describe, expect, test } from 'vitest';
import { ClusterStory } from './cluster-story.ts';
import { Story } from './story.ts';

async function served(agents = 1): Promise<ClusterStory> {
  const cluster = await new ClusterStory().with();
  for (let index = 0; index < agents; index += 1) cluster.agent().join(cluster.master);
  await cluster.pass(5_000);
  expect(cluster.states()).toEqual(Array.from({ length: agents }, () => 'healthy'));
  return cluster;
}

const launches = (cluster: ClusterStory): number => cluster.story.state.counters.launches;
const updates = (cluster: ClusterStory): string[] =>
  cluster.heard.flatMap((event) => (event.type === 'UPDATE' ? [event.update.status.state] : []));

describe('lost agents and tasks', () => {
  test('UNREACHABLE is not final: RUNNING follows when the agent returns, and nothing was launched', async () => {
    const cluster = await served();
    const [agent] = cluster.agents;
    const before = cluster.tasks();
    agent?.cut();
    await cluster.pass(600_000);
    expect(updates(cluster)).toContain('TASK_UNREACHABLE');
    agent?.join(cluster.master);
    await cluster.pass(60_000);
    expect([cluster.states(), cluster.tasks(), launches(cluster)]).toEqual([['healthy'], before, 1]);
  });

  test('a KILL sent while the agent is unreachable is forgotten: it is sent again when the task is back', async () => {
    const cluster = await served();
    const [agent] = cluster.agents;
    const old = cluster.tasks();
    agent?.cut();
    await cluster.pass(10_000);
    const command = { plan: 'recovery', verb: 'restart', phase: 'nodes', step: agent?.id ?? '' } as const;
    cluster.tell({ type: 'order', id: 1, order: { kind: 'plan', command } });
    await cluster.pass(30_000);
    expect(cluster.calls('KILL').length).toBeGreaterThan(0);
    expect(cluster.tasks()).toEqual(old);
    agent?.join(cluster.master);
    await cluster.pass(120_000);
    expect(cluster.states()).toEqual(['healthy']);
    expect(cluster.tasks()).not.toEqual(old);
  });

  test('a LAUNCH to an agent that hangs may silently vanish: it is asked for, and launched anew when it is gone', async () => {
    const cluster = await new ClusterStory().with();
    const agent = cluster.agent();
    const run = agent.runTask.bind(agent);
    agent.runTask = () => {};
    agent.join(cluster.master);
    await cluster.pass(5_000);
    expect(cluster.states()).toEqual(['launching']);
    agent.runTask = run;
    agent.cut();
    await cluster.pass(10_000);
    agent.join(cluster.master);
    await cluster.pass(120_000);
    expect([cluster.states(), cluster.tasks().flat().length]).toEqual([['healthy'], 1]);
  });

  test('updates go backwards: RUNNING, then STARTING three times, then RUNNING', async () => {
    const cluster = await served();
    const [agent] = cluster.agents;
    const [[task]] = cluster.tasks() as [[never]];
    for (const state of ['TASK_STARTING', 'TASK_STARTING', 'TASK_STARTING', 'TASK_RUNNING'] as const) {
      agent?.report(task, state);
      await cluster.pass(100);
      expect(cluster.states()).toEqual(['healthy']);
    }
    expect(launches(cluster)).toBe(1);
  });

  test('an agent that shuts down gracefully gives TASK_LOST; RECONCILE then says TASK_UNKNOWN: it is gone in the end', async () => {
    const cluster = await served(2);
    const [agent] = cluster.agents;
    cluster.listsAgents = false;
    cluster.master.unregister(agent?.id ?? ('' as never));
    await cluster.pass(1_000);
    expect(updates(cluster).at(-1)).toMatch(/TASK_(LOST|UNKNOWN)/);
    await cluster.pass(300_000);
    expect(launches(cluster)).toBe(2);
    expect(cluster.states()[1]).toBe('healthy');
  });

  test('U20: FAILURE comes after the task updates, and changes nothing by itself', () => {
    const story = new Story();
    story.send.subscribed();
    const task = story.served('a');
    const actions = story.event({ type: 'agent-failure' });
    expect(actions.map((action) => action.type)).toContain('list-agents');
    story.send.offer('a');
    story.expects.nothingLaunched();
    expect(story.node('a')).toMatchObject({ state: 'healthy', taskId: task });
  });

  test('when a command executor dies there is only TASK_FAILED with REASON_EXECUTOR_TERMINATED: a new task follows', async () => {
    const cluster = await served();
    const [[task]] = cluster.tasks() as [[never]];
    cluster.agents[0]?.report(task, 'TASK_FAILED', { reason: 'REASON_EXECUTOR_TERMINATED' });
    await cluster.pass(5_000);
    expect([cluster.states(), launches(cluster)]).toEqual([['healthy'], 2]);
  });
});

describe('what the framework asks for itself', () => {
  test('with `checkpoint: false` tasks are lost the moment that the socket drops: ours are not', async () => {
    const cluster = await served();
    cluster.agents[0]?.cut();
    await cluster.pass(1_000);
    expect(updates(cluster)).not.toContain('TASK_LOST');
    expect(cluster.states()).toEqual(['healthy']);
    const [framework] = cluster.master.context.frameworks.all();
    expect(framework?.info).toMatchObject({ checkpoint: true, failover_timeout: 604_800 });
  });

  test('after TEARDOWN a task would live on for its grace period: an uninstall kills all tasks before it', async () => {
    const cluster = await served(2);
    cluster.restart({ uninstall: true });
    await cluster.pass(60_000);
    expect(cluster.uninstalled).toBe(true);
    const types = cluster.called.map((call) => call.type);
    expect(types.lastIndexOf('KILL')).toBeLessThan(types.indexOf('TEARDOWN'));
  });

  test('a `kill_policy` in a KILL counts for nothing: it is in the task, and no KILL has one', async () => {
    const cluster = await served();
    const [held] = [...(cluster.agents[0]?.tasks.values() ?? [])];
    expect(held?.task.kill_policy).toEqual({ grace_period: { nanoseconds: 5e9 } });
    const command = { plan: 'recovery', verb: 'restart', phase: 'nodes', step: cluster.agents[0]?.id ?? '' } as const;
    cluster.tell({ type: 'order', id: 1, order: { kind: 'plan', command } });
    await cluster.pass(5_000);
    const kills = cluster.called.flatMap((call) => (call.type === 'KILL' ? [Object.keys(call.kill)] : []));
    expect(kills).toEqual([['task_id', 'agent_id']]);
  });
});

describe('updates and kills', () => {
  test('one bad task in a LAUNCH gets TASK_ERROR, the others run: so is one bad agent among many', async () => {
    const cluster = await new ClusterStory().with();
    const agents = [1, 2, 3].map(() => cluster.agent());
    const { template } = cluster.story;
    cluster.story.template = (agent, goal) => {
      const fine = template(agent, goal);
      return agent === agents[1]?.id ? { ...fine, killGraceSeconds: -1 } : fine;
    };
    for (const agent of agents) agent.join(cluster.master);
    await cluster.pass(10_000);
    expect([cluster.states()[0], cluster.states()[2]]).toEqual(['healthy', 'healthy']);
    expect(cluster.story.node(agents[1]?.id ?? '')?.reason).toMatch(/The last task error \(.*must be non-negative/);
    expect(updates(cluster).filter((state) => state === 'TASK_ERROR').length).toBeGreaterThan(1);
  });

  test('wrong and repeated acknowledgements get 202 and are ignored: an update that comes twice is acknowledged twice', async () => {
    const cluster = await served();
    const [agent] = cluster.agents;
    const [[task]] = cluster.tasks() as [[never]];
    const uuid = 'AAAAAAAAAAAAAAAAAAAAAA==';
    for (let time = 0; time < 2; time += 1) agent?.report(task, 'TASK_RUNNING', { uuid });
    await cluster.pass(1_000);
    const acknowledged = cluster.called.filter((call) => call.type === 'ACKNOWLEDGE' && call.acknowledge.uuid === uuid);
    expect(acknowledged).toHaveLength(2);
    expect(cluster.states()).toEqual(['healthy']);
  });

  test('every update with a uuid is acknowledged, so no task looks stuck behind its oldest update', async () => {
    const cluster = await served();
    const [agent] = cluster.agents;
    const [[task]] = cluster.tasks() as [[never]];
    for (let round = 0; round < 5; round += 1) agent?.report(task, 'TASK_RUNNING');
    await cluster.pass(1_000);
    expect([...(agent?.tasks.values() ?? [])].flatMap((one) => one.queue)).toEqual([]);
  });

  test('ACCEPT is always 202: an invalid offer gives TASK_DROPPED, and the next offer is used', async () => {
    const cluster = await new ClusterStory().with();
    const agent = cluster.agent();
    cluster.listsAgents = false;
    const offered = cluster.story.offer('stranger', {});
    cluster.tell({ type: 'offers', offers: [offered] });
    await cluster.pass(5_000);
    expect(updates(cluster).at(-1)).toBe('TASK_DROPPED');
    expect(cluster.story.node('stranger')?.state).toBe('pending');
    agent.join(cluster.master);
    await cluster.pass(5_000);
    expect(cluster.states()).toEqual(['healthy']);
  });

  test('U11: a KILL of an unknown task is answered, and no loop of kills follows', async () => {
    const cluster = await served();
    const agent = cluster.agents[0]?.id;
    const status = {
      task_id: { value: 'ghost' as never },
      agent_id: { value: agent ?? ('' as never) },
      state: 'TASK_RUNNING',
      reason: 'REASON_RECONCILIATION',
      source: 'SOURCE_MASTER',
    } as const;
    cluster.tell({ type: 'update', status });
    await cluster.pass(900_000);
    expect(cluster.calls('KILL').length).toBe(1);
  });

  test('a health-check kill is TASK_KILLED with no reason: it counts as a failure, for it was not told to go', () => {
    const story = new Story();
    story.send.subscribed();
    const task = story.served('a');
    story.send.update(task, 'TASK_KILLED', { healthy: false });
    expect(story.disk.get('a')?.failures).toBe(1);
  });
});

describe('a master failover', () => {
  test('U15 F5: after a restart RECONCILE gets no answer until the agents are back: silence is never loss', async () => {
    const cluster = await served(2);
    const before = cluster.tasks();
    for (const agent of cluster.agents) agent.cut();
    cluster.failover();
    cluster.subscribe();
    await cluster.pass(590_000);
    expect(launches(cluster)).toBe(2);
    for (const agent of cluster.agents) agent.join(cluster.master);
    await cluster.pass(60_000);
    expect([cluster.states(), cluster.tasks(), launches(cluster)]).toEqual([['healthy', 'healthy'], before, 2]);
  });
});

describe('offers and maintenance', () => {
  test('SUPPRESS is never sent, so it never hides a new agent', async () => {
    const cluster = await served(3);
    await cluster.pass(600_000);
    expect(cluster.calls('SUPPRESS')).toEqual([]);
  });

  test('every change of the maintenance schedule re-sends offers on all agents: each is answered, and no storm follows', async () => {
    const cluster = await served(5);
    const { hostname, ip } = cluster.agents[0]?.description ?? { hostname: '', ip: '' };
    const start = { nanoseconds: (cluster.clock.now() + 3_600_000) * 1e6 };
    const windows = [{ machine_ids: [{ hostname, ip }], unavailability: { start } }];
    const before = cluster.called.length;
    for (const schedule of [windows, [], windows, []]) {
      cluster.master.operate({ type: 'UPDATE_MAINTENANCE_SCHEDULE', windows: schedule });
      await cluster.pass(2_000);
    }
    expect(cluster.calls('ACCEPT_INVERSE_OFFERS').length).toBeGreaterThan(0);
    expect(cluster.calls('KILL')).toEqual([]);
    expect(cluster.called.length - before).toBeLessThan(50);
    await cluster.pass(60_000);
    expect(cluster.states()).toEqual(Array.from({ length: 5 }, () => 'healthy'));
  });

  test('START_MAINTENANCE makes the agent process exit: the task is lost, and is back with the machine', async () => {
    const cluster = await served(2);
    const [agent] = cluster.agents;
    const { hostname, ip } = agent?.description ?? { hostname: '', ip: '' };
    const machines = [{ hostname, ip }];
    const unavailability = { start: { nanoseconds: cluster.clock.now() * 1e6 } };
    cluster.master.operate({
      type: 'UPDATE_MAINTENANCE_SCHEDULE',
      windows: [{ machine_ids: machines, unavailability }],
    });
    cluster.master.operate({ type: 'START_MAINTENANCE', machines });
    await cluster.pass(300_000);
    expect(cluster.states()[1]).toBe('healthy');
    cluster.master.operate({ type: 'STOP_MAINTENANCE', machines });
    agent?.join(cluster.master);
    await cluster.pass(120_000);
    expect(cluster.states()).toEqual(['healthy', 'healthy']);
  });

  test('U21: DRAIN_AGENT takes the task away without a penalty; REACTIVATE_AGENT brings it back', async () => {
    const cluster = await served();
    const agentId = cluster.agents[0]?.id ?? ('' as never);
    const order = { maxGraceSeconds: null, markGone: false };
    cluster.master.operate({ type: 'DRAIN_AGENT', agentId, order });
    await cluster.pass(600_000);
    expect([cluster.states(), cluster.tasks().flat()]).toEqual([['draining'], []]);
    cluster.master.operate({ type: 'REACTIVATE_AGENT', agentId });
    await cluster.pass(30_000);
    expect(cluster.states()).toEqual(['healthy']);
    expect(cluster.story.disk.get(agentId)?.failures).toBe(0);
  });
});
