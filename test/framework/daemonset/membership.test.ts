import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConstraint } from '../../../framework/offers/constraints.ts';
import { Story } from '../story.ts';

const subscribed = (...constraints: string[]): Story => {
  const story = new Story([], { constraints: constraints.map(parseConstraint) });
  story.send.subscribed();
  return story;
};

const excluded = (story: Story): string[] =>
  [...story.state.nodes.keys()].filter((agent) => story.node(agent)?.state === 'excluded');

describe('the placement', () => {
  test('leaves out an agent that does not match, and says why', () => {
    const story = subscribed('rack:IS:r1', '@public:IS:false');
    story.send.offer('a', { attributes: { rack: 'r1' } });
    story.send.offer('b', { attributes: { rack: 'r2' } });
    story.expects.launched('a');
    story.expects.declined(3600);
    story.expects.node('b', 'excluded', /^Left out of the placement: rack r2 is not r1\.$/);
    story.send.offer('c', { attributes: { rack: 'r1' }, role: 'slave_public/nodemesh', reservedTo: 'slave_public' });
    story.expects.node('c', 'excluded', /@public true is not false/);
    story.after(3_600_000);
    story.expects.revived(0);
  });

  test('takes an agent for private of which frameworks hold parts under roles below slave_public', () => {
    const story = subscribed('@public:IS:false');
    story.send.offer('a', { role: 'slave_public/nodemesh', reservedTo: 'slave_public/nodemesh' });
    story.expects.launched('a');
    expect(story.node('a')?.isPublic).toBe(false);
  });

  test('goes by regions and zones', () => {
    const story = subscribed('@region:IS:west', '@zone:UNLIKE:z[12]');
    story.send.offer('a', { region: 'west', zone: 'z3' });
    story.send.offer('b', { region: 'west', zone: 'z1' });
    story.send.offer('c', { region: 'east', zone: 'z3' });
    story.expects.launched('a');
    expect(excluded(story)).toEqual(['b', 'c']);
  });

  test('UNIQUE: one agent for each value; its end gives the place to another', () => {
    const story = subscribed('rack:UNIQUE');
    for (const agent of ['a', 'b', 'c']) story.send.offer(agent, { attributes: { rack: agent === 'c' ? 'r2' : 'r1' } });
    story.expects.launched('a', 'c');
    story.expects.node('b', 'excluded', /another agent has the task for rack r1/);
    // The end of the agent is known when that of its task is.
    story.send.agentRemoved('a');
    story.expects.node('b', 'excluded');
    story.send.update('a-task-1', 'TASK_GONE_BY_OPERATOR');
    story.expects.node('b', 'pending');
    story.send.offer('b', { attributes: { rack: 'r1' } });
    story.expects.launched('b');
  });

  test('MAX_PER: a task that dies, or an agent that is only lost, keeps its place', () => {
    const story = subscribed('rack:MAX_PER:1');
    const rack = { attributes: { rack: 'r1' } };
    story.send.offer('a', rack);
    const [task = ''] = story.expects.launched('a');
    story.send.offer('b', rack);
    story.send.update(task, 'TASK_UNREACHABLE');
    story.send.offer('b', rack);
    story.expects.nothingLaunched();
    story.send.update(task, 'TASK_FAILED');
    story.send.offer('b', rack);
    story.send.offer('a', rack);
    story.expects.launched('a');
  });

  test('UNIQUE: an agent that changes its value frees the one that it had', () => {
    const story = subscribed('rack:UNIQUE');
    story.send.offer('a', { attributes: { rack: 'r1' } });
    const [task = ''] = story.expects.launched('a');
    story.send.offer('b', { attributes: { rack: 'r1' } });
    expect(excluded(story)).toEqual(['b']);
    story.send.offer('a', { attributes: { rack: 'r2' } });
    expect(excluded(story)).toEqual([]);
    story.expects.killed();
    expect(story.node('a')?.taskId).toBe(task);
  });

  test('UNIQUE: who is left out hands its place on when its task is dead, not before', () => {
    const story = subscribed('rack:UNIQUE', 'disk:UNLIKE:broken');
    const rack = { rack: 'r1' };
    story.send.offer('a', { attributes: rack });
    const [task = ''] = story.expects.launched('a');
    story.send.update(task, 'TASK_RUNNING');
    story.send.offer('b', { attributes: rack });
    story.send.offer('a', { attributes: { ...rack, disk: 'broken' } });
    story.expects.killed(task);
    story.expects.node('a', 'excluded', /disk broken is like broken/);
    story.send.offer('b', { attributes: rack });
    story.expects.nothingLaunched();
    story.send.update(task, 'TASK_KILLED');
    story.send.offer('b', { attributes: rack });
    story.expects.launched('b');
  });

  test('UNIQUE: the same after a restart with constraints that leave out who has the task', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.offer('a', { attributes: { rack: 'r1', disk: 'broken' } });
    const [task = ''] = story.expects.launched('a');
    const constraints = ['rack:UNIQUE', 'disk:UNLIKE:broken'].map(parseConstraint);
    story.restart({ settings: { constraints } });
    story.send.subscribed();
    story.send.reconciled(task, 'TASK_RUNNING');
    expect(story.takeCalls('KILL').length).toBeGreaterThan(0);
    story.send.offer('b', { attributes: { rack: 'r1' } });
    story.expects.nothingLaunched();
    story.send.update(task, 'TASK_KILLED');
    story.after(2_000);
    story.send.offer('b', { attributes: { rack: 'r1' } });
    story.expects.launched('b');
  });

  test('UNIQUE: who is wanted again before its task is dead has its place still', () => {
    const story = subscribed('rack:UNIQUE', 'disk:UNLIKE:broken');
    const rack = { rack: 'r1' };
    story.send.offer('a', { attributes: rack });
    const [task = ''] = story.expects.launched('a');
    story.send.update(task, 'TASK_RUNNING');
    story.send.offer('b', { attributes: rack });
    story.send.offer('a', { attributes: { ...rack, disk: 'broken' } });
    story.send.offer('a', { attributes: rack });
    story.send.update(task, 'TASK_KILLED');
    expect(excluded(story)).toEqual(['b']);
    story.send.offer('a', { attributes: rack });
    story.send.offer('b', { attributes: rack });
    story.expects.launched('a');
  });

  test('UNIQUE: after a restart those that have the task keep it', () => {
    const story = new Story();
    story.send.subscribed();
    story.send.offer('a', { attributes: { rack: 'r1' } });
    story.expects.launched('a');
    story.send.update(story.node('a')?.taskId ?? '', 'TASK_FAILED');
    story.send.offer('b', { attributes: { rack: 'r1' } });
    const [task = ''] = story.expects.launched('b');
    story.restart({ settings: { constraints: [parseConstraint('rack:UNIQUE')] } });
    story.send.subscribed();
    expect(excluded(story)).toEqual(['a']);
    story.send.reconciled(task, 'TASK_RUNNING');
    story.expects.killed();
  });

  test('a task of an agent that is left out is killed, also when it comes back after a partition', () => {
    const story = subscribed('rack:IS:r1');
    story.send.offer('a', { attributes: { rack: 'r1' } });
    const [task = ''] = story.expects.launched('a');
    story.send.update(task, 'TASK_RUNNING');
    story.send.healthy(task);
    story.send.update(task, 'TASK_UNREACHABLE');
    story.send.offer('a', { attributes: { rack: 'r2' } });
    story.expects.killed();
    story.send.reconciled(task, 'TASK_RUNNING');
    story.expects.killed(task);
    story.expects.node('a', 'excluded', /rack r2 is not r1; the task is told to end/);
  });

  test('while frozen nobody is evicted, be it a task that is found; after the thaw they are', () => {
    const story = subscribed('rack:IS:r1');
    expect(story.send.freeze(true)).toBe('done');
    story.send.offer('a', { attributes: { rack: 'r1' } });
    const [task = ''] = story.expects.launched('a');
    story.send.update(task, 'TASK_RUNNING');
    story.send.healthy(task);
    story.send.offer('a', { attributes: { rack: 'r2' } });
    story.send.offer('b', { attributes: { rack: 'r2' } });
    story.send.reconciled('b-task-77', 'TASK_RUNNING');
    story.expects.killed();
    expect(story.send.freeze(false)).toBe('done');
    story.expects.killed(task, 'b-task-77');
  });

  test('as many as may be have a place under each value, whatever comes, changes and goes', () => {
    const agent = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const change = fc.oneof(
      fc.record({ agent, rack: fc.constantFrom('r1', 'r2') }),
      fc.record({ agent, rack: fc.constant(null) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(change, { maxLength: 30 }), (most, changes) => {
        const story = subscribed(`rack:MAX_PER:${most}`);
        const racks = new Map<string, string>();
        for (const { agent: name, rack } of changes) {
          if (rack === null) {
            story.send.agentRemoved(name);
            racks.delete(name);
          } else {
            story.send.offer(name, { attributes: { rack }, cpus: 0 });
            racks.set(name, rack);
          }
          const out = new Set(excluded(story));
          for (const one of ['r1', 'r2']) {
            const there = [...racks].filter(([, has]) => has === one);
            const placed = there.filter(([placedAgent]) => !out.has(placedAgent));
            expect(placed.length).toBe(Math.min(most, there.length));
          }
        }
      }),
    );
  });
});

