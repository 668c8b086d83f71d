import { describe, expect, test } from 'vitest';
import { all, Fleet, ROLLOUT, V1B, V2 } from './fleet.ts';

const TEN = Array.from({ length: 10 }, (_, index) => `n${index}`);

describe('a rollout', () => {
  test('R1: serial changes one node after the other, in order, and one is down at any time', () => {
    const fleet = new Fleet(TEN);
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    expect(fleet.finish()).toEqual(TEN.map((agent) => [agent]));
    expect(fleet.mostDown).toBe(1);
    expect(fleet.goals()).toEqual(all(TEN, 'v2'));
    expect(fleet.story.state.completed).toEqual(V2);
    expect(fleet.story.plan('update')).toMatchObject({ status: 'COMPLETE', strategy: 'serial', errors: [] });
  });

  test('serial stays one at a time where more may be unavailable', () => {
    const fleet = new Fleet(TEN, { maxUnavailable: 3 });
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    fleet.finish();
    expect(fleet.mostDown).toBe(1);
  });

  test('parallel changes as many at a time as may be unavailable, and never more', () => {
    const fleet = new Fleet(TEN, { maxUnavailable: 3 });
    fleet.story.send.rollOut(V2, { kind: 'parallel' });
    expect(fleet.finish().map((round) => round.length)).toEqual([3, 3, 3, 1]);
    expect(fleet.mostDown).toBe(3);
    expect(fleet.goals()).toEqual(all(TEN, 'v2'));
  });

  test('R3: canary changes its nodes, waits, and goes on to the end when it is told to continue', () => {
    const fleet = new Fleet(TEN, { maxUnavailable: 3 });
    fleet.story.send.rollOut(V2, { kind: 'canary', nodes: 2 });
    expect(fleet.finish()).toEqual([['n0', 'n1']]);
    expect(fleet.story.plan('update')).toMatchObject({ status: 'WAITING', strategy: 'canary' });
    expect(fleet.story.steps('update')).toEqual({ ...all(TEN, 'WAITING'), n0: 'COMPLETE', n1: 'COMPLETE' });
    fleet.story.after(3_600_000);
    expect(fleet.obey()).toEqual([]);
    expect(fleet.story.send.command('update', 'continue')).toBe('done');
    expect(fleet.finish().flat()).toEqual(TEN.slice(2));
    expect(fleet.story.plan('update').status).toBe('COMPLETE');
    expect(fleet.story.send.command('update', 'continue')).toBe('already');
  });

  test('by percentages goes on by itself from share to share, when all of a share are well', () => {
    const fleet = new Fleet(TEN, { maxUnavailable: 4 });
    fleet.story.send.rollOut(V2, { kind: 'percentages', steps: [50, 10] });
    expect(fleet.finish().map((round) => round.length)).toEqual([1, 4, 4, 1]);
    expect(fleet.story.plan('update').phases.map((phase) => [phase.name, phase.steps.length, phase.status])).toEqual([
      ['10%', 1, 'COMPLETE'],
      ['50%', 4, 'COMPLETE'],
      ['100%', 5, 'COMPLETE'],
    ]);
  });

  test('to a goal that can be reached in place asks the task, and kills nothing', () => {
    const fleet = new Fleet(['a', 'b']);
    const [before] = [fleet.story.node('a')?.taskId];
    fleet.story.send.rollOut(V1B, { kind: 'serial' });
    fleet.story.expects.killed();
    expect(fleet.finish()).toEqual([['a'], ['b']]);
    fleet.story.expects.killed();
    expect(fleet.story.node('a')?.taskId).toBe(before);
    expect(fleet.story.disk.get('a')?.goal).toEqual(V1B);
    expect(fleet.mostDown).toBe(0);
  });

  test('asks again when the task says nothing, and another task of the node is one of the new goal', () => {
    const fleet = new Fleet(['a', 'b']);
    fleet.story.send.rollOut(V1B, { kind: 'serial' });
    expect(fleet.story.takeUpgrades()).toEqual(['a']);
    fleet.story.after(45_000);
    expect(fleet.story.takeUpgrades()).toEqual(['a', 'a', 'a']);
    fleet.story.send.update(fleet.story.node('a')?.taskId ?? '', 'TASK_FAILED');
    fleet.relaunch('a');
    expect(fleet.goals()).toEqual({ a: 'v1b', b: 'v1' });
    fleet.finish();
    expect(fleet.goals()).toEqual({ a: 'v1b', b: 'v1b' });
  });

  test('takes no word of a task for a goal that it cannot have become in place', () => {
    const fleet = new Fleet(['a', 'b']);
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    fleet.story.send.runs(fleet.story.node('b')?.taskId ?? '', 'v2');
    expect(fleet.goals().b).toBe('v1');
  });

  test('waits at the gate: a node that is well for a moment only does not count', () => {
    const fleet = new Fleet(['a', 'b']);
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    fleet.obey();
    const task = fleet.story.node('a')?.taskId ?? '';
    fleet.story.after(ROLLOUT.gateMs - 1_000);
    fleet.story.send.unhealthy(task, 'sick');
    fleet.story.after(60_000);
    fleet.story.send.healthy(task);
    fleet.story.after(ROLLOUT.gateMs - 1);
    expect(fleet.obey()).toEqual([]);
    fleet.story.after(1);
    expect(fleet.obey()).toEqual(['b']);
  });

  test('R5: back to the goal before changes only the nodes that were changed', () => {
    const fleet = new Fleet(TEN);
    fleet.story.send.rollOut(V2, { kind: 'canary', nodes: 2 });
    fleet.finish();
    fleet.story.send.rollOut({ id: 'v1', relaunchKey: 'k1' }, { kind: 'serial' });
    expect(fleet.finish()).toEqual([['n0'], ['n1']]);
    expect(fleet.goals()).toEqual(all(TEN, 'v1'));
    expect(fleet.story.plan('update').status).toBe('COMPLETE');
  });

  test('to what the tasks are already is nothing to do', () => {
    const fleet = new Fleet(['a']);
    fleet.story.send.rollOut({ id: 'v1', relaunchKey: 'k1' }, { kind: 'serial' });
    expect(fleet.story.state.rollout).toBeNull();
  });

  test('does not go on while everything is frozen', () => {
    const fleet = new Fleet(['a', 'b']);
    expect(fleet.story.send.freeze(true)).toBe('done');
    expect(fleet.story.send.freeze(true)).toBe('already');
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    fleet.story.after(3_600_000);
    expect(fleet.obey()).toEqual([]);
    expect(fleet.story.send.freeze(false)).toBe('done');
    expect(fleet.finish()).toEqual([['a'], ['b']]);
  });
});
