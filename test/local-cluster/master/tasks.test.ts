import { describe, expect, it } from 'vitest';
import {
  type AgentId,
  type OfferWire,
  offerId,
  type TaskInfo,
  taskId,
} from '../../../framework/mesos-http-client/messages.ts';
import { parseCall } from '../../../local-cluster/master/call-parser.ts';
import type { Master } from '../../../local-cluster/master/master.ts';
import { getTasks } from '../../../local-cluster/master/operator-json.ts';
import { lab } from './support/lab.ts';
import { ports, scalar } from './support/stand-in-agent.ts';
import { info, MODERN, TestFramework, task } from './support/test-framework.ts';

const id = taskId('t');

describe('a task', () => {
  it('starts, runs, is killed, and is forgotten once that is acknowledged', async () => {
    const { clock, master, agents } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't');
    await clock.advance(0);
    fw.call({ type: 'KILL', kill: { task_id: { value: id } } });
    await clock.advance(0);
    expect(fw.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLED']);
    fw.call({ type: 'KILL', kill: { task_id: { value: id } } });
    await clock.advance(0);
    expect(fw.updates('t').at(-1)).toMatchObject({ state: 'TASK_LOST', reason: 'REASON_RECONCILIATION' });
    expect(agents[0]?.tasks.size).toBe(0);
  });

  it('passes on the grace period of a KILL', async () => {
    const { clock, master, agents } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't');
    fw.call({ type: 'KILL', kill: { task_id: { value: id }, kill_policy: { grace_period: { nanoseconds: 2e9 } } } });
    await clock.advance(0);
    expect(agents[0]?.told).toContainEqual({ call: 'killTask', taskId: id, graceSeconds: 2 });
  });

  it('frees its resources when it ends, acknowledged or not', async () => {
    const { clock, master, agents } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't', { resources: [scalar('cpus', 2), scalar('mem', 1024)] });
    await clock.advance(0);
    fw.acknowledging = false;
    agents[0]?.report(id, 'TASK_FAILED');
    await clock.advance(0);
    expect(fw.offer().resources).toContainEqual(expect.objectContaining({ name: 'cpus', scalar: { value: 2 } }));
    fw.call({ type: 'RECONCILE', reconcile: { tasks: [] } });
    await clock.advance(0);
    expect(fw.updates('t').at(-1)).toMatchObject({
      state: 'TASK_FAILED',
      message: 'Reconciliation: Latest task state',
    });
  });

  it('is told again, only its oldest update, until that is acknowledged', async () => {
    const { clock, master } = await lab();
    const fw = new TestFramework();
    fw.acknowledging = false;
    fw.subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't');
    await clock.advance(35_000);
    expect(fw.states('t')).toEqual(['TASK_STARTING', 'TASK_STARTING', 'TASK_STARTING']);
  });
});

describe('a TaskInfo that cannot run is a TASK_ERROR', () => {
  const refused: [why: string, over: Partial<TaskInfo>, message: RegExp][] = [
    ['no resources', { resources: [] }, /^Task uses no resources$/],
    [
      'too much',
      { resources: [scalar('cpus', 64)] },
      /^Total resources cpus\(allocated: \*\):64 required by task and its executor is more than available ports/,
    ],
    [
      'a port not offered',
      { resources: [scalar('cpus', 1), ports(80, 80)] },
      /ports\(allocated: \*\):\[80-80\] required/,
    ],
    ['a negative amount', { resources: [scalar('cpus', -1)] }, /value < 0/],
    [
      'another agent',
      { agent_id: { value: 'nope' as AgentId } },
      /^Task uses invalid agent nope while agent .*-S0 is expected$/,
    ],
    ['a slash in the id', { task_id: { value: taskId('a/b') } }, /^'a\/b' contains invalid characters$/],
    ['a long id', { task_id: { value: taskId('x'.repeat(256)) } }, /255/],
    [
      'command and executor',
      { executor: { executor_id: { value: 'e' } } },
      /^Task should have at least one \(but not both\)/,
    ],
    [
      'another role',
      { resources: [scalar('cpus', 1, { allocation_info: { role: 'other' } })] },
      /cpus\(allocated: other\):1 required/,
    ],
    ['a health check without its part', { health_check: { type: 'HTTP' } }, /Expecting 'http' to be set/],
    ['a negative grace period', { kill_policy: { grace_period: { nanoseconds: -1 } } }, /must be non-negative/],
  ];
  it.each(refused)('%s', async (_why, over, message) => {
    const { clock, master, agents } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't', over);
    await clock.advance(0);
    expect(fw.updates()).toHaveLength(1);
    const [status] = fw.updates();
    expect(status).toMatchObject({ state: 'TASK_ERROR', reason: 'REASON_TASK_INVALID', source: 'SOURCE_MASTER' });
    expect(status?.message).toMatch(message);
    expect(status?.uuid).toBeUndefined();
    expect(agents[0]?.told.some((told) => told.call === 'runTask')).toBe(false);
  });

  it('and the others of the same LAUNCH run', async () => {
    const { clock, master } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    const offer = fw.offer();
    const infos = [task(offer, 'bad', { resources: [] }), task(offer, 'dup'), task(offer, 'dup')];
    fw.accept(offer, [{ type: 'LAUNCH', launch: { task_infos: infos } }]);
    await clock.advance(0);
    expect(fw.states('bad')).toEqual(['TASK_ERROR']);
    expect(fw.states('dup')).toEqual(['TASK_ERROR', 'TASK_STARTING', 'TASK_RUNNING']);
    expect(fw.updates('dup')[0]?.message).toBe('Task has duplicate ID: dup');
  });
});