describe('a node that an operator leaves out', () => {
  test('loses its task and what is reserved, gets nothing, also after a restart, and is taken in again', () => {
    const story = subscribed();
    const task = story.served('a');
    expect(story.send.holdOut('a', 'linkerd is there')).toBe('done');
    story.expects.killed(task);
    story.expects.node('a', 'excluded', /^Left out of the placement: linkerd is there; the task is told to end\.$/);
    story.send.update(task, 'TASK_KILLED');
    story.send.offer('a');
    story.expects.nothingLaunched();

    story.restart();
    story.send.subscribed();
    story.send.offer('a');
    story.expects.nothingLaunched();
    story.expects.node('a', 'excluded', /linkerd is there/);
    expect(story.send.holdOut('a', 'linkerd is there')).toBe('already');

    expect(story.send.holdOut('a', null)).toBe('done');
    story.send.offer('a');
    story.expects.launched('a');
    expect(story.node('a')?.heldOut).toBeNull();
  });

  test('is one by its hostname or address too; others are not known', () => {
    const story = subscribed('rack:IS:r1');
    story.send.offer('a', { attributes: { rack: 'r2' } });
    expect(story.send.holdOut(story.node('a')?.ip ?? '', 'away')).toBe('done');
    expect(story.send.holdOut('nowhere', 'away')).toBe('not-found');
    // The constraint stands as it did.
    expect(story.send.holdOut('a', null)).toBe('done');
    story.expects.node('a', 'excluded', /rack r2 is not r1/);
  });

  test('UNIQUE: another one gets its place when its task is dead', () => {
    const story = subscribed('rack:UNIQUE');
    const rack = { attributes: { rack: 'r1' } };
    story.send.offer('a', rack);
    const [task = ''] = story.expects.launched('a');
    story.send.offer('b', rack);
    story.send.holdOut('a', 'away');
    story.send.offer('b', rack);
    story.expects.nothingLaunched();
    story.send.update(task, 'TASK_KILLED');
    story.send.offer('b', rack);
    story.expects.launched('b');
  });
});
