import { describe, expect, test } from 'vitest';
import { all, Fleet, ROLLOUT, V1B, V2 } from './fleet.ts';

const FIVE = ['a', 'b', 'c', 'd', 'e'];

describe('a node that does not get well', () => {
  test('R4 F17: fails after its time, and stops the rollout; the others stay as they are', () => {
    const fleet = new Fleet(FIVE);
    fleet.broken.add('a');
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    fleet.obey();
    fleet.story.after(ROLLOUT.stepTimeoutMs - 1);
    expect(fleet.story.plan('update').status).toBe('IN_PROGRESS');
    fleet.story.after(1);
    const plan = fleet.story.plan('update');
    expect(plan.status).toBe('ERROR');
    expect(plan.errors).toEqual(['a.example: it was not healthy with the new version within 300 s']);
    fleet.story.after(3_600_000);
    expect(fleet.obey()).toEqual([]);
    expect(fleet.goals()).toEqual({ ...all(FIVE, 'v1'), a: 'v2' });
    expect(fleet.story.steps('update')).toMatchObject({ a: 'ERROR', b: 'PENDING' });
  });

  test('U12: whose new task is an error to Mesos stops the rollout at once, with what Mesos says', () => {
    const fleet = new Fleet(FIVE);
    fleet.broken.add('a');
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    fleet.obey();
    fleet.story.send.update(fleet.story.node('a')?.taskId ?? '', 'TASK_ERROR', { message: 'Task uses invalid ports' });
    expect(fleet.story.plan('update')).toMatchObject({
      status: 'ERROR',
      errors: ['a.example: the new task error (Task uses invalid ports)'],
    });
    fleet.story.after(3_600_000);
    expect(fleet.obey()).toEqual([]);
  });

  test('F20: that cannot change in place fails with the reason that it gave, and keeps what it runs', () => {
    const fleet = new Fleet(FIVE);
    fleet.story.send.rollOut(V1B, { kind: 'serial' });
    const taskId = fleet.story.state.nodes.get('a' as never)?.task?.taskId;
    if (taskId === undefined) throw new Error('no task');
    fleet.story.event({ type: 'upgrade-failed', taskId, goal: 'v1', reason: 'old news' });
    expect(fleet.story.plan('update').errors).toEqual([]);
    fleet.story.event({ type: 'upgrade-failed', taskId, goal: 'v1b', reason: 'the archive cannot be fetched' });
    expect(fleet.story.plan('update').errors).toEqual(['a.example: the archive cannot be fetched']);
    expect(fleet.goals()).toEqual(all(FIVE, 'v1'));
  });

  test('is tried again by restart, and so is everything after it', () => {
    const fleet = new Fleet(FIVE);
    fleet.broken.add('a');
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    fleet.obey();
    fleet.story.after(ROLLOUT.stepTimeoutMs);
    fleet.broken.clear();
    fleet.story.send.healthy(fleet.story.node('a')?.taskId ?? '');
    expect(fleet.story.send.command('update', 'restart')).toBe('done');
    expect(fleet.story.plan('update').errors).toEqual([]);
    fleet.finish();
    expect(fleet.goals()).toEqual(all(FIVE, 'v2'));
    expect(fleet.story.plan('update').status).toBe('COMPLETE');
  });

  test('is left behind by forceComplete, and counts in the budget until it is well', () => {
    const fleet = new Fleet(FIVE);
    fleet.broken.add('a');
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    fleet.obey();
    fleet.story.after(ROLLOUT.stepTimeoutMs);
    expect(fleet.story.send.command('update', 'forceComplete', { phase: 'nodes', step: 'a.example' })).toBe('done');
    expect(fleet.story.send.command('update', 'forceComplete', { phase: 'nodes', step: 'a' })).toBe('already');
    fleet.finish();
    expect(fleet.goals()).toEqual(all(FIVE, 'v2'));
    expect(fleet.story.plan('update').status).toBe('COMPLETE');
  });
});

