import { describe, expect, test } from 'vitest';
import { agentId } from '../../../framework/mesos-http-client/messages.ts';
import type { Strategy } from '../../../framework/rollout/goal.ts';
import { judgedRollout } from '../../../framework/rollout/judged.ts';
import { all, Fleet, V1B, V2 } from './fleet.ts';

const TEN = Array.from({ length: 10 }, (_, index) => `n${index}`);
const GATE: Strategy = { kind: 'gate', canary: 1, steps: [50, 100] };
const ORDER = ['n7', 'n3', 'n1'].map(agentId);

/** The rollout has begun with n7, whom the judge named first. */
function begun(goal = V2): Fleet {
  const fleet = new Fleet(TEN, { maxUnavailable: 4 });
  fleet.story.send.rollOut(goal, GATE);
  fleet.story.send.judged({ kind: 'begin', order: ORDER });
  return fleet;
}

describe('a rollout that is judged', () => {
  test('changes nobody before the judge has said in which order, and then in that order', () => {
    const fleet = new Fleet(TEN, { maxUnavailable: 4 });
    fleet.story.send.rollOut(V2, GATE);
    fleet.story.after(3_600_000);
    expect(fleet.obey()).toEqual([]);
    fleet.story.send.judged({ kind: 'begin', order: ORDER });
    expect(fleet.finish()).toEqual([['n7']]);
    expect(judgedRollout(fleet.story.state)).toMatchObject({ phase: 0, isFull: true, changed: ['n7'], earlier: [] });
  });

  test('goes from phase to phase as each passes, and is complete when the last has', () => {
    const fleet = begun();
    fleet.finish();
    fleet.story.after(3_600_000);
    expect(fleet.obey()).toEqual([]);
    fleet.story.send.judged({ kind: 'pass', proven: true });
    expect(fleet.finish().flat()).toEqual(['n3', 'n1', 'n0', 'n2']);
    fleet.story.send.judged({ kind: 'pass', proven: false });
    expect(fleet.finish().flat()).toEqual(['n4', 'n5', 'n6', 'n8', 'n9']);
    expect(fleet.story.plan('update').status).toBe('IN_PROGRESS');
    fleet.story.send.judged({ kind: 'pass', proven: true });
    const { status, phases } = fleet.story.plan('update');
    expect([status, ...phases.map(({ name }) => name)]).toEqual(['COMPLETE', 'canary', '50% (unproven)', '100%']);
    expect(fleet.story.state.completed).toEqual(V2);
  });

  test('what is said of another phase, or before its nodes are well, moves nothing', () => {
    const fleet = begun();
    fleet.story.send.judged({ kind: 'pass', proven: true });
    const rollout = fleet.story.state.rollout?.record.id ?? '';
    fleet.finish();
    expect(fleet.changed).toEqual(['n7']);
    fleet.story.event({ type: 'judged', rollout, phase: 1, judgement: { kind: 'fail', why: 'late' } });
    fleet.story.event({ type: 'judged', rollout: 'another', phase: 0, judgement: { kind: 'fail', why: 'late' } });
    expect(fleet.story.plan('update').errors).toEqual([]);
  });

  test('a phase that has no node of its own needs no judgement', () => {
    const fleet = new Fleet(TEN, { maxUnavailable: 4 });
    fleet.story.send.rollOut(V2, { kind: 'gate', canary: 1, steps: [10, 100] });
    fleet.story.send.judged({ kind: 'begin', order: [] });
    fleet.finish();
    fleet.story.send.judged({ kind: 'pass', proven: true });
    expect(fleet.finish().flat()).toEqual(TEN.slice(1));
  });

  test('while it is held it is shown to wait', () => {
    const fleet = begun();
    fleet.finish();
    fleet.story.send.judged({ kind: 'hold', why: 'all nodes degrade' });
    expect(fleet.story.plan('update').status).toBe('WAITING');
    fleet.story.send.judged({ kind: 'hold', why: null });
    expect(fleet.story.plan('update').status).toBe('IN_PROGRESS');
  });

  test('an operator has it wait; forceComplete passes the phase', () => {
    const fleet = begun();
    fleet.finish();
    expect(fleet.story.send.command('update', 'interrupt')).toBe('done');
    fleet.story.send.judged({ kind: 'pass', proven: true });
    expect(fleet.finish()).toEqual([]);
    expect(fleet.story.send.command('update', 'continue')).toBe('done');
    expect(fleet.finish().flat()).toHaveLength(4);
    expect(fleet.story.send.command('update', 'forceComplete')).toBe('done');
    expect(fleet.finish().flat()).toHaveLength(5);
  });
});

