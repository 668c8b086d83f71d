/** When a health check's result is news, and when it ends the task. */
import { describe, expect, test } from 'vitest';
import { HealthJudge, healthPolicy } from '../../../local-cluster/agent/health-judge.ts';

const NEWS = { report: true, kill: false };
const NO_NEWS = { report: false, kill: false };

describe('health judge', () => {
  test('the defaults are those of Mesos', () => {
    expect(healthPolicy({ type: 'HTTP' })).toEqual({
      delayMs: 15_000,
      intervalMs: 10_000,
      timeoutMs: 20_000,
      consecutiveFailures: 3,
      graceMs: 10_000,
    });
  });

  test('only the first success is news', () => {
    const judge = new HealthJudge(healthPolicy({ type: 'TCP' }), 0);
    expect([judge.success(), judge.success(), judge.success()]).toEqual([NEWS, NO_NEWS, NO_NEWS]);
  });

  test('every failure is news, and so is the success after it', () => {
    const judge = new HealthJudge(healthPolicy({ type: 'TCP' }), 0);
    judge.success();
    expect([judge.failure(1), judge.failure(2), judge.success(), judge.success()]).toEqual([NEWS, NEWS, NEWS, NO_NEWS]);
  });

  test('failures in a row end the task, a success between them starts the count again', () => {
    const judge = new HealthJudge(healthPolicy({ type: 'TCP', grace_period_seconds: 0, consecutive_failures: 2 }), 0);
    expect(judge.failure(1)).toEqual(NEWS);
    judge.success();
    expect(judge.failure(2)).toEqual(NEWS);
    expect(judge.failure(3)).toEqual({ report: true, kill: true });
  });

  test('failures within the grace period of a task that was never healthy do not count', () => {
    const judge = new HealthJudge(healthPolicy({ type: 'TCP', grace_period_seconds: 5, consecutive_failures: 1 }), 0);
    expect(judge.failure(5_000)).toEqual(NO_NEWS);
    expect(judge.failure(5_001)).toEqual({ report: true, kill: true });
  });

  test('a task that was healthy once has no grace period any more', () => {
    const judge = new HealthJudge(healthPolicy({ type: 'TCP', grace_period_seconds: 5, consecutive_failures: 1 }), 0);
    judge.success();
    expect(judge.failure(1_000)).toEqual({ report: true, kill: true });
  });
});
