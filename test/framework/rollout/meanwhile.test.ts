import { describe, expect, test } from 'vitest';
import { parseConstraint } from '../../../framework/offers/constraints.ts';
import { listed } from '../sketches.ts';
import { all, Fleet, ROLLOUT, V1B, V2, V3 } from './fleet.ts';

describe('a new goal while a rollout is at work', () => {
  test('does not wait for a node that is well and was only asked to change', () => {
    const fleet = new Fleet(['a', 'b']);
    fleet.story.send.rollOut(V1B, { kind: 'serial' });
    expect(fleet.story.takeUpgrades()).toEqual(['a']);
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    expect(fleet.finish()).toEqual([['a'], ['b']]);
  });

  test('waits for the node that is down, and brings it along too', () => {
    const fleet = new Fleet(['a', 'b', 'c']);
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    const task = fleet.story.node('a')?.taskId ?? '';
    fleet.story.expects.killed(task);
    fleet.story.send.rollOut(V3, { kind: 'serial' });
    fleet.story.send.healthy(task);
    fleet.story.expects.killed();
    fleet.story.send.update(task, 'TASK_KILLED');
    fleet.look();
    fleet.relaunch('a');
    fleet.finish();
    expect(fleet.goals()).toEqual(all(['a', 'b', 'c'], 'v3'));
    expect(fleet.mostDown).toBe(1);
  });
});

describe('a node that is away', () => {
  test('and comes back before the others are through has its turn with them', () => {
    const fleet = new Fleet(['a', 'b', 'c']);
    const task = fleet.story.node('b')?.taskId ?? '';
    fleet.story.send.update(task, 'TASK_UNREACHABLE');
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    fleet.obey();
    fleet.story.after(ROLLOUT.gateMs);
    fleet.story.send.reconciled(task, 'TASK_RUNNING');
    fleet.finish();
    expect(fleet.goals()).toEqual(all(['a', 'b', 'c'], 'v2'));
  });

  test('and comes back after is brought along by a rollout of its own', () => {
    const fleet = new Fleet(['a', 'b']);
    const task = fleet.story.node('b')?.taskId ?? '';
    fleet.story.send.update(task, 'TASK_UNREACHABLE');
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    fleet.finish();
    expect(fleet.story.plan('update').status).toBe('COMPLETE');
    fleet.story.send.reconciled(task, 'TASK_RUNNING');
    expect(fleet.finish()).toEqual([['b']]);
    expect(fleet.goals()).toEqual(all(['a', 'b'], 'v2'));
  });

  test('because it was deactivated has its turn when it is active again', () => {
    const fleet = new Fleet(['a', 'b']);
    fleet.story.send.agentAdded('b', true);
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    expect(fleet.finish()).toEqual([['a']]);
    fleet.story.send.agentAdded('b');
    expect(fleet.finish()).toEqual([['b']]);
  });
});

test('R9: a node that joins meanwhile gets the last completed goal, and the new one when its turn comes', () => {
  const fleet = new Fleet(['a', 'b'], { maxUnavailable: 3 });
  fleet.story.send.rollOut(V2, { kind: 'parallel' });
  fleet.story.send.agentAdded('n');
  fleet.agents.push('n');
  fleet.story.send.offer('n');
  expect(fleet.goals().n).toBe('v1');
  fleet.relaunch('n');
  fleet.story.send.update(fleet.story.node('n')?.taskId ?? '', 'TASK_RUNNING');
  fleet.story.send.healthy(fleet.story.node('n')?.taskId ?? '');
  fleet.finish();
  expect(fleet.changed).toContain('n');
  expect(fleet.goals()).toEqual(all(['a', 'b', 'n'], 'v2'));
});

test('R8: a node whose task dies before its turn is relaunched as it was', () => {
  const fleet = new Fleet(['a', 'b']);
  fleet.story.send.rollOut(V2, { kind: 'serial' });
  fleet.story.send.update(fleet.story.node('b')?.taskId ?? '', 'TASK_FAILED');
  fleet.relaunch('b');
  expect(fleet.goals().b).toBe('v1');
  fleet.finish();
  expect(fleet.goals()).toEqual(all(['a', 'b'], 'v2'));
});

test('a node that leaves the placement while it is being changed does not fail the rollout', () => {
  const constraints = [parseConstraint('rack:UNLIKE:r2')];
  const fleet = new Fleet(['a', 'b'], {}, { constraints });
  fleet.story.send.rollOut(V2, { kind: 'serial' });
  fleet.story.send.update(fleet.story.node('a')?.taskId ?? '', 'TASK_KILLED');
  fleet.story.event({ type: 'agent-added', agent: listed('a', { view: { attributes: { rack: 'r2' } } }) });
  fleet.story.expects.node('a', 'excluded');
  expect(fleet.finish()).toContainEqual(expect.arrayContaining(['b']));
  fleet.story.after(ROLLOUT.stepTimeoutMs + 60_000);
  expect(fleet.goals().b).toBe('v2');
  expect(fleet.story.plan('update')).toMatchObject({ status: 'COMPLETE', errors: [] });
});

describe('a restart in the middle of it', () => {
  test('R7: goes on with the node that was being changed, then with the others', () => {
    const fleet = new Fleet(['a', 'b', 'c']);
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    const [a, b, c] = ['a', 'b', 'c'].map((agent) => fleet.story.node(agent)?.taskId ?? '');
    fleet.story.restart({ goal: V2 });
    fleet.story.after(3_600_000);
    fleet.story.send.subscribed();
    for (const task of [a, b, c]) {
      fleet.story.send.reconciled(task ?? '', 'TASK_RUNNING');
      fleet.story.send.healthy(task ?? '');
    }
    expect(fleet.finish()).toEqual([['a'], ['b'], ['c']]);
    expect(fleet.mostDown).toBe(1);
    expect(fleet.story.plan('update')).toMatchObject({ status: 'COMPLETE', errors: [] });
  });

  test('R7: keeps an interruption', () => {
    const fleet = new Fleet(['a', 'b']);
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    expect(fleet.story.send.command('update', 'interrupt')).toBe('done');
    fleet.story.restart({ goal: V2 });
    expect(fleet.story.plan('update').status).toBe('WAITING');
    expect(fleet.story.send.command('update', 'interrupt')).toBe('already');
  });

  test('a Mesos that is away for longer than a step may take fails nobody', () => {
    const fleet = new Fleet(['a', 'b']);
    fleet.story.send.rollOut(V2, { kind: 'serial' });
    fleet.story.send.update(fleet.story.node('a')?.taskId ?? '', 'TASK_KILLED');
    fleet.story.send.disconnected();
    fleet.story.after(2 * ROLLOUT.stepTimeoutMs);
    fleet.story.send.subscribed();
    fleet.relaunch('a');
    fleet.story.takeCalls('KILL');
    fleet.story.after(ROLLOUT.gateMs);
    expect(fleet.finish()).toEqual([['b']]);
    expect(fleet.story.plan('update').errors).toEqual([]);
  });
});
