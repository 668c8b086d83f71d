/** Drain, deactivation and maintenance as frameworks and operators see them. */
import { describe, expect, it } from 'vitest';
import { type AgentId, type EventWire, taskId } from '../../../framework/mesos-http-client/messages.ts';
import type { MaintenanceWindow } from '../../../local-cluster/master/maintenance.ts';
import type { Master } from '../../../local-cluster/master/master.ts';
import type { OperatorChange } from '../../../local-cluster/master/operator-changes.ts';
import { type Lab, lab, newMaster } from './support/lab.ts';
import type { StandInAgent } from './support/stand-in-agent.ts';
import { info, MODERN, TestFramework } from './support/test-framework.ts';

interface Running extends Lab {
  readonly agent: StandInAgent;
  readonly fw: TestFramework;
  readonly agentId: AgentId;
}

/** Two agents, one framework, the task `t` on the first. */
async function running(): Promise<Running> {
  const made = await lab(2);
  const fw = new TestFramework().subscribe(made.master, info({ capabilities: MODERN }));
  await made.clock.advance(0);
  fw.launch(fw.offer('127.0.31.1'), 't', {}, 0);
  await made.clock.advance(1500);
  const [agent] = made.agents;
  if (agent === undefined) throw new Error('an agent was expected');
  return { ...made, agent, fw, agentId: agent.id as AgentId };
}

function drain(agentId: AgentId, markGone = false): OperatorChange {
  return { type: 'DRAIN_AGENT', agentId, order: { maxGraceSeconds: null, markGone } };
}

function shown(master: Master, agentId: AgentId): object | undefined {
  return master.getAgents().agents.find((agent) => agent.agent_info.id?.value === agentId);
}

describe('an agent that is drained', () => {
  it('is DRAINING until the end of its last task is acknowledged, and offers nothing until it is reactivated', async () => {
    const { clock, master, agent, fw, agentId } = await running();
    fw.acknowledging = false;
    expect(master.operate(drain(agentId))).toBeNull();
    await clock.advance(0);
    expect(fw.offers('127.0.31.1')).toEqual([]);
    expect(fw.updates('t').at(-1)).toMatchObject({ state: 'TASK_KILLED', reason: 'REASON_AGENT_DRAINING' });
    expect(shown(master, agentId)).toMatchObject({ deactivated: true, drain_info: { state: 'DRAINING' } });
    const reactivate: OperatorChange = { type: 'REACTIVATE_AGENT', agentId };
    expect(master.operate(reactivate)).toEqual({ status: 400, message: 'Agent is still in the DRAINING state' });
    const uuid = fw.updates('t').at(-1)?.uuid ?? '';
    const ack = { agent_id: { value: agentId }, task_id: { value: taskId('t') }, uuid };
    fw.call({ type: 'ACKNOWLEDGE', acknowledge: ack });
    expect(shown(master, agentId)).toMatchObject({ drain_info: { state: 'DRAINED' } });
    await clock.advance(60_000);
    expect(fw.offers('127.0.31.1')).toEqual([]);
    expect(master.operate(reactivate)).toBeNull();
    await clock.advance(0);
    expect(fw.offers('127.0.31.1')).toHaveLength(1);
    expect(shown(master, agentId)).not.toHaveProperty('drain_info');
    expect(agent.told.filter(({ call }) => call === 'drain')).toHaveLength(1);
  });

  it('is marked gone at the end if the operator wants that', async () => {
    const { clock, master, agent, fw, agentId } = await running();
    master.operate(drain(agentId, true));
    await clock.advance(0);
    expect(agent.told.at(-1)).toEqual({ call: 'gone' });
    expect(fw.types().at(-1)).toBe('FAILURE');
    expect(shown(master, agentId)).toBeUndefined();
  });

  it('is told again when it was away, and by the next master too', async () => {
    const { clock, master, agent, agentId } = await running();
    agent.onDrain = () => {};
    agent.cut();
    master.operate(drain(agentId));
    agent.join(master);
    await clock.advance(0);
    expect(agent.told.at(-1)).toMatchObject({ call: 'drain' });
    master.shutdown();
    const next = newMaster(clock, { registry: master.registry() });
    agent.join(next);
    await clock.advance(0);
    expect(agent.told.filter(({ call }) => call === 'drain')).toHaveLength(2);
    expect(shown(next, agentId)).toMatchObject({ deactivated: true, drain_info: { state: 'DRAINING' } });
  });

  it('of no tasks is drained at once, and deactivation alone leaves tasks running', async () => {
    const { clock, master, agents, fw, agentId } = await running();
    const idle = agents[1]?.id as AgentId;
    master.operate(drain(idle));
    expect(shown(master, idle)).toMatchObject({ drain_info: { state: 'DRAINED' } });
    master.operate({ type: 'DEACTIVATE_AGENT', agentId });
    await clock.advance(5000);
    expect(fw.offers()).toEqual([]);
    expect(fw.states('t').at(-1)).toBe('TASK_RUNNING');
    expect(shown(master, agentId)).toMatchObject({ active: false, deactivated: true });
    expect(master.operate({ type: 'DEACTIVATE_AGENT', agentId: 'nobody' as AgentId })).toMatchObject({ status: 400 });
  });
});

