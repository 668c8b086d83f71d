import { describe, expect, it } from 'vitest';
import { type FrameworkId, type FrameworkInfo, frameworkId } from '../../../framework/mesos-http-client/messages.ts';
import { lab } from './support/lab.ts';
import { info, TestFramework } from './support/test-framework.ts';

function idOf(fw: TestFramework): { value: FrameworkId } {
  const id = fw.connection?.frameworkId;
  if (id === undefined) throw new Error('not subscribed');
  return { value: id };
}

describe('a subscription', () => {
  it('beats every 15 seconds, the first time at once', async () => {
    const { clock, master } = await lab(0);
    const fw = new TestFramework().subscribe(master);
    await clock.advance(45_000);
    expect(fw.types()).toEqual(['SUBSCRIBED', 'HEARTBEAT', 'HEARTBEAT', 'HEARTBEAT', 'HEARTBEAT']);
  });

  it('is taken over by a second one with the same id', async () => {
    const { clock, master } = await lab();
    const first = new TestFramework().subscribe(master);
    await clock.advance(0);
    const second = new TestFramework().subscribe(master, info({ id: idOf(first) }));
    await clock.advance(0);
    expect(first.events.at(-1)).toEqual({ type: 'ERROR', error: { message: 'Framework failed over' } });
    expect(first.closed).toBe(true);
    expect(first.call({ type: 'REVIVE' })).toMatchObject({
      status: 400,
      message: expect.stringContaining("didn't match"),
    });
    expect(second.offers()).toHaveLength(1);
    first.connection?.close();
    expect(second.call({ type: 'REVIVE' })).toBeNull();
  });

  it('may use an id that this master has never seen', async () => {
    const { clock, master } = await lab(0);
    const fw = new TestFramework().subscribe(master, info({ id: { value: frameworkId('from-elsewhere-0007') } }));
    await clock.advance(0);
    expect(fw.events[0]).toMatchObject({ subscribed: { framework_id: { value: 'from-elsewhere-0007' } } });
  });

  const refused: [why: string, over: Partial<FrameworkInfo>, message: string][] = [
    [
      'roles without MULTI_ROLE',
      { capabilities: [] },
      "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable",
    ],
    [
      'role with MULTI_ROLE',
      { role: 'x' },
      "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable",
    ],
    [
      'a slash first',
      { roles: ['/a'] },
      "'FrameworkInfo.roles' contains invalid role: Role '/a' cannot start with a slash",
    ],
    ['a role twice', { roles: ['a', 'a'] }, "'FrameworkInfo.roles' contains duplicate items: a, a"],
    [
      'an endless failover_timeout',
      { failover_timeout: 1e300 },
      'The framework failover_timeout (1e+300) is invalid: Argument out of the range that a Duration can represent',
    ],
  ];
  it.each(refused)('is refused on the stream: %s', async (_why, over, message) => {
    const { clock, master } = await lab();
    const fw = new TestFramework().subscribe(master, info(over));
    await clock.advance(0);
    expect(fw.events).toEqual([{ type: 'ERROR', error: { message } }]);
    expect(fw.closed).toBe(true);
  });
});

describe('a framework that lost its stream', () => {
  it('comes back within its failover_timeout to its running task, filters forgotten', async () => {
    const { clock, master, agents } = await lab();
    const first = new TestFramework().subscribe(master);
    await clock.advance(0);
    first.launch(first.offer(), 't');
    await clock.advance(0);
    first.connection?.close();
    expect(first.call({ type: 'REVIVE' })).toEqual({ status: 403, message: 'Framework is not subscribed' });
    await clock.advance(59_000);
    const second = new TestFramework().subscribe(master, info({ id: idOf(first) }));
    second.call({ type: 'RECONCILE', reconcile: { tasks: [] } });
    await clock.advance(0);
    expect(second.states('t')).toEqual(['TASK_RUNNING']);
    expect(agents.map((agent) => agent.told.at(-1))).toEqual(agents.map(() => ({ call: 'updateFramework' })));
    expect(second.offers()).toHaveLength(1);
  });

  it('is removed when the timeout has passed: its tasks die and its id is dead', async () => {
    const { clock, master, agents } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't');
    await clock.advance(0);
    fw.connection?.close();
    await clock.advance(61_000);
    expect(agents[0]?.told.at(-1)).toEqual({ call: 'shutdownFramework' });
    const late = new TestFramework().subscribe(master, info({ id: idOf(fw) }));
    await clock.advance(0);
    expect(late.events).toEqual([{ type: 'ERROR', error: { message: 'Framework has been removed' } }]);
    expect(late.closed).toBe(true);
  });

  it('gives its offers to the others', async () => {
    const { clock, master } = await lab();
    const first = new TestFramework().subscribe(master);
    await clock.advance(0);
    const second = new TestFramework().subscribe(master);
    first.connection?.close();
    await clock.advance(0);
    expect(second.offers()).toHaveLength(1);
  });
});

describe('TEARDOWN', () => {
  it('ends the stream, kills the tasks and frees their resources', async () => {
    const { clock, master, agents } = await lab();
    const fw = new TestFramework().subscribe(master);
    const other = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't');
    await clock.advance(0);
    fw.call({ type: 'TEARDOWN' });
    for (const offer of other.offers()) other.decline(offer, 0);
    await clock.advance(2000);
    expect(fw.closed).toBe(true);
    expect(agents[0]?.tasks.size).toBe(0);
    expect(fw.call({ type: 'REVIVE' })).toEqual({ status: 400, message: 'Framework cannot be found' });
    expect(other.offer().resources).toContainEqual(expect.objectContaining({ name: 'cpus', scalar: { value: 2 } }));
  });
});
