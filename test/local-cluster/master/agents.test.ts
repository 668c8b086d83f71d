import { describe, expect, it } from 'vitest';
import { type AgentId, taskId } from '../../../framework/mesos-http-client/messages.ts';
import type { OperatorEventWire } from '../../../local-cluster/master/operator-stream.ts';
import { type Lab, lab, newMaster } from './support/lab.ts';
import { describeAgent, StandInAgent } from './support/stand-in-agent.ts';
import { info, MODERN, TestFramework } from './support/test-framework.ts';

interface Running extends Lab {
  readonly agent: StandInAgent;
  readonly fw: TestFramework;
}

/** One agent, one framework, the task `t` running on it. */
async function running(over: Parameters<typeof info>[0] = { capabilities: MODERN }): Promise<Running> {
  const made = await lab();
  const fw = new TestFramework().subscribe(made.master, info(over));
  await made.clock.advance(0);
  fw.launch(fw.offer(), 't', {}, 0);
  await made.clock.advance(1500);
  const [agent] = made.agents;
  if (agent === undefined) throw new Error('an agent was expected');
  return { ...made, agent, fw };
}

describe('an agent that is cut off', () => {
  it('loses its offers at once and its tasks after the ping timeout', async () => {
    const { clock, agent, fw } = await running();
    expect(fw.offers()).toHaveLength(1);
    agent.cut();
    await clock.advance(0);
    expect(fw.offers()).toHaveLength(0);
    await clock.advance(2900);
    expect(fw.states('t').at(-1)).toBe('TASK_RUNNING');
    await clock.advance(200);
    expect(fw.updates('t').at(-1)).toMatchObject({
      state: 'TASK_UNREACHABLE',
      reason: 'REASON_AGENT_REMOVED',
      unreachable_time: { nanoseconds: expect.any(Number) },
    });
    expect(fw.types().slice(-2)).toEqual(['UPDATE', 'FAILURE']);
  });

  it('makes TASK_LOST of it for a framework without PARTITION_AWARE', async () => {
    const { clock, agent, fw } = await running({});
    agent.cut();
    await clock.advance(3100);
    expect(fw.states('t').at(-1)).toBe('TASK_LOST');
  });

  it('is back within the ping timeout as if nothing had been', async () => {
    const { clock, master, agent, fw } = await running();
    const before = fw.states('t');
    agent.cut();
    await clock.advance(2000);
    agent.join(master);
    await clock.advance(5000);
    expect(fw.states('t')).toEqual(before);
    expect(fw.offers()).toHaveLength(1);
    expect(fw.types()).not.toContain('FAILURE');
  });

  it('returns later: the task runs again, told by the master, without an id to acknowledge', async () => {
    const { clock, master, agent, fw } = await running();
    agent.cut();
    await clock.advance(10_000);
    fw.call({ type: 'KILL', kill: { task_id: { value: taskId('t') } } });
    await clock.advance(0);
    expect(fw.updates('t').at(-1)).toMatchObject({ state: 'TASK_UNREACHABLE', reason: 'REASON_RECONCILIATION' });
    agent.join(master);
    await clock.advance(0);
    const last = fw.updates('t').at(-1);
    expect(last).toMatchObject({ state: 'TASK_RUNNING', reason: 'REASON_AGENT_REREGISTERED' });
    expect(last?.uuid).toBeUndefined();
    expect(agent.told.some((told) => told.call === 'killTask')).toBe(false);
  });

  it('is told of a KILL that it missed when it is back in time', async () => {
    const { clock, master, agent, fw } = await running();
    agent.cut();
    fw.call({ type: 'KILL', kill: { task_id: { value: taskId('t') } } });
    agent.join(master);
    await clock.advance(0);
    expect(fw.states('t').at(-1)).toBe('TASK_KILLED');
  });

  it('loses the tasks of a framework without checkpoint at once', async () => {
    const { clock, master, agent, fw } = await running({ checkpoint: false });
    agent.cut();
    await clock.advance(0);
    expect(fw.updates('t').at(-1)).toMatchObject({ state: 'TASK_LOST', reason: 'REASON_AGENT_DISCONNECTED' });
    agent.join(master);
    await clock.advance(0);
    expect(agent.told).toContainEqual(expect.objectContaining({ call: 'killTask', taskId: 't' }));
  });
});

describe('an agent that restarts without its tasks', () => {
  it('in time: they are dropped', async () => {
    const { clock, master, agent, fw } = await running();
    agent.cut();
    agent.tasks.clear();
    agent.join(master);
    await clock.advance(0);
    expect(fw.updates('t').at(-1)).toMatchObject({ state: 'TASK_DROPPED', reason: 'REASON_RECONCILIATION' });
    expect(master.tasks()).toEqual([]);
  });

  it('after it was unreachable: silence, and RECONCILE says TASK_GONE', async () => {
    const { clock, master, agent, fw } = await running();
    agent.cut();
    await clock.advance(5000);
    const told = fw.updates('t').length;
    agent.tasks.clear();
    agent.join(master);
    await clock.advance(0);
    expect(fw.updates('t')).toHaveLength(told);
    const agent_id = { value: agent.id as AgentId };
    fw.call({ type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: taskId('t') }, agent_id }] } });
    await clock.advance(0);
    expect(fw.states('t').at(-1)).toBe('TASK_GONE');
  });
});