const START = 1_800_000_000_000_000_000;

function windowOf(...hosts: string[]): MaintenanceWindow {
  const machine_ids = hosts.map((host) => ({ hostname: host, ip: host }));
  return { machine_ids, unavailability: { start: { nanoseconds: START } } };
}

function inverseOffers(fw: TestFramework): string[] {
  return fw.events.flatMap((event: EventWire) =>
    event.type === 'INVERSE_OFFERS' ? (event.inverse_offers.inverse_offers ?? []).map(({ id }) => id.value) : [],
  );
}

describe('a maintenance schedule', () => {
  it('comes with every offer of the machine, and asks only those who hold something there', async () => {
    const { clock, master, fw } = await running();
    const other = new TestFramework().subscribe(master, info({ name: 'other' }));
    await clock.advance(0);
    master.operate({ type: 'UPDATE_MAINTENANCE_SCHEDULE', windows: [windowOf('127.0.31.1')] });
    await clock.advance(0);
    const offers = [...fw.offers(), ...other.offers()];
    expect(offers).toHaveLength(2);
    for (const offer of offers) {
      expect(offer.unavailability).toEqual(
        offer.hostname === '127.0.31.1' ? { start: { nanoseconds: START } } : undefined,
      );
    }
    expect(inverseOffers(fw)).toHaveLength(1);
    expect(inverseOffers(other)).toHaveLength(other.offers('127.0.31.1').length);
  });

  it('asks again after refuse_seconds, and at once after REVIVE', async () => {
    const { clock, master, fw } = await running();
    master.operate({ type: 'UPDATE_MAINTENANCE_SCHEDULE', windows: [windowOf('127.0.31.1')] });
    await clock.advance(0);
    const answer = (): void => {
      const value = inverseOffers(fw).at(-1) as never;
      const inverse_offer_ids = [{ value }];
      const decline_inverse_offers = { inverse_offer_ids, filters: { refuse_seconds: 30 } };
      fw.call({ type: 'DECLINE_INVERSE_OFFERS', decline_inverse_offers });
    };
    answer();
    await clock.advance(29_000);
    expect(inverseOffers(fw)).toHaveLength(1);
    await clock.advance(2000);
    expect(inverseOffers(fw)).toHaveLength(2);
    answer();
    fw.call({ type: 'REVIVE' });
    await clock.advance(0);
    expect(inverseOffers(fw)).toHaveLength(3);
  });

  it('outlives the master, and keeps a machine that is down out', async () => {
    const { clock, master, agent } = await running();
    const machines = [{ hostname: '127.0.31.1', ip: '127.0.31.1' }];
    master.operate({ type: 'UPDATE_MAINTENANCE_SCHEDULE', windows: [windowOf('127.0.31.1')] });
    expect(master.operate({ type: 'STOP_MAINTENANCE', machines })).toMatchObject({ status: 400 });
    master.operate({ type: 'START_MAINTENANCE', machines });
    master.shutdown();
    const next = newMaster(clock, { registry: master.registry() });
    agent.join(next);
    await clock.advance(0);
    expect(agent.told.filter(({ call }) => call === 'shutDown')).toHaveLength(2);
    expect(next.agents().filter(({ state }) => state === 'connected')).toEqual([]);
    expect(next.operate({ type: 'STOP_MAINTENANCE', machines })).toBeNull();
    agent.join(next);
    await clock.advance(0);
    expect(next.agents().filter(({ state }) => state === 'connected')).toHaveLength(1);
  });

  it('is refused for a machine named twice, one that is down and left out, and one that was never scheduled', async () => {
    const { master } = await running();
    const update = (...hosts: string[]): unknown =>
      master.operate({ type: 'UPDATE_MAINTENANCE_SCHEDULE', windows: [windowOf(...hosts)] });
    const machines = [{ hostname: '127.0.31.1', ip: '127.0.31.1' }];
    expect(update('127.0.31.1', '127.0.31.1')).toMatchObject({ status: 400 });
    expect(master.operate({ type: 'START_MAINTENANCE', machines })).toMatchObject({ status: 400 });
    expect(update('127.0.31.1')).toBeNull();
    expect(master.operate({ type: 'START_MAINTENANCE', machines })).toBeNull();
    expect(update('127.0.31.2')).toMatchObject({ status: 400 });
    expect(update('127.0.31.1', '127.0.31.2')).toBeNull();
  });
});
