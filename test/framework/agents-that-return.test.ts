/** Agents that come back as another one, or to a scheduler that was started with other options, on the local cluster's master. */
import { describe, expect, test } from 'vitest';
import { parseConstraint } from '../../framework/offers/constraints.ts';
import type { StandInAgent } from '../local-cluster/master/support/stand-in-agent.ts';
import { ClusterStory, resourcesOf } from './cluster-story.ts';

async function served(cluster = new ClusterStory()): Promise<{ cluster: ClusterStory; agent: StandInAgent }> {
  await cluster.with();
  const agent = cluster.agent().join(cluster.master);
  await cluster.pass(3_000);
  expect(cluster.states()).toEqual(['healthy']);
  return { cluster, agent };
}

const launches = (cluster: ClusterStory): number => cluster.story.state.counters.launches;

/** The machine is set up anew: another id at the same address, and nothing of the old tasks. */
function reborn(cluster: ClusterStory, agent: StandInAgent): void {
  agent.id = null;
  agent.tasks.clear();
  agent.checkpointed = [];
  agent.join(cluster.master);
}

describe('a machine that comes back under a new agent id', () => {
  test('U25 F7: while the old one is unreachable: it is served at once, and the old one stays lost while Mesos speaks of it', async () => {
    const { cluster, agent } = await served();
    const old = agent.id ?? '';
    agent.cut();
    await cluster.pass(10_000);
    expect(cluster.story.node(old)?.state).toBe('lost');
    reborn(cluster, agent);
    await cluster.pass(5_000);
    expect(cluster.states()).toEqual(['healthy']);
    expect(agent.id).not.toBe(old);
    await cluster.pass(300_000);
    expect(cluster.story.node(old)).toMatchObject({ state: 'lost', reason: expect.stringMatching(/unreachable/) });
    expect([cluster.tasks().flat().length, launches(cluster)]).toEqual([1, 2]);
  });

  test('U7: LOST with AGENT_REMOVED is asked about, and the new id at the same host is served', async () => {
    const { cluster, agent } = await served();
    const [[task]] = cluster.tasks() as [[never]];
    const old = agent.id ?? '';
    const asked = (): boolean =>
      cluster.called.some(
        (call) => call.type === 'RECONCILE' && call.reconcile.tasks.some((one) => one.task_id.value === task),
      );
    cluster.called.length = 0;
    reborn(cluster, agent);
    await cluster.pass(5_000);
    const told = cluster.heard.flatMap((event) => (event.type === 'UPDATE' ? [event.update.status] : []));
    expect(told.find((status) => status.task_id.value === task && status.state === 'TASK_LOST')?.reason).toBe(
      'REASON_AGENT_REMOVED',
    );
    expect([asked(), cluster.states()]).toEqual([true, ['healthy']]);
    await cluster.pass(300_000);
    cluster.story.expects.noNode(old);
  });

  test.each([true, false])('hostname:UNIQUE: the new one has the place at once (list of agents: %s)', async (lists) => {
    const cluster = new ClusterStory({ constraints: [parseConstraint('hostname:UNIQUE')] });
    cluster.listsAgents = lists;
    const { agent } = await served(cluster);
    const old = agent.id ?? '';
    reborn(cluster, agent);
    await cluster.pass(5_000);
    expect(cluster.states()).toEqual(['healthy']);
    await cluster.pass(600_000);
    expect([cluster.states(), cluster.tasks().flat().length]).toEqual([['healthy'], 1]);
    cluster.story.expects.noNode(old);
  });

  test('hostname:UNIQUE: another agent of the same name waits for the end of a lost one', async () => {
    const { cluster, agent } = await served(new ClusterStory({ constraints: [parseConstraint('hostname:UNIQUE')] }));
    const other = cluster.agent();
    Object.assign(other.description, { hostname: agent.description.hostname });
    agent.cut();
    await cluster.pass(10_000);
    other.join(cluster.master);
    await cluster.pass(60_000);
    expect(cluster.states()).toEqual(['lost', 'excluded']);
    agent.join(cluster.master);
    await cluster.pass(60_000);
    expect(cluster.states()).toEqual(['healthy', 'excluded']);
  });
});

