/** What counts against `maxUnavailable`, and what must not: found by the simulation, told as stories. */
import { describe, expect, test } from 'vitest';
import { all, Fleet, ROLLOUT, V1B, V2, V3 } from './fleet.ts';

const DEAD_FOR_MS = 30_000;

/** A fleet whose rollout to `v2` has failed at its first node, which is down since. */
function failed(agents: readonly string[]): Fleet {
  const fleet = new Fleet(agents);
  fleet.broken.add('a');
  fleet.story.send.rollOut(V2, { kind: 'serial' });
  fleet.obey();
  fleet.story.after(ROLLOUT.stepTimeoutMs);
  expect(fleet.story.steps('update').a).toBe('ERROR');
  fleet.story.forgetCalls();
  return fleet;
}

describe('what is down counts', () => {
  test('when it failed in a rollout that another one replaces: nobody else is taken down before it is well', () => {
    const fleet = failed(['a', 'b', 'c']);
    fleet.story.send.rollOut(V3, { kind: 'serial' });
    expect(fleet.obey()).toEqual(['a']);
    fleet.story.after(60_000);
    expect(fleet.obey()).toEqual([]);
  });

  test('after a restart of the scheduler too, when it was killed for its health', () => {
    const fleet = new Fleet(['a', 'b']);
    const { story } = fleet;
    const task = story.node('a')?.taskId ?? '';
    story.send.dead(task);
    story.after(DEAD_FOR_MS);
    story.expects.killed(task);
    story.send.update(task, 'TASK_KILLED');
    story.restart();
    story.send.subscribed();
    story.forgetCalls();
    const other = story.node('b')?.taskId ?? '';
    story.send.reconciled(other, 'TASK_RUNNING');
    story.send.healthy(other);
    story.send.rollOut(V2, { kind: 'serial' });
    story.expects.killed();
    fleet.relaunch('a');
    story.after(ROLLOUT.gateMs);
    fleet.finish();
    expect(fleet.goals()).toEqual(all(['a', 'b'], 'v2'));
  });

  test('when its task is told to go, however well it says that it is', () => {
    const fleet = new Fleet(['a', 'b']);
    const { story } = fleet;
    const task = story.node('a')?.taskId ?? '';
    story.send.dead(task);
    story.after(DEAD_FOR_MS);
    story.expects.killed(task);
    story.send.healthy(task);
    story.send.rollOut(V2, { kind: 'serial' });
    story.expects.killed();
  });
});

describe('what is down already costs nothing more', () => {
  test('so the way back from a sick version begins with the node that has it', () => {
    const fleet = failed(['a', 'b', 'c']);
    fleet.broken.clear();
    fleet.story.send.rollOut({ id: 'v1', relaunchKey: 'k1' }, { kind: 'serial' });
    fleet.finish();
    expect(fleet.goals()).toEqual(all(['a', 'b', 'c'], 'v1'));
    expect(fleet.story.plan('update').status).toBe('COMPLETE');
  });

  test('so a node that a rollout is at can be killed for its health', () => {
    const fleet = new Fleet(['a', 'b']);
    const { story } = fleet;
    story.send.rollOut(V1B, { kind: 'serial' });
    expect(story.takeUpgrades()).toEqual(['a']);
    const task = story.node('a')?.taskId ?? '';
    story.send.dead(task);
    story.after(DEAD_FOR_MS);
    story.expects.killed(task);
  });

  test('but a node that is unwell by itself needs room, though an operator wants it to have its turn', () => {
    const fleet = new Fleet(['a', 'b', 'c'], { maxUnavailable: 2 });
    const { story } = fleet;
    const [a, b, c] = ['a', 'b', 'c'].map((agent) => story.node(agent)?.taskId ?? '') as [string, string, string];
    story.send.dead(a);
    story.after(DEAD_FOR_MS);
    story.expects.killed(a);
    story.send.rollOut(V2, { kind: 'parallel' });
    story.expects.killed(b);
    // It may be that only the way from it to the scheduler is cut, and that it serves.
    story.send.dead(c);
    expect(story.send.command('update', 'restart', { phase: 'nodes', step: 'c' })).toBe('done');
    story.expects.killed();
    expect(story.steps('update')).toMatchObject({ b: 'IN_PROGRESS', c: 'PENDING' });
    // As soon as there is room it is the next.
    story.send.update(b, 'TASK_KILLED');
    fleet.relaunch('b');
    story.after(ROLLOUT.gateMs);
    expect(story.steps('update')).toMatchObject({ b: 'COMPLETE', c: 'IN_PROGRESS' });
  });

  test('and what the operator takes for done does not count any more', () => {
    const fleet = failed(['a', 'b']);
    expect(fleet.story.send.command('update', 'forceComplete')).toBe('done');
    expect(fleet.obey()).toEqual(['b']);
  });
});

describe('what an earlier rollout left behind', () => {
  test('is no gate of the next one', () => {
    const fleet = new Fleet(['a', 'b']);
    const { story } = fleet;
    story.send.rollOut(V1B, { kind: 'serial' });
    expect(story.takeUpgrades()).toEqual(['a']);
    const task = story.node('a')?.taskId ?? '';
    story.send.runs(task, 'v1b');
    story.after(ROLLOUT.gateMs / 2);
    // The gate of the first one would open in the middle of this.
    story.send.rollOut(V2, { kind: 'serial' });
    story.expects.killed(task);
    story.after(ROLLOUT.gateMs);
    expect(story.steps('update')).toEqual({ a: 'IN_PROGRESS', b: 'PENDING' });
  });

  test('is undone, when a task turns into it after all', () => {
    const fleet = new Fleet(['a', 'b']);
    const { story } = fleet;
    story.send.runs(story.node('a')?.taskId ?? '', 'v0');
    expect(story.takeUpgrades()).toEqual(['a']);
    fleet.story.send.runs(story.node('a')?.taskId ?? '', 'v1');
    fleet.finish();
    expect(fleet.goals()).toEqual(all(['a', 'b'], 'v1'));
  });
});
