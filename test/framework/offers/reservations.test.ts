import { describe, expect, test } from 'vitest';
import type { Attribute, CallBody, Resource } from '../../../framework/mesos-http-client/messages.ts';
import { parseConstraint } from '../../../framework/offers/constraints.ts';
import { holdOn } from '../../../framework/offers/reservations.ts';
import { ports, type StandInAgent, scalar } from '../../local-cluster/master/support/stand-in-agent.ts';
import { info, MODERN, TestFramework } from '../../local-cluster/master/support/test-framework.ts';
import { ClusterStory, resourcesOf } from '../cluster-story.ts';
import { template } from '../story.ts';

/** What is reserved dynamically on an agent: role by role, name by name. */
function reserved(agent: StandInAgent | undefined): Record<string, number | string> {
  return Object.fromEntries(
    (agent?.checkpointed ?? []).map((resource) => [
      `${resource.reservations?.map(({ role }) => role).join(' > ')} ${resource.name}`,
      resource.scalar?.value ?? (resource.ranges?.range ?? []).map(({ begin, end }) => `${begin}-${end}`).join(' '),
    ]),
  );
}

const PLACE = { 'nodemesh cpus': 0.1, 'nodemesh mem': 64, 'nodemesh ports': '4140-4141' };

/** The operations of each ACCEPT so far. */
const operationsOf = (cluster: ClusterStory): string[][] =>
  cluster.called
    .filter((call): call is Extract<CallBody, { type: 'ACCEPT' }> => call.type === 'ACCEPT')
    .map((call) => (call.accept.operations ?? []).map((operation) => operation.type));

async function served(cluster = new ClusterStory(), resources = resourcesOf(), attributes = {}) {
  await cluster.with();
  const agent = cluster.agent(resources, attributes).join(cluster.master);
  await cluster.pass(3_000);
  expect(cluster.states()).toEqual(['healthy']);
  return { cluster, agent };
}

/** Another framework takes everything that it is offered. */
function greedy(cluster: ClusterStory, role = 'greedy'): TestFramework {
  const framework = new TestFramework().subscribe(cluster.master, info({ roles: [role], capabilities: MODERN }));
  const take = (): void => {
    for (const offer of framework.offers()) {
      const resources = (offer.resources ?? []).map((one) => ({ ...one, reservations: one.reservations ?? [] }));
      framework.accept(offer, [
        {
          type: 'LAUNCH',
          launch: {
            task_infos: [
              {
                name: 'greedy',
                task_id: { value: `greedy-${offer.id.value}` as never },
                agent_id: offer.agent_id as never,
                resources,
                command: { value: 'sleep' },
              },
            ],
          },
        },
      ]);
    }
    cluster.clock.after(500, take);
  };
  take();
  return framework;
}

describe('the place of a task', () => {
  test('O1: is reserved and used in one ACCEPT, under labels that name the framework and the agent', async () => {
    const { cluster, agent } = await served();
    expect(operationsOf(cluster)).toEqual([['RESERVE', 'LAUNCH']]);
    expect(reserved(agent)).toEqual(PLACE);
    const labels = [
      { key: 'framework_id', value: cluster.story.state.frameworkId },
      { key: 'resource_id', value: agent.id },
    ];
    for (const resource of agent.checkpointed) expect(resource.reservations?.at(-1)?.labels).toEqual({ labels });
    expect(cluster.story.disk.get(agent.id ?? '')?.reserved).toBe('nodemesh');
  });

  test('on a public agent is a refinement of what the operator reserved', async () => {
    const { agent } = await served(new ClusterStory(), resourcesOf('slave_public'));
    const role = 'slave_public > slave_public/nodemesh';
    expect(reserved(agent)).toEqual({ [`${role} cpus`]: 0.1, [`${role} mem`]: 64, [`${role} ports`]: '4140-4141' });
  });

  test('U24 F6: is got back by the next task, though another framework takes all that is free', async () => {
    const { cluster, agent } = await served();
    greedy(cluster);
    await cluster.pass(5_000);
    const [[task]] = cluster.tasks() as [[never]];
    agent.report(task, 'TASK_FAILED', { reason: 'REASON_EXECUTOR_TERMINATED' });
    await cluster.pass(5_000);
    expect(cluster.states()).toEqual(['healthy']);
    expect(operationsOf(cluster)).toEqual([['RESERVE', 'LAUNCH'], ['LAUNCH']]);
    expect(reserved(agent)).toEqual(PLACE);
  });

  test('shrinks and moves with what the task needs, and nothing is reserved twice', async () => {
    const { cluster, agent } = await served();
    cluster.story.template = () => ({ ...template, cpus: 0.2, mem: 32, ports: [4141, 4142] });
    const [[task]] = cluster.tasks() as [[never]];
    agent.report(task, 'TASK_FAILED');
    await cluster.pass(3_000);
    expect(cluster.states()).toEqual(['healthy']);
    expect(operationsOf(cluster).at(-1)).toEqual(['UNRESERVE', 'RESERVE', 'LAUNCH']);
    expect(reserved(agent)).toEqual({ 'nodemesh cpus': 0.2, 'nodemesh mem': 32, 'nodemesh ports': '4141-4142' });
  });

  test('that an operator has reserved to the very role is used as it is', async () => {
    const { cluster, agent } = await served(new ClusterStory(), resourcesOf('nodemesh'));
    expect(operationsOf(cluster)).toEqual([['LAUNCH']]);
    expect(agent.checkpointed).toEqual([]);
    expect(cluster.story.disk.get(agent.id ?? '')?.reserved).toBeNull();
  });

  test('O12: what another framework of the role has reserved is not used, and not given back', async () => {
    const cluster = new ClusterStory();
    const others = { role: 'nodemesh', principal: null, frameworkId: 'f-other' as never, agentId: 'a' };
    const strange = [scalar('cpus', 2), scalar('mem', 1024), ports(4000, 5000)].map((one) => holdOn(one, others));
    await cluster.with();
    const agent = cluster.agent(strange as Resource[]).join(cluster.master);
    await cluster.pass(30_000);
    expect(operationsOf(cluster)).toEqual([]);
    expect(cluster.story.node(agent.id ?? '')?.reason).toMatch(/0\.1 cpus missing \(0\.1 needed, 0 offered\)/);
  });
});