describe('F14: an agent that is gone for good', () => {
  test('by the word of the operator is forgotten at once, and is no step of a plan any more', async () => {
    const { cluster, agent } = await served();
    const other = cluster.agent().join(cluster.master);
    await cluster.pass(5_000);
    expect(Object.keys(cluster.story.steps('deploy'))).toHaveLength(2);
    cluster.master.operate({ type: 'MARK_AGENT_GONE', agentId: agent.id ?? ('' as never) });
    await cluster.pass(1_000);
    cluster.story.expects.noNode(agent.id ?? '');
    expect(Object.keys(cluster.story.steps('deploy'))).toEqual([other.id]);
  });
});

describe('another --role than before', () => {
  const OTHER = { roles: ['mesh', 'slave_public/mesh'] };
  const roles = (agent: StandInAgent): (string | undefined)[] => [
    ...new Set(agent.checkpointed.flatMap(({ reservations }) => (reservations ?? []).map(({ role }) => role))),
  ];

  test('the task lives on; when it ends, what was held is given back, and the next is launched in the new role', async () => {
    const { cluster, agent } = await served();
    expect(roles(agent)).toEqual(['nodemesh']);
    const before = cluster.tasks();
    cluster.restart({ settings: OTHER });
    await cluster.pass(60_000);
    expect([cluster.states(), cluster.tasks(), roles(agent)]).toEqual([['healthy'], before, ['nodemesh']]);
    const [[task]] = before as [[never]];
    agent.report(task, 'TASK_FAILED');
    await cluster.pass(30_000);
    expect([cluster.states(), roles(agent)]).toEqual([['healthy'], ['mesh']]);
    expect(cluster.story.disk.get(agent.id ?? '')?.reserved).toBe('mesh');
  });

  test('what is held for an agent without a task is given back, on a public agent too', async () => {
    const cluster = await new ClusterStory().with();
    const agent = cluster.agent(resourcesOf('slave_public')).join(cluster.master);
    await cluster.pass(3_000);
    expect(roles(agent)).toEqual(['slave_public', 'slave_public/nodemesh']);
    const [[task]] = cluster.tasks() as [[never]];
    // It dies while no scheduler is there to put another one in its place.
    agent.onRun = (run) => agent.report(run.task_id.value, 'TASK_FAILED');
    agent.report(task, 'TASK_FAILED');
    await cluster.pass(1_000);
    cluster.restart({ settings: OTHER });
    agent.onRun = (run) => agent.report(run.task_id.value, 'TASK_RUNNING');
    await cluster.pass(60_000);
    expect([cluster.states(), roles(agent)]).toEqual([['healthy'], ['slave_public', 'slave_public/mesh']]);
  });

  test('an uninstall gives back what is held in the old one', async () => {
    const { cluster, agent } = await served();
    cluster.restart({ settings: OTHER, uninstall: true });
    await cluster.pass(60_000);
    expect([cluster.uninstalled, agent.checkpointed]).toEqual([true, []]);
  });
});

describe('F10: a scheduler whose state is lost', () => {
  test('is another framework: the old tasks keep their places until Mesos removes them, and the nodes say why they wait', async () => {
    const { cluster, agent } = await served();
    const before = cluster.story.state.frameworkId;
    const old = cluster.tasks().flat();
    cluster.story.disk.clear();
    cluster.story.diskFramework = null;
    cluster.story.diskRollout = null;
    cluster.restart();
    await cluster.pass(60_000);
    expect(cluster.story.state.frameworkId).not.toBe(before);
    expect([cluster.states(), cluster.tasks().flat()]).toEqual([['pending'], old]);
    expect(cluster.story.node(agent.id ?? '')?.reason).toMatch(/ports? 4140/);
  });
});