describe('an agent that leaves for good', () => {
  it('marked gone: its tasks are gone by operator, and it is not let in again', async () => {
    const { clock, master, agent, fw } = await running();
    expect(master.markAgentGone(agent.id as AgentId)).toBe(true);
    await clock.advance(0);
    expect(fw.updates('t').at(-1)).toMatchObject({
      state: 'TASK_GONE_BY_OPERATOR',
      reason: 'REASON_AGENT_REMOVED_BY_OPERATOR',
    });
    expect(fw.types().slice(-3)).toEqual(['UPDATE', 'RESCIND', 'FAILURE']);
    expect(agent.told.at(-1)).toEqual({ call: 'gone' });
    agent.join(master);
    await clock.advance(0);
    expect(agent.told.filter((told) => told.call === 'gone')).toHaveLength(2);
    expect(master.agents()).toEqual([]);
  });

  it('unknown ids are not marked gone', async () => {
    const { master } = await lab();
    expect(master.markAgentGone('nobody' as AgentId)).toBe(false);
  });

  it('replaced by a new one at its address', async () => {
    const { clock, master, fw } = await running();
    new StandInAgent(clock, describeAgent('127.0.31.1')).join(master);
    await clock.advance(0);
    expect(fw.states('t').at(-1)).toBe('TASK_LOST');
    expect(master.agents().map((agent) => agent.state)).toEqual(['connected']);
  });

  it('unregistered: TASK_LOST even for PARTITION_AWARE, then unknown', async () => {
    const { clock, master, agent, fw } = await running();
    master.unregister(agent.id as AgentId);
    await clock.advance(0);
    expect(fw.updates('t').at(-1)).toMatchObject({ state: 'TASK_LOST', reason: 'REASON_AGENT_REMOVED' });
  });
});

describe('a master failover', () => {
  it('ends every stream, keeps agents and tasks, and is silent about agents that are not back', async () => {
    const { clock, master, agent, fw } = await running();
    const { frameworkId } = fw.connection ?? {};
    if (frameworkId === undefined) throw new Error('a framework id was expected');
    master.shutdown();
    await clock.advance(0);
    expect(fw.closed).toBe(true);
    expect(fw.call({ type: 'REVIVE' })).toMatchObject({ status: 503 });

    const next = newMaster(clock, { registry: master.registry() });
    expect(next.getAgents().recovered_agents).toHaveLength(1);
    const again = new TestFramework().subscribe(next, info({ capabilities: MODERN, id: { value: frameworkId } }));
    const ask = { type: 'RECONCILE' as const, reconcile: { tasks: [{ task_id: { value: taskId('t') } }] } };
    again.call(ask);
    await clock.advance(0);
    expect(again.types()).toEqual(['SUBSCRIBED', 'HEARTBEAT']);

    agent.join(next);
    again.call(ask);
    await clock.advance(0);
    expect(again.updates('t')).toMatchObject([{ state: 'TASK_RUNNING', reason: 'REASON_RECONCILIATION' }]);
    expect(next.agents()).toMatchObject([{ id: agent.id, state: 'connected' }]);
    expect(again.offers()).toHaveLength(1);
  });

  it('calls agents unreachable that do not come back in time', async () => {
    const { clock, master } = await running();
    master.shutdown();
    const next = newMaster(clock, { registry: master.registry(), agentReregisterTimeoutMs: 60_000 });
    await clock.advance(61_000);
    expect(next.agents()).toMatchObject([{ state: 'unreachable' }]);
  });

  it('remembers who was marked gone', async () => {
    const { clock, master, agent } = await running();
    master.markAgentGone(agent.id as AgentId);
    master.shutdown();
    const next = newMaster(clock, { registry: master.registry() });
    agent.join(next);
    await clock.advance(0);
    expect(next.agents()).toEqual([]);
  });

  it('leaves no timer of the old master behind', async () => {
    const { clock, master, agent } = await running();
    agent.cut();
    master.shutdown();
    expect(clock.pending).toBe(0);
  });
});

describe('the operator stream', () => {
  it('tells of agents, frameworks and tasks as they come and go', async () => {
    const { clock, master, agents } = await lab();
    const events: OperatorEventWire[] = [];
    const hangUp = master.operatorSubscribe({ event: (event) => events.push(event), closed: () => {} });
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't');
    await clock.advance(0);
    fw.call({ type: 'TEARDOWN' });
    master.markAgentGone(agents[0]?.id as AgentId);
    new StandInAgent(clock, describeAgent('127.0.31.5')).join(master);
    await clock.advance(15_000);
    expect(events.map((event) => event.type)).toEqual([
      'SUBSCRIBED',
      'HEARTBEAT',
      'FRAMEWORK_ADDED',
      'TASK_ADDED',
      'TASK_UPDATED',
      'TASK_UPDATED',
      'TASK_UPDATED',
      'FRAMEWORK_REMOVED',
      'AGENT_REMOVED',
      'AGENT_ADDED',
      'HEARTBEAT',
    ]);
    hangUp();
    await clock.advance(60_000);
    expect(events).toHaveLength(11);
  });

  it('tells of news of a health check, though the state stays, and of no other update like that', async () => {
    const { clock, master, agents } = await lab();
    const events: OperatorEventWire[] = [];
    master.operatorSubscribe({ event: (event) => events.push(event), closed: () => {} });
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't');
    await clock.advance(0);
    events.length = 0;
    const reason = 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED';
    agents[0]?.report(taskId('t'), 'TASK_RUNNING', { healthy: true, reason });
    await clock.advance(0);
    agents[0]?.report(taskId('t'), 'TASK_RUNNING', { message: 'still here' });
    await clock.advance(0);
    agents[0]?.report(taskId('t'), 'TASK_RUNNING', { healthy: false, reason });
    await clock.advance(0);
    expect(events).toMatchObject([
      { type: 'TASK_UPDATED', task_updated: { status: { healthy: true }, state: 'TASK_RUNNING' } },
      { type: 'TASK_UPDATED', task_updated: { status: { healthy: false }, state: 'TASK_RUNNING' } },
    ]);
  });
});
