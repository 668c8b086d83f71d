/** Reconciliation of more tasks than are asked for at once. */
import { expect, test } from 'vitest';
import { agentId, type TaskId, taskId } from '../../../framework/mesos-http-client/messages.ts';
import { answered, beginRun, dueRepeat, newReconciliation } from '../../../framework/tasks/reconciliation.ts';

const tasks = (count: number) =>
  new Map(Array.from({ length: count }, (_, index) => [taskId(`t${index}`), agentId(`a${index}`)] as const));

test('thousands are asked for a thousand at a time, each once, and only then again', () => {
  const run = newReconciliation();
  const all = tasks(2_500);
  const asked: TaskId[] = [...beginRun(run, new Map(all), 0).keys()];
  expect(asked).toHaveLength(1_000);
  expect(dueRepeat(run, 99)).toBeNull();
  for (const [now, count] of [
    [100, 1_000],
    [200, 500],
  ] as const) {
    const portion = dueRepeat(run, now);
    expect(portion?.size).toBe(count);
    asked.push(...(portion?.keys() ?? []));
  }
  expect(asked).toEqual([...all.keys()]);
  expect(dueRepeat(run, 1_199)).toBeNull();
  expect(dueRepeat(run, 1_200)?.size).toBe(1_000);
});

test('what is answered before its turn is not asked for', () => {
  const run = newReconciliation();
  const all = tasks(1_500);
  const first = beginRun(run, new Map(all), 0);
  for (const task of all.keys()) if (!first.has(task) && task !== taskId('t1400')) answered(run, task);
  expect([...(dueRepeat(run, 100)?.keys() ?? [])]).toEqual([taskId('t1400')]);
});

test('when all is answered nothing is asked for any more', () => {
  const run = newReconciliation();
  const all = tasks(1_500);
  beginRun(run, new Map(all), 0);
  for (const task of all.keys()) answered(run, task);
  expect(run.repeatAt).toBeNull();
  expect(dueRepeat(run, 60_000)).toBeNull();
});
