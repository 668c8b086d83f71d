/** How a rollout of a version is judged over time, with a clock of its own. */
import { describe, expect, test } from 'vitest';
import type { AgentId, JudgedRollout, Judgement } from '../../../framework/index.ts';
import type { NodeFact, Verdict } from '../../../scheduler/policy/config-rollout.ts';
import {
  beginWindow,
  knowsThePast,
  limitsOf,
  lookAtVersion,
  nextWindow,
  type VersionWindow,
} from '../../../scheduler/policy/version-window.ts';

const SETTINGS = { windowMs: 10_000, minRequests: 100, stepTimeoutMs: 60_000 };
const id = (name: string): AgentId => name as AgentId;
const ROLLOUT: JudgedRollout = {
  ...{ id: 'r', goal: { id: 'v2', relaunchKey: 'k' }, phase: 0, isLastPhase: false, isOrdered: true },
  ...{ isFull: true, hasPassed: false, changing: [], changed: [id('a')], earlier: [] },
};
const WELL: NodeFact = {
  agentId: 'a',
  name: 'a.example',
  away: false,
  healthy: true,
  revision: 1,
  refusal: null,
  probe: 'ok',
};

/** Looks every second, as long as there is something to see. */
class Watch {
  now = 0;
  window: VersionWindow = beginWindow(ROLLOUT, 0);
  rollout = ROLLOUT;
  mine: NodeFact[] = [WELL];
  verdict: Verdict = { kind: 'pass' };

  look(): { said: Judgement | null; began: boolean } {
    const sight = { rollout: this.rollout, mine: this.mine, verdict: this.verdict };
    const { state, judgement, windowBegan } = lookAtVersion(this.window, sight, SETTINGS, this.now);
    this.window = state;
    return { said: judgement, began: windowBegan };
  }

  /** Until something is said. */
  until(most = 200_000): { at: number; said: Judgement | null } {
    for (; this.now < most; this.now += 1_000) {
      const { said } = this.look();
      if (said !== null) return { at: this.now, said };
    }
    return { at: this.now, said: null };
  }
}

test('it begins when the traffic before was seen for as long as a window, and half a minute at most', () => {
  const { window } = new Watch();
  expect([9_999, 10_000].map((now) => knowsThePast(window, SETTINGS, now))).toEqual([false, true]);
  expect(knowsThePast(window, { ...SETTINGS, windowMs: 3_600_000 }, 30_000)).toBe(true);
});

describe('a phase', () => {
  test('passes at the end of its window, which begins when all of its nodes are changed', () => {
    const watch = new Watch();
    watch.rollout = { ...ROLLOUT, isFull: false, changing: [id('b')] };
    expect(watch.until(30_000).said).toBeNull();
    watch.rollout = ROLLOUT;
    expect(watch.look()).toEqual({ said: null, began: true });
    expect(watch.until()).toEqual({ at: 40_000, said: { kind: 'pass', proven: true } });
  });

  test('with too little traffic gets twice the time, and twice again, and then passes as unproven', () => {
    const watch = new Watch();
    watch.verdict = { kind: 'few' };
    expect(watch.until()).toEqual({ at: 40_000, said: { kind: 'pass', proven: false } });
    expect(limitsOf(watch.window, SETTINGS, watch.now)).toMatchObject({ isEnd: true, isWidest: true });
  });

  test('fails at once when the gate says so, also before all of its nodes are changed', () => {
    const watch = new Watch();
    watch.rollout = { ...ROLLOUT, isFull: false };
    watch.verdict = { kind: 'fail', why: '30% failed' };
    expect(watch.until()).toEqual({ at: 0, said: { kind: 'fail', why: '30% failed' } });
  });

  test('is held while others degrade too, and its window begins anew when they are well', () => {
    const watch = new Watch();
    watch.until(5_000);
    watch.verdict = { kind: 'hold', why: 'all degrade' };
    expect(watch.look().said).toEqual({ kind: 'hold', why: 'all degrade' });
    expect(watch.until(60_000).said).toBeNull();
    watch.verdict = { kind: 'pass' };
    expect(watch.look().said).toEqual({ kind: 'hold', why: null });
    expect(watch.until()).toEqual({ at: 70_000, said: { kind: 'pass', proven: true } });
  });

  test('waits for a node that fell ill, and fails when it does not get well in time', () => {
    const watch = new Watch();
    watch.until(5_000);
    watch.mine = [{ ...WELL, healthy: false }];
    const { at, said } = watch.until();
    expect(said).toEqual({ kind: 'fail', why: 'a.example did not stay healthy with it' });
    expect(at).toBe(70_000);
  });

  test('waits for no node that is away', () => {
    const watch = new Watch();
    watch.mine = [{ ...WELL, away: true, healthy: false, probe: 'unknown' }];
    expect(watch.until().at).toBe(10_000);
  });

  test('fails when a listener of a node does not answer; while that is not known it waits', () => {
    const watch = new Watch();
    watch.mine = [{ ...WELL, probe: 'unknown' }];
    expect(watch.until(30_000).said).toBeNull();
    watch.mine = [{ ...WELL, probe: { failed: 'no answer at 10.0.0.1:4141' } }];
    expect(watch.look().said).toEqual({
      kind: 'fail',
      why: 'a.example does not answer with it: no answer at 10.0.0.1:4141',
    });
  });

  test('that has passed is not judged again; the next one has a window of its own', () => {
    const watch = new Watch();
    watch.until();
    watch.rollout = { ...ROLLOUT, hasPassed: true };
    watch.verdict = { kind: 'fail', why: 'late' };
    expect(watch.look().said).toBeNull();
    watch.window = nextWindow(watch.window, 1);
    watch.rollout = { ...ROLLOUT, phase: 1 };
    watch.verdict = { kind: 'pass' };
    expect(watch.until()).toEqual({ at: 20_000, said: { kind: 'pass', proven: true } });
  });
});
