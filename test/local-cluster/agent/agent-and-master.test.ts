/** A real agent under a real master: what operators do to it reaches its processes, and what is reserved on it stays. */
import { expect, onTestFinished, test } from 'vitest';
import type { AgentId, Operation, Resource } from '../../../framework/mesos-http-client/messages.ts';
import { Leader } from '../../../local-cluster/leader.ts';
import { Master } from '../../../local-cluster/master/master.ts';
import type { OperatorChange } from '../../../local-cluster/master/operator-changes.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { info, MODERN, TestFramework, task } from '../master/support/test-framework.ts';
import { startAgent } from './stand-in-master.ts';

const NODEMESH = { roles: ['slave_public/nodemesh'], principal: 'p', capabilities: MODERN };

interface Cluster {
  readonly master: Master;
  readonly leader: Leader<Master>;
  readonly fw: TestFramework;
  readonly id: AgentId;
  readonly agent: Awaited<ReturnType<typeof startAgent>>['agent'];
}

function newMaster(registry?: ReturnType<Master['registry']>): Master {
  const options = { ip: '127.0.32.254', port: 5050, agentPingTimeoutMs: 2000, allocationIntervalMs: 50 };
  const master = new Master({ ...options, ...(registry === undefined ? {} : { registry }) });
  onTestFinished(() => master.shutdown());
  return master;
}

/** A public agent with the task `nap` on it. */
async function cluster(): Promise<Cluster> {
  const leader = new Leader<Master>();
  const master = newMaster();
  leader.set(master);
  const { agent } = await startAgent({ leader, isPublic: true });
  const fw = new TestFramework().subscribe(master, info(NODEMESH));
  const offer = await eventually('an offer', () => fw.offers()[0]);
  const reservations = [{ type: 'STATIC' as const, role: 'slave_public' }];
  const resources: Resource[] = [{ name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 }, reservations }];
  const nap = task(offer, 'nap', { resources, command: { value: 'exec sleep 1000', shell: true } });
  fw.accept(offer, [{ type: 'LAUNCH', launch: { task_infos: [nap] } }], 0);
  await eventually('it naps', () => fw.states('nap').includes('TASK_RUNNING'));
  return { master, leader, fw, agent, id: agent.id() };
}

function shown(master: Master, id: AgentId): object | undefined {
  return master.getAgents().agents.find(({ agent_info }) => agent_info.id?.value === id);
}

test('a drained agent has no process, and is used again when it is reactivated', async () => {
  const { master, fw, agent, id } = await cluster();
  master.operate({ type: 'DRAIN_AGENT', agentId: id, order: { maxGraceSeconds: 1, markGone: false } });
  await eventually('drained', () => JSON.stringify(shown(master, id)).includes('"DRAINED"'));
  expect(fw.updates('nap').at(-1)).toMatchObject({ state: 'TASK_KILLED', reason: 'REASON_AGENT_DRAINING' });
  expect(agent.processes()).toEqual([]);
  expect(fw.offers()).toEqual([]);
  master.operate({ type: 'REACTIVATE_AGENT', agentId: id });
  await eventually('an offer', () => fw.offers()[0]);
});

test('an agent under maintenance tries to come back until its machine is up', async () => {
  const { master, fw, agent, id } = await cluster();
  const { hostname, ip } = agent.description;
  const machines = [{ hostname, ip }];
  const unavailability = { start: { nanoseconds: 1.8e18 } };
  const windows = [{ machine_ids: machines, unavailability }];
  const changes: OperatorChange[] = [
    { type: 'UPDATE_MAINTENANCE_SCHEDULE', windows },
    { type: 'START_MAINTENANCE', machines },
  ];
  for (const change of changes) expect(master.operate(change)).toBeNull();
  await eventually('its process dies', () => agent.processes().length === 0);
  expect(fw.updates('nap').at(-1)).toMatchObject({ state: 'TASK_LOST', reason: 'REASON_AGENT_REMOVED' });
  expect(shown(master, id)).toBeUndefined();
  expect(master.operate({ type: 'STOP_MAINTENANCE', machines })).toBeNull();
  await eventually('it is back', () => shown(master, id));
});

test('what is reserved survives a reboot, and the next master', async () => {
  const { master, leader, fw, agent, id } = await cluster();
  const labels = { labels: [{ key: 'agent', value: id }] };
  const mine = { type: 'DYNAMIC' as const, role: 'slave_public/nodemesh', principal: 'p', labels };
  const reservations = [{ type: 'STATIC' as const, role: 'slave_public' }, mine];
  const cpus: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 }, reservations };
  const reserve: Operation = { type: 'RESERVE', reserve: { resources: [cpus] } };
  fw.accept(await eventually('an offer', () => fw.offers()[0]), [reserve], 0);
  await eventually('reserved', () => agent.checkpointed.length === 1);
  await agent.reboot();
  leader.set(null);
  master.shutdown();
  const next = newMaster(master.registry());
  leader.set(next);
  const again = new TestFramework().subscribe(next, info(NODEMESH));
  const offer = await eventually('an offer', () => again.offers()[0]);
  expect(offer.resources).toContainEqual(
    expect.objectContaining({ name: 'cpus', scalar: { value: 0.5 }, reservations }),
  );
});
