import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  capacityBounds,
  decide,
  type TaskView,
  type Wanted,
} from '../../../local-cluster/marathon/scheduler-actions.ts';

const wanted = (fields: Partial<Wanted> = {}): Wanted => ({
  instances: 3,
  minimumHealthCapacity: 1,
  maximumOverCapacity: 1,
  killSelection: 'YOUNGEST_FIRST',
  inactiveAfterMs: 0,
  expungeAfterMs: 30_000,
  ...fields,
});

const task = (taskId: string, fields: Partial<TaskView> = {}): TaskView => ({
  taskId,
  phase: 'running',
  current: true,
  ready: true,
  bornAt: 0,
  unreachableSince: null,
  ...fields,
});

const killed = (decision: { kill: readonly { taskId: string }[] }) => decision.kill.map(({ taskId }) => taskId);

describe('what is missing is launched', () => {
  test('all of a new app', () => {
    expect(decide(wanted(), [], 0)).toMatchObject({ launch: 3, kill: [] });
  });

  test('what is only starting counts as being there', () => {
    expect(decide(wanted(), [task('a', { phase: 'starting', ready: false })], 0).launch).toBe(2);
  });

  test('what is being killed does not, but holds its place when nothing may be over capacity', () => {
    const tasks = [task('a'), task('b'), task('c', { phase: 'killing', ready: false })];
    expect(decide(wanted(), tasks, 0).launch).toBe(1);
    expect(decide(wanted({ maximumOverCapacity: 0 }), tasks, 0).launch).toBe(0);
  });

  test('the unreachable are replaced at once, or after their time, or never', () => {
    const tasks = [task('a'), task('b'), task('c', { phase: 'unreachable', ready: false, unreachableSince: 1_000 })];
    expect(decide(wanted(), tasks, 1_000).launch).toBe(1);
    expect(decide(wanted({ inactiveAfterMs: 5_000 }), tasks, 1_000)).toMatchObject({ launch: 0, recheckAt: 6_000 });
    expect(decide(wanted({ inactiveAfterMs: 5_000 }), tasks, 6_000).launch).toBe(1);
    expect(decide(wanted({ inactiveAfterMs: null, expungeAfterMs: null }), tasks, 1e12)).toMatchObject({
      launch: 0,
      recheckAt: null,
    });
  });

  test('the unreachable are forgotten when their time is over', () => {
    const tasks = [task('c', { phase: 'unreachable', ready: false, unreachableSince: 1_000 })];
    expect(decide(wanted(), tasks, 30_999).expunge).toEqual([]);
    expect(decide(wanted(), tasks, 31_000).expunge).toEqual(['c']);
  });
});

describe('what is too much is killed', () => {
  const tasks = [task('old', { bornAt: 1 }), task('middle', { bornAt: 2 }), task('young', { bornAt: 3 })];

  test('the youngest first, or the oldest', () => {
    expect(killed(decide(wanted({ instances: 1 }), tasks, 0))).toEqual(['young', 'middle']);
    expect(killed(decide(wanted({ instances: 1, killSelection: 'OLDEST_FIRST' }), tasks, 0))).toEqual([
      'old',
      'middle',
    ]);
  });

  test('one that serves nobody before all others', () => {
    const mixed = [...tasks, task('sick', { bornAt: 0, ready: false })];
    expect(killed(decide(wanted(), mixed, 0))).toEqual(['sick']);
  });

  test('everything of a removed app, and what cannot be reached is forgotten', () => {
    const decision = decide(
      null,
      [...tasks, task('far', { phase: 'unreachable' }), task('dying', { phase: 'killing' })],
      0,
    );
    expect(killed(decision)).toEqual(['old', 'middle', 'young']);
    expect(decision.expunge).toEqual(['far']);
  });
});

describe('an upgrade', () => {
  const outdated = ['a', 'b', 'c', 'd'].map((id) => task(id, { current: false }));

  test('with full capacity first launches, then kills', () => {
    expect(decide(wanted({ instances: 4 }), outdated, 0)).toMatchObject({ launch: 4, kill: [] });
  });

  test('that may miss half first kills half', () => {
    const decision = decide(wanted({ instances: 4, minimumHealthCapacity: 0.5, maximumOverCapacity: 0 }), outdated, 0);
    expect(decision.launch).toBe(0);
    expect(decision.kill).toHaveLength(2);
  });

  test('that may miss none and exceed none gets one more place', () => {
    const strict = wanted({ instances: 4, minimumHealthCapacity: 1, maximumOverCapacity: 0 });
    expect(capacityBounds(strict, true)).toEqual({ minHealthy: 4, maxCapacity: 5 });
    expect(capacityBounds(strict, false)).toEqual({ minHealthy: 4, maxCapacity: 4 });
    expect(decide(strict, outdated, 0)).toMatchObject({ launch: 1, kill: [] });
  });

  test('kills unhealthy old instances at once: they are no capacity', () => {
    const [a, ...rest] = outdated;
    const tasks = [{ ...(a ?? task('a')), ready: false }, ...rest];
    expect(killed(decide(wanted({ instances: 4 }), tasks, 0))).toEqual(['a']);
  });

  test('ends with exactly what was wanted, within its bounds all the way, whatever happens in which order', () => {
    const strategy = fc.record({
      instances: fc.integer({ min: 0, max: 8 }),
      minimumHealthCapacity: fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
      maximumOverCapacity: fc.constantFrom(0, 0.25, 0.5, 1),
    });
    fc.assert(
      fc.property(strategy, fc.integer({ min: 0, max: 8 }), fc.nat(), (bounds, oldCount, seed) => {
        const goal = wanted(bounds);
        let state = seed;
        const flip = () => {
          state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
          return state / 2 ** 31;
        };
        let tasks: TaskView[] = Array.from({ length: oldCount }, (_, index) =>
          task(`old-${index}`, { current: false, bornAt: index }),
        );
        let born = 100;
        for (let step = 0; step < 400; step += 1) {
          const decision = decide(goal, tasks, 0);
          const ready = tasks.filter((view) => view.ready).length;
          const doomed = new Set(decision.kill.map(({ taskId }) => taskId));
          const { minHealthy, maxCapacity } = capacityBounds(
            goal,
            tasks.some(({ current, phase }) => !current && phase !== 'killing'),
          );
          const after = tasks.filter((view) => view.ready && !doomed.has(view.taskId)).length;
          // A kill of ours never takes the healthy below the minimum.
          if (after < ready) expect(after).toBeGreaterThanOrEqual(Math.min(minHealthy, goal.instances));
          if (decision.launch > 0) expect(tasks.length + decision.launch).toBeLessThanOrEqual(maxCapacity);
          tasks = tasks.map((view) => (doomed.has(view.taskId) ? { ...view, phase: 'killing', ready: false } : view));
          for (let count = 0; count < decision.launch; count += 1) {
            born += 1;
            tasks.push(task(`new-${born}`, { phase: 'starting', ready: false, bornAt: born }));
          }
          // Something of what is under way gets done.
          tasks = tasks.flatMap((view): TaskView[] => {
            if (flip() < 0.5) return [view];
            if (view.phase === 'killing') return [];
            return view.phase === 'starting' ? [{ ...view, phase: 'running', ready: true }] : [view];
          });
        }
        expect(tasks).toHaveLength(goal.instances);
        expect(tasks.every(({ current, ready, phase }) => current && ready && phase === 'running')).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});