describe('R11: orders', () => {
  test('stop and interrupt finish what is begun and begin nothing; start and continue go on; repeated, it is so already', () => {
    const fleet = new Fleet(FIVE);
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    for (const [halt, go] of [
      ['stop', 'start'],
      ['interrupt', 'continue'],
    ] as const) {
      expect(fleet.story.send.command('update', go)).toBe('already');
      expect(fleet.story.send.command('update', halt)).toBe('done');
      expect(fleet.story.send.command('update', halt)).toBe('already');
      fleet.obey();
      fleet.story.after(3_600_000);
      expect(fleet.obey()).toEqual([]);
      expect(fleet.story.plan('update').status).toBe('WAITING');
      expect(fleet.story.send.command('update', go)).toBe('done');
    }
    fleet.finish();
    expect(fleet.goals()).toEqual(all(FIVE, 'v2'));
    for (const verb of ['start', 'stop', 'continue', 'interrupt', 'restart', 'forceComplete'] as const)
      expect(fleet.story.send.command('update', verb)).toBe('already');
  });

  test('R13: of what is not there are not found, and a step without its phase makes no sense', () => {
    const fleet = new Fleet(FIVE);
    expect(fleet.story.send.command('update', 'stop')).toBe('not-found');
    expect(fleet.story.send.command('nonsense', 'stop')).toBe('not-found');
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    expect(fleet.story.send.command('update', 'stop', { phase: 'nonsense' })).toBe('not-found');
    expect(fleet.story.send.command('update', 'restart', { phase: 'nodes', step: 'z' })).toBe('not-found');
    expect(fleet.story.send.command('update', 'restart', { step: 'a' })).toBe('invalid');
    expect(fleet.story.send.command('update', 'stop', { phase: 'nodes', step: 'a' })).toBe('invalid');
    expect(fleet.story.send.command('deploy', 'restart', { phase: 'nodes', step: 'z' })).toBe('not-found');
  });

  test('to deploy and recovery are about one node; launching is not stopped', () => {
    const fleet = new Fleet(FIVE);
    const task = fleet.story.node('a')?.taskId ?? '';
    expect(fleet.story.send.command('deploy', 'start')).toBe('already');
    expect(fleet.story.send.command('deploy', 'stop')).toBe('invalid');
    expect(fleet.story.send.command('recovery', 'restart')).toBe('invalid');
    expect(fleet.story.send.command('recovery', 'forceComplete', { phase: 'nodes', step: 'a' })).toBe('invalid');
    expect(fleet.story.send.command('recovery', 'restart', { phase: 'nodes', step: 'a' })).toBe('done');
    fleet.story.expects.killed(task);
    fleet.story.send.update(task, 'TASK_KILLED');
    expect(fleet.story.send.command('recovery', 'restart', { phase: 'nodes', step: 'a' })).toBe('already');
  });
});

describe('R12: the plans', () => {
  test('deploy is complete when every node was healthy once; from then on recovery shows who is not', () => {
    const fleet = new Fleet(['a']);
    const { story } = fleet;
    story.send.agentAdded('b');
    expect(story.plan('deploy').status).toBe('IN_PROGRESS');
    expect(story.steps('deploy')).toEqual({ a: 'COMPLETE', b: 'PENDING' });
    expect(story.plan('recovery')).toMatchObject({ status: 'COMPLETE' });
    fleet.relaunch('b');
    expect(story.plan('deploy').status).toBe('COMPLETE');
    story.send.update(story.node('a')?.taskId ?? '', 'TASK_FAILED', { message: 'exit 1' });
    expect(story.plan('deploy').status).toBe('COMPLETE');
    expect(story.steps('recovery')).toEqual({ a: 'PENDING' });
    expect(story.plan('recovery').phases[0]?.steps[0]?.message).toMatch(/failed \(exit 1\)/);
    story.restart();
    expect(story.plan('deploy').status).toBe('COMPLETE');
  });
});