describe('offers that cannot be used', () => {
  const launch = (fw: TestFramework, offers: OfferWire[]): void => {
    const offer_ids = offers.map((offer) => ({ value: offerId(offer.id.value) }));
    const first = offers[0];
    if (first === undefined) throw new Error('an offer was expected');
    const operations = [{ type: 'LAUNCH' as const, launch: { task_infos: [task(first, 't')] } }];
    fw.call({ type: 'ACCEPT', accept: { offer_ids, operations } });
  };

  it.each([
    ['TASK_LOST', undefined],
    ['TASK_DROPPED', MODERN],
  ])('make the task %s', async (state, capabilities) => {
    const { clock, master } = await lab();
    const fw = new TestFramework().subscribe(master, info(capabilities === undefined ? {} : { capabilities }));
    await clock.advance(0);
    const offer = fw.offer();
    fw.decline(offer);
    launch(fw, [offer]);
    await clock.advance(0);
    const message = `Task launched with invalid offers: Offer ${offer.id.value} is no longer valid`;
    expect(fw.updates('t')).toMatchObject([{ state, reason: 'REASON_INVALID_OFFERS', message }]);
  });

  it('of two agents are not taken together, and are gone', async () => {
    const { clock, master } = await lab(2);
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    launch(fw, fw.offers());
    await clock.advance(0);
    expect(fw.updates('t')[0]?.message).toContain('Aggregated offers must belong to one single agent');
  });

  it('are those of another framework', async () => {
    const { clock, master } = await lab();
    const owner = new TestFramework().subscribe(master);
    const thief = new TestFramework().subscribe(master);
    await clock.advance(0);
    launch(thief, [owner.offer()]);
    await clock.advance(0);
    expect(thief.updates('t')[0]?.message).toContain('has invalid framework');
    owner.launch(owner.offer(), 'mine');
    await clock.advance(0);
    expect(owner.states('mine')).toContain('TASK_RUNNING');
  });
});

describe('RECONCILE', () => {
  it('says what is known, unknown to the agent, and unknown at all', async () => {
    const { clock, master } = await lab();
    const fw = new TestFramework().subscribe(master, info({ capabilities: MODERN }));
    await clock.advance(0);
    const offer = fw.offer();
    fw.launch(offer, 't');
    await clock.advance(0);
    const ask = (name: string, agent?: string) => ({
      task_id: { value: taskId(name) },
      ...(agent === undefined ? {} : { agent_id: { value: agent as AgentId } }),
    });
    const tasks = [ask('t'), ask('nobody'), ask('vanished', offer.agent_id.value), ask('far', 'elsewhere-S9')];
    fw.call({ type: 'RECONCILE', reconcile: { tasks } });
    await clock.advance(0);
    const answers = fw.updates().slice(-4);
    expect(answers.map((status) => status.state)).toEqual([
      'TASK_RUNNING',
      'TASK_UNKNOWN',
      'TASK_GONE',
      'TASK_UNKNOWN',
    ]);
    expect(answers.every((status) => status.uuid === undefined && status.source === 'SOURCE_MASTER')).toBe(true);
  });

  it('keeps what the health check said', async () => {
    const { clock, master, agents } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't');
    await clock.advance(0);
    agents[0]?.report(id, 'TASK_RUNNING', { healthy: false, reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED' });
    await clock.advance(0);
    fw.call({ type: 'RECONCILE', reconcile: { tasks: [] } });
    await clock.advance(0);
    expect(fw.updates('t').at(-1)).toMatchObject({ reason: 'REASON_RECONCILIATION', healthy: false });
  });
});

describe('limits of a task', () => {
  const cases: [why: string, limits: object, error: string | null][] = [
    ['more than is asked for', { cpus: { value: 2 }, mem: { value: 64 } }, null],
    ['without end', { cpus: { value: 'Infinity' }, mem: { value: 'Infinity' } }, null],
    ['of ports', { ports: { value: 1 } }, "Only cpus and mem may be included in a task's resource limits"],
    ['less cpus', { cpus: { value: 0.05 } }, 'The cpu limit must be greater than or equal to the cpu request'],
    ['less mem', { mem: { value: 31 } }, 'The memory limit must be greater than or equal to the memory request'],
  ];
  it.each(cases)('%s', async (_why, limits, error) => {
    const { clock, master } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't', { limits } as Partial<TaskInfo>);
    await clock.advance(0);
    const last = fw.updates('t').at(-1);
    if (error === null) {
      expect(last?.state).toBe('TASK_RUNNING');
      expect(JSON.stringify(operatorTasks(master))).toContain(JSON.stringify(limits));
    } else expect(last).toMatchObject({ state: 'TASK_ERROR', reason: 'REASON_TASK_INVALID', message: error });
  });

  it('are objects: bare numbers are refused as Mesos refuses them', () => {
    const task_infos = [{ name: 't', task_id: { value: 't' }, agent_id: { value: 'a' }, limits: { cpus: 1 } }];
    const accept = { offer_ids: [{ value: 'o' }], operations: [{ type: 'LAUNCH', launch: { task_infos } }] };
    const call = { framework_id: { value: 'f' }, type: 'ACCEPT', accept };
    expect(parseCall(JSON.stringify(call))).toMatchObject({ ok: false });
  });
});

function operatorTasks(master: Master): unknown {
  return getTasks(master.context).tasks;
}
