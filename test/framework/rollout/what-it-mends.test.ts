/** A rollout is how a bad version is got rid of, so it has to get through where nothing works: found by the simulation. */
import { describe, expect, test } from 'vitest';
import { Fleet, ROLLOUT, V1B, V2 } from './fleet.ts';

const taskOf = (fleet: Fleet, agent: string): string => fleet.story.node(agent)?.taskId ?? '';

/** The agent's task ends again and again, and at last waits for its next attempt. */
function crash(fleet: Fleet, agent: string, times: number): void {
  const { story } = fleet;
  for (let time = 0; time < times; time += 1) {
    story.send.update(taskOf(fleet, agent), 'TASK_FAILED');
    if (time < times - 1) {
      story.after(300_000);
      story.send.offer(agent);
    }
  }
  story.forgetCalls();
}

describe('a rollout', () => {
  test('reaches a node of which no task lives long enough to have its turn', () => {
    const fleet = new Fleet(['a', 'b']);
    const { story } = fleet;
    crash(fleet, 'a', 3);
    story.send.rollOut(V2, { kind: 'serial' });
    story.after(10_000);
    story.send.offer('a');
    expect(story.node('a')?.goal).toBe('v2');
  });

  test('changes a proxy that answers nobody by a new task, though it could be changed in place', () => {
    const fleet = new Fleet(['a', 'b']);
    const { story } = fleet;
    const task = taskOf(fleet, 'a');
    story.send.dead(task);
    story.send.rollOut(V1B, { kind: 'serial' });
    expect(story.takeUpgrades()).toEqual([]);
    story.expects.killed(task);
  });

  test('launches at once what replaces a task that it has killed, however often tasks failed there before', () => {
    const fleet = new Fleet(['a']);
    const { story } = fleet;
    crash(fleet, 'a', 5);
    story.after(300_000);
    story.send.offer('a');
    const task = taskOf(fleet, 'a');
    story.send.update(task, 'TASK_RUNNING');
    story.forgetCalls();
    story.send.rollOut(V2, { kind: 'serial' });
    story.expects.killed(task);
    story.send.update(task, 'TASK_KILLED');
    story.send.offer('a');
    expect(story.node('a')?.goal).toBe('v2');
  });

  test('does not take a task for done that was told to go, as well as it may be again', () => {
    const fleet = new Fleet(['a', 'b']);
    const { story } = fleet;
    story.send.rollOut(V1B, { kind: 'serial' });
    const task = taskOf(fleet, 'a');
    story.send.runs(task, 'v1b');
    story.send.dead(task);
    story.after(30_000);
    story.expects.killed(task);
    story.send.healthy(task);
    story.after(2 * ROLLOUT.gateMs);
    expect(story.steps('update')).toEqual({ a: 'IN_PROGRESS', b: 'PENDING' });
  });

  test('of whose failure only the half was stored asks the operator again', () => {
    const fleet = new Fleet(['a', 'b']);
    const { story } = fleet;
    story.send.rollOut(V1B, { kind: 'serial' });
    const running = story.diskRollout;
    story.event({ type: 'upgrade-failed', taskId: taskOf(fleet, 'a') as never, goal: 'v1b', reason: 'no' });
    story.diskRollout = running === null ? null : { ...running, status: 'running' };
    story.restart();
    expect(story.plan('update').status).toBe('ERROR');
    expect(story.send.command('update', 'continue')).toBe('done');
  });

  test('counts a node that failed, and was well again since, not as down, after a restart too', () => {
    const fleet = new Fleet(['a', 'b', 'c'], { maxUnavailable: 2 });
    const { story } = fleet;
    story.send.rollOut(V1B, { kind: 'serial' });
    story.event({ type: 'upgrade-failed', taskId: taskOf(fleet, 'a') as never, goal: 'v1b', reason: 'no' });
    story.restart({ goal: V2 });
    expect(story.state.down.size).toBe(0);
  });
});
