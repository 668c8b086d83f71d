/** Dynamic reservations, refined ones, and what becomes of the operations that make them. */
import { describe, expect, it } from 'vitest';
import type { AgentId, Operation, Resource, TaskStatus } from '../../../framework/mesos-http-client/messages.ts';
import { type Lab, lab, newMaster } from './support/lab.ts';
import { describeAgent, ports, StandInAgent, scalar } from './support/stand-in-agent.ts';
import { info, MODERN, TestFramework, task } from './support/test-framework.ts';

describe('reservations', () => {
  it('made in the same ACCEPT can be launched on, come back reserved and can be undone', async () => {
    const { clock, master, agents } = await lab();
    const fw = new TestFramework().subscribe(master, info({ roles: ['web'], principal: 'p', capabilities: MODERN }));
    await clock.advance(0);
    const mine = [{ type: 'DYNAMIC' as const, role: 'web', principal: 'p' }];
    const reserved = [scalar('cpus', 0.5, { reservations: mine }), scalar('mem', 64, { reservations: mine })];
    const offer = fw.offer();
    fw.accept(offer, [{ type: 'RESERVE', id: { value: 'op' }, reserve: { resources: reserved } }], 0);
    await clock.advance(1000);
    expect(fw.events.find((event) => event.type === 'UPDATE_OPERATION_STATUS')).toMatchObject({
      update_operation_status: { status: { operation_id: { value: 'op' }, state: 'OPERATION_FINISHED' } },
    });
    fw.launch(fw.offer(), 't', { resources: reserved }, 0);
    await clock.advance(0);
    expect(fw.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
    agents[0]?.report('t' as never, 'TASK_FINISHED');
    await clock.advance(2000);
    for (const held of fw.offers()) fw.decline(held, 0);
    await clock.advance(2000);
    expect(fw.offer().resources).toContainEqual(
      expect.objectContaining({ scalar: { value: 0.5 }, reservations: mine }),
    );
    fw.accept(fw.offer(), [{ type: 'UNRESERVE', unreserve: { resources: reserved } }], 0);
    await clock.advance(2000);
    expect(fw.offer().resources?.filter((resource) => resource.reservations !== undefined)).toEqual([]);
  });

  it('are refused for another role, another principal, or more than was offered', async () => {
    const { clock, master } = await lab();
    const fw = new TestFramework().subscribe(master, info({ roles: ['web'], principal: 'p', capabilities: MODERN }));
    const reserve = async (role: string, principal: string, cpus: number): Promise<unknown> => {
      await clock.advance(2000);
      const reservations = [{ type: 'DYNAMIC' as const, role, principal }];
      const resources = [scalar('cpus', cpus, { reservations })];
      fw.accept(fw.offer(), [{ type: 'RESERVE', id: { value: 'op' }, reserve: { resources } }], 0);
      await clock.advance(0);
      const event = fw.events.at(-1);
      return event?.type === 'UPDATE_OPERATION_STATUS' ? event.update_operation_status.status : event;
    };
    expect(await reserve('db', 'p', 1)).toMatchObject({
      state: 'OPERATION_ERROR',
      message: expect.stringContaining("role 'web'"),
    });
    expect(await reserve('web', 'q', 1)).toMatchObject({
      state: 'OPERATION_ERROR',
      message: expect.stringContaining("principal 'p'"),
    });
    expect(await reserve('web', 'p', 99)).toMatchObject({
      state: 'OPERATION_ERROR',
      message: expect.stringContaining('does not contain'),
    });
  });

  it('are kept by the agent through a master failover, and through its own removal', async () => {
    const { clock, master, agents } = await lab();
    const fw = new TestFramework().subscribe(master, info({ roles: ['web'], principal: 'p', capabilities: MODERN }));
    await clock.advance(0);
    const reservations = [{ type: 'DYNAMIC' as const, role: 'web', principal: 'p' }];
    fw.accept(fw.offer(), [{ type: 'RESERVE', reserve: { resources: [scalar('cpus', 1, { reservations })] } }], 0);
    await clock.advance(0);
    master.shutdown();
    const next = newMaster(clock, { registry: master.registry() });
    agents[0]?.join(next);
    const again = new TestFramework().subscribe(next, info({ roles: ['web'], principal: 'p', capabilities: MODERN }));
    await clock.advance(0);
    const kept = expect.objectContaining({ scalar: { value: 1 }, reservations });
    expect(again.offer().resources).toContainEqual(kept);
    next.unregister(agents[0]?.id as AgentId);
    agents[0]?.join(next);
    await clock.advance(0);
    expect(again.offer().resources).toContainEqual(kept);
  });
});

const PUBLIC = { type: 'STATIC' as const, role: 'slave_public' };
const LABELS = { labels: [{ key: 'agent', value: '127.0.31.1' }] };
const OURS = { type: 'DYNAMIC' as const, role: 'slave_public/nodemesh', principal: 'p', labels: LABELS };
const NODEMESH = { roles: ['nodemesh', 'slave_public/nodemesh'], principal: 'p', capabilities: MODERN };

interface PublicLab extends Lab {
  readonly fw: TestFramework;
  readonly agent: StandInAgent;
}

/** A private and a public agent, and a framework with a role for each. */
async function publicLab(): Promise<PublicLab> {
  const made = await lab(0);
  const reservations = [PUBLIC];
  const own = [scalar('cpus', 2), scalar('mem', 1024), scalar('disk', 4096), ports(4140, 4141)];
  const reserved = own.map((resource) => ({ ...resource, reservations }));
  const agent = new StandInAgent(made.clock, describeAgent('127.0.31.1', { resources: reserved })).join(made.master);
  const other = new StandInAgent(made.clock, describeAgent('127.0.31.2')).join(made.master);
  const fw = new TestFramework().subscribe(made.master, info(NODEMESH));
  await made.clock.advance(0);
  return { ...made, agents: [agent, other], agent, fw };
}

const refined = (resource: Resource): Resource => ({ ...resource, reservations: [PUBLIC, OURS] });
const WANTED = [refined(scalar('cpus', 0.5)), refined(scalar('mem', 64)), refined(ports(4140, 4141))];
const reserveOf = (resources: Resource[], id?: string): Operation => ({
  type: 'RESERVE',
  ...(id === undefined ? {} : { id: { value: id } }),
  reserve: { resources },
});

describe('the resources of a public agent', () => {
  it('are offered to the role below slave_public, and never to the other role of the framework', async () => {
    const { clock, fw, master } = await publicLab();
    expect(fw.offer('127.0.31.1').allocation_info).toEqual({ role: 'slave_public/nodemesh' });
    expect(
      fw.offer('127.0.31.1').resources?.every((resource) => resource.reservations?.[0]?.role === PUBLIC.role),
    ).toBe(true);
    expect(['nodemesh', 'slave_public/nodemesh']).toContain(fw.offer('127.0.31.2').allocation_info?.role);
    const stranger = new TestFramework().subscribe(master, info({ roles: ['web'] }));
    fw.decline(fw.offer('127.0.31.1'), 60);
    await clock.advance(2000);
    expect(stranger.offers('127.0.31.1')).toEqual([]);
  });

  it('can be reserved a second time for that role, used in the same ACCEPT, and are shown with both', async () => {
    const { clock, fw, master, agent } = await publicLab();
    const offer = fw.offer('127.0.31.1');
    const launched: Operation = { type: 'LAUNCH', launch: { task_infos: [task(offer, 't', { resources: WANTED })] } };
    fw.accept(offer, [reserveOf(WANTED, 'op'), launched], 0);
    await clock.advance(1500);
    expect(fw.states('t').at(-1)).toBe('TASK_RUNNING');
    const shown = master.getAgents().agents.find(({ agent_info }) => agent_info.id?.value === agent.id);
    const labelled = expect.objectContaining({ name: 'cpus', reservations: [PUBLIC, OURS], scalar: { value: 0.5 } });
    expect(shown?.total_resources).toContainEqual(labelled);
    // The old shape has no words for it: neither `role` nor `reservation`.
    expect(shown?.total_resources?.find(({ reservations }) => reservations?.length === 2)).not.toHaveProperty('role');
    expect(shown).toMatchObject({ allocated_resources: expect.arrayContaining([labelled]) });
    expect(agent.checkpointed).toHaveLength(3);

    const undo: Operation = { type: 'UNRESERVE', id: { value: 'undo' }, unreserve: { resources: WANTED } };
    fw.accept(fw.offer('127.0.31.1'), [undo], 0);
    await clock.advance(0);
    expect(lastOperation(fw)).toMatchObject({ state: 'OPERATION_ERROR', message: expect.stringContaining('contain') });
    agent.report('t' as never, 'TASK_FINISHED');
    await clock.advance(2000);
    for (const held of fw.offers('127.0.31.1')) fw.decline(held, 0);
    await clock.advance(2000);
    fw.accept(fw.offer('127.0.31.1'), [undo], 0);
    await clock.advance(0);
    expect(lastOperation(fw)).toMatchObject({ state: 'OPERATION_FINISHED' });
    expect(agent.checkpointed).toEqual([]);
  });

  it('stay reserved when the framework is torn down', async () => {
    const { clock, fw, master, agent } = await publicLab();
    fw.accept(fw.offer('127.0.31.1'), [reserveOf(WANTED)], 0);
    fw.call({ type: 'TEARDOWN' });
    await clock.advance(0);
    expect(agent.checkpointed).toHaveLength(3);
    const next = new TestFramework().subscribe(master, info(NODEMESH));
    await clock.advance(0);
    expect(next.offer('127.0.31.1').resources).toContainEqual(
      expect.objectContaining({ name: 'cpus', reservations: [PUBLIC, OURS] }),
    );
  });

  it('are not reserved by a wrong operation, and the task that needs that is an error', async () => {
    const { clock, fw } = await publicLab();
    const offer = fw.offer('127.0.31.1');
    const wrong = WANTED.map((resource) => ({ ...resource, reservations: [PUBLIC, { ...OURS, principal: 'q' }] }));
    const good = task(offer, 'good', { resources: [scalar('cpus', 0.1, { reservations: [PUBLIC] })] });
    const task_infos = [task(offer, 't', { resources: wrong }), good];
    fw.accept(offer, [reserveOf(wrong), { type: 'LAUNCH', launch: { task_infos } }], 0);
    await clock.advance(0);
    expect(fw.updates('t')).toMatchObject([
      {
        state: 'TASK_ERROR',
        reason: 'REASON_TASK_INVALID',
        message: expect.stringContaining('more than available'),
      } satisfies Partial<TaskStatus>,
    ]);
    expect(fw.states('good').at(-1)).toBe('TASK_RUNNING');
    // Without an id nobody hears of the operation.
    expect(fw.types()).not.toContain('UPDATE_OPERATION_STATUS');
  });

  it('cannot be reserved for a role that is not below, nor twice by those who do not know of it', async () => {
    const { clock, fw, master } = await publicLab();
    const stray = [scalar('cpus', 0.5, { reservations: [{ ...PUBLIC, role: 'other' }, OURS] })];
    fw.accept(fw.offer('127.0.31.1'), [reserveOf(stray, 'stray')], 60);
    await clock.advance(0);
    expect(lastOperation(fw)).toMatchObject({ message: expect.stringContaining("is not a child of role 'other'") });
    const old = { ...NODEMESH, roles: ['slave_public/nodemesh'], capabilities: [{ type: 'MULTI_ROLE' }] };
    const plain = new TestFramework().subscribe(master, info(old));
    await clock.advance(2000);
    plain.accept(plain.offer('127.0.31.1'), [reserveOf(WANTED, 'old')], 60);
    await clock.advance(0);
    expect(lastOperation(plain)).toMatchObject({ message: expect.stringContaining('RESERVATION_REFINEMENT') });
  });

  it('with other labels are another reservation', async () => {
    const { clock, fw } = await publicLab();
    const other = { ...OURS, labels: { labels: [{ key: 'agent', value: 'another' }] } };
    const cpus = (reservation: typeof OURS): Resource => scalar('cpus', 0.5, { reservations: [PUBLIC, reservation] });
    fw.accept(fw.offer('127.0.31.1'), [reserveOf([cpus(OURS)]), reserveOf([cpus(other)])], 0);
    await clock.advance(2000);
    const reserved = fw.offer('127.0.31.1').resources?.filter(({ reservations }) => reservations?.length === 2) ?? [];
    expect(reserved.map(({ scalar: amount }) => amount?.value)).toEqual([0.5, 0.5]);
  });
});

function lastOperation(fw: TestFramework): unknown {
  const event = fw.events.findLast(({ type }) => type === 'UPDATE_OPERATION_STATUS');
  return event?.type === 'UPDATE_OPERATION_STATUS' ? event.update_operation_status.status : undefined;
}

describe('the feedback on an operation', () => {
  it('is sent again until it is acknowledged, and known to RECONCILE_OPERATIONS until then', async () => {
    const { clock, fw, agent } = await publicLab();
    const count = (): number => fw.types().filter((type) => type === 'UPDATE_OPERATION_STATUS').length;
    fw.accept(fw.offer('127.0.31.1'), [reserveOf(WANTED, 'op')], 0);
    await clock.advance(31_000);
    expect(count()).toBe(3);
    const { uuid } = lastOperation(fw) as { uuid: { value: string } };
    const agent_id = { value: agent.id as AgentId };
    const operation_id = { value: 'op' };
    const ask = async (): Promise<unknown> => {
      const reconcile_operations = { operations: [{ operation_id, agent_id }] };
      fw.connection?.call({ type: 'RECONCILE_OPERATIONS', reconcile_operations } as never);
      await clock.advance(0);
      return lastOperation(fw);
    };
    expect(await ask()).toEqual({ operation_id, state: 'OPERATION_FINISHED', agent_id });
    const acknowledge_operation_status = { operation_id, uuid: uuid.value };
    fw.connection?.call({ type: 'ACKNOWLEDGE_OPERATION_STATUS', acknowledge_operation_status } as never);
    await clock.advance(600_000);
    expect(count()).toBe(4);
    expect(await ask()).toMatchObject({ state: 'OPERATION_UNKNOWN' });
    agent.cut();
    await clock.advance(5000);
    expect(await ask()).toMatchObject({ state: 'OPERATION_UNREACHABLE' });
  });
});