describe('one that does harm', () => {
  const failed = (goal = V2): Fleet => {
    const fleet = begun(goal);
    fleet.finish();
    fleet.story.send.judged({ kind: 'pass', proven: true });
    fleet.finish();
    fleet.story.send.judged({ kind: 'fail', why: '30% failed' });
    return fleet;
  };

  test('is turned back on exactly the nodes that changed, and says why', () => {
    const fleet = failed();
    expect(fleet.story.plan('update').errors).toEqual(['v2 is being turned back to v1: 30% failed']);
    expect(fleet.finish().flat().sort()).toEqual(['n0', 'n1', 'n2', 'n3', 'n7']);
    expect(fleet.goals()).toEqual(all(TEN, 'v1'));
    expect(fleet.story.plan('update')).toMatchObject({
      status: 'COMPLETE',
      errors: ['v2 was turned back to v1: 30% failed'],
    });
  });

  test('in place goes back in place', () => {
    const fleet = failed(V1B);
    fleet.finish();
    expect(fleet.goals()).toEqual(all(TEN, 'v1'));
    fleet.story.expects.killed();
  });

  test('goes back while everything is frozen', () => {
    const fleet = begun();
    fleet.finish();
    fleet.story.send.freeze(true);
    fleet.story.send.judged({ kind: 'fail', why: '30% failed' });
    expect(fleet.finish().flat()).toEqual(['n7']);
  });

  test('a node that does not get well turns it back as well', () => {
    const fleet = begun();
    fleet.broken.add('n7');
    fleet.obey();
    fleet.broken.clear();
    fleet.story.after(300_000);
    expect(fleet.story.plan('update').errors[0]).toMatch(/^v2 is being turned back to v1: n7\.example: it was not/);
    expect(fleet.finish().flat()).toEqual(['n7']);
  });

  test('is not begun again by a restart, nor by a node that joins; an operator may', () => {
    const fleet = failed();
    fleet.finish();
    fleet.story.restart({ goal: V2 });
    fleet.story.send.subscribed();
    for (const agent of TEN) {
      const task = fleet.story.node(agent)?.taskId ?? '';
      fleet.story.send.reconciled(task, 'TASK_RUNNING');
      fleet.story.send.healthy(task);
    }
    fleet.story.after(3_600_000);
    expect(fleet.obey()).toEqual([]);
    fleet.story.send.agentAdded('new');
    fleet.relaunch('new');
    expect(fleet.story.node('new')?.goal).toBe('v1');
    expect(fleet.story.send.command('update', 'start')).toBe('done');
    fleet.story.send.judged({ kind: 'begin', order: ORDER });
    expect(fleet.finish()).toEqual([['n7']]);
  });

  test.each(['framework', 'rollout'] as const)(
    'is turned back after a crash in which the %s was not stored',
    (lost) => {
      const fleet = begun();
      fleet.finish();
      const before = { framework: fleet.story.diskFramework, rollout: fleet.story.diskRollout };
      fleet.story.send.judged({ kind: 'fail', why: '30% failed' });
      if (lost === 'framework') fleet.story.diskFramework = before.framework;
      else fleet.story.diskRollout = before.rollout;
      fleet.story.restart({ goal: V2, settings: { rollout: fleet.story.settings.rollout } });
      fleet.story.send.subscribed();
      for (const agent of TEN) {
        const task = fleet.story.node(agent)?.taskId ?? '';
        fleet.story.send.reconciled(task, 'TASK_RUNNING');
        fleet.story.send.healthy(task);
      }
      expect(fleet.finish().flat()).toEqual(['n7']);
      expect(fleet.story.state.bad).toEqual(['v2']);
      expect(fleet.goals()).toEqual(all(TEN, 'v1'));
    },
  );

  test('stays where it is when there is nothing to go back to, and goes back once there is', () => {
    const fleet = begun();
    fleet.finish();
    fleet.story.missing.add('v1');
    fleet.story.send.judged({ kind: 'fail', why: '30% failed' });
    expect(fleet.story.plan('update')).toMatchObject({
      status: 'ERROR',
      errors: ['30% failed', 'it is not turned back: what v1 needs is not at hand any more'],
    });
    expect(fleet.finish()).toEqual([]);
    fleet.story.missing.clear();
    expect(fleet.finish().flat()).toEqual(['n7']);
  });
});
