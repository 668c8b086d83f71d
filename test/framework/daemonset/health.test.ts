import { describe, expect, test } from 'vitest';
import { parseConstraint } from '../../../framework/offers/constraints.ts';
import { Fleet } from '../rollout/fleet.ts';

const TWENTY = Array.from({ length: 20 }, (_, index) => `n${String(index).padStart(2, '0')}`);
const taskOf = (fleet: Fleet, agent: string): string => fleet.story.node(agent)?.taskId ?? '';

describe('a task of which nothing answers', () => {
  test('is killed after 30 s, and not before; a word of it in between begins anew', () => {
    const fleet = new Fleet(TWENTY);
    fleet.story.send.dead(taskOf(fleet, 'n00'));
    fleet.story.after(29_000);
    fleet.story.send.unhealthy(taskOf(fleet, 'n00'), 'it answers, and is not well');
    fleet.story.send.dead(taskOf(fleet, 'n00'));
    fleet.story.after(29_999);
    fleet.story.expects.killed();
    fleet.story.after(1);
    fleet.story.expects.killed(taskOf(fleet, 'n00'));
    fleet.story.expects.node('n00', 'unhealthy', /Nothing of the task answers any more; it is being replaced/);
  });

  test('is not killed for being unwell alone', () => {
    const fleet = new Fleet(TWENTY);
    fleet.story.send.unhealthy(taskOf(fleet, 'n00'), 'sick');
    fleet.story.after(3_600_000);
    fleet.story.expects.killed();
  });

  test('is one of as many at a time as may be unavailable; the next follows when that one is well again', () => {
    const fleet = new Fleet(TWENTY);
    for (const agent of ['n00', 'n01']) fleet.story.send.dead(taskOf(fleet, agent));
    fleet.story.after(60_000);
    expect(fleet.obey()).toEqual(['n00']);
    fleet.story.after(5_000);
    expect(fleet.obey()).toEqual(['n01']);
  });

  test('keeps its place in the budget until it is well, though it says so once more while it is killed', () => {
    const fleet = new Fleet(TWENTY);
    for (const agent of ['n00', 'n01']) fleet.story.send.dead(taskOf(fleet, agent));
    fleet.story.after(30_000);
    const task = taskOf(fleet, 'n00');
    fleet.story.expects.killed(task);
    fleet.story.send.healthy(task);
    fleet.story.after(4_000);
    fleet.story.expects.killed();
  });

  test('lives on while more than a tenth, and more than one, are unwell together', () => {
    const fleet = new Fleet(TWENTY);
    for (const agent of ['n00', 'n01', 'n02']) fleet.story.send.dead(taskOf(fleet, agent));
    fleet.story.after(600_000);
    fleet.story.expects.killed();
    fleet.story.send.healthy(taskOf(fleet, 'n02'));
    fleet.story.after(5_000);
    expect(fleet.story.takeCalls('KILL')).toHaveLength(1);
  });

  test('counts among those that have a task, not among agents that are to have none', () => {
    const fleet = new Fleet(['a', 'b', 'c', 'd'], {}, { constraints: [parseConstraint('rack:UNLIKE:out')] });
    for (const agent of TWENTY) fleet.story.send.offer(agent, { attributes: { rack: 'out' } });
    for (const agent of ['a', 'b']) fleet.story.send.dead(taskOf(fleet, agent));
    fleet.story.after(600_000);
    fleet.story.expects.killed();
  });

  test('is killed too when that was known before Mesos said that it runs', () => {
    const fleet = new Fleet(TWENTY);
    const task = taskOf(fleet, 'n00');
    fleet.story.restart();
    fleet.story.send.subscribed();
    fleet.story.send.dead(task);
    fleet.story.after(60_000);
    fleet.story.expects.killed();
    fleet.story.send.reconciled(task, 'TASK_RUNNING');
    fleet.story.after(30_000);
    fleet.story.expects.killed(task);
  });

  test('and a rollout share one budget', () => {
    const fleet = new Fleet(TWENTY);
    fleet.story.send.dead(taskOf(fleet, 'n05'));
    fleet.story.send.rollOut({ id: 'v2', relaunchKey: 'k2' }, { kind: 'parallel' });
    fleet.story.expects.killed(taskOf(fleet, 'n00'));
    fleet.story.after(60_000);
    expect(fleet.story.takeCalls('KILL').map((call) => call.kill.agent_id?.value)).not.toContain('n05');
  });
});