describe('a place that is not needed any more', () => {
  const R1 = { constraints: [parseConstraint('rack:IS:r1')] };

  test.each([
    ['O13: is given back after a restart with other constraints', true],
    ['is given back by what is offered alone, where Mesos does not list agents', false],
  ])('%s', async (_title, listsAgents) => {
    const cluster = new ClusterStory();
    cluster.listsAgents = listsAgents;
    const { agent } = await served(cluster, resourcesOf(), { rack: 'r2' });
    cluster.restart({ settings: R1 });
    await cluster.pass(30_000);
    expect(cluster.states()).toEqual(['excluded']);
    expect(reserved(agent)).toEqual({});
    expect(cluster.tasks()).toEqual([[]]);
    expect(cluster.story.disk.get(agent.id ?? '')?.reserved).toBeNull();
    expect(cluster.story.state.counters.unreserved).toBe(1);
    expect(cluster.story.node(agent.id ?? '')?.reason).toBe('Left out of the placement: rack r2 is not r1.');
  });

  test('is given back when the agent comes back with other attributes, and taken again when they change back', async () => {
    const { cluster, agent } = await served(new ClusterStory(R1), resourcesOf(), { rack: 'r1' });
    const attributes = agent.description.attributes as Attribute[];
    const change = async (rack: string): Promise<void> => {
      agent.cut();
      await cluster.pass(5_000);
      attributes[0] = { name: 'rack', type: 'TEXT', text: { value: rack } };
      agent.join(cluster.master);
      await cluster.pass(30_000);
    };
    await change('r2');
    expect([cluster.states(), reserved(agent), cluster.tasks()]).toEqual([['excluded'], {}, [[]]]);
    await change('r1');
    expect([cluster.states(), reserved(agent)]).toEqual([['healthy'], PLACE]);
  });

  test('is given back although nobody remembers it, when everything is uninstalled', async () => {
    const { cluster, agent } = await served();
    // The agent was forgotten, and is back: its place is used, not reserved once more.
    cluster.tell({ type: 'agent-removed', agentId: agent.id ?? ('' as never) });
    const [[task]] = cluster.tasks() as [[never]];
    agent.report(task, 'TASK_KILLED');
    await cluster.pass(5_000);
    expect(operationsOf(cluster).at(-1)).toEqual(['LAUNCH']);
    expect(cluster.story.disk.get(agent.id ?? '')?.reserved).toBe('nodemesh');
    cluster.restart({ uninstall: true });
    await cluster.pass(60_000);
    expect([cluster.uninstalled, reserved(agent)]).toEqual([true, {}]);
  });

  test('is given back, and the task runs on without, when nothing is to be reserved any more', async () => {
    const { cluster, agent } = await served();
    cluster.restart({ settings: { reserve: false } });
    await cluster.pass(10_000);
    expect([cluster.states(), reserved(agent)]).toEqual([['healthy'], PLACE]);
    const [[task]] = cluster.tasks() as [[never]];
    agent.report(task, 'TASK_FAILED');
    await cluster.pass(30_000);
    expect([cluster.states(), reserved(agent)]).toEqual([['healthy'], {}]);
    expect(operationsOf(cluster).slice(1)).toEqual([['UNRESERVE'], ['LAUNCH']]);
  });

  test('is kept while everything is frozen, and given back after', async () => {
    const { cluster, agent } = await served(new ClusterStory(), resourcesOf(), { rack: 'r2' });
    expect(cluster.story.send.freeze(true)).toBe('done');
    cluster.restart({ settings: R1 });
    await cluster.pass(60_000);
    expect([cluster.tasks().flat().length, reserved(agent)]).toEqual([1, PLACE]);
    const [[task]] = cluster.tasks() as [[never]];
    agent.report(task, 'TASK_FAILED');
    await cluster.pass(5_000);
    const revives = cluster.calls('REVIVE').length;
    await cluster.pass(600_000);
    expect(reserved(agent)).toEqual(PLACE);
    expect(cluster.calls('REVIVE').length).toBe(revives);
    cluster.tell({ type: 'order', id: 1, order: { kind: 'freeze', frozen: false } });
    await cluster.pass(30_000);
    expect(reserved(agent)).toEqual({});
  });
});
