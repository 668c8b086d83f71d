/** Order, resending and acknowledgement of status updates, in virtual time. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frameworkId, type TaskState, type TaskStatus, taskId } from '../../../framework/mesos-http-client/messages.ts';
import { StatusUpdateManager } from '../../../local-cluster/agent/status-updates.ts';

const F = frameworkId('f');
const T = taskId('t');

function update(uuid: string, state: TaskState = 'TASK_RUNNING', id = T): TaskStatus {
  return { task_id: { value: id }, state, uuid };
}

describe('status update manager', () => {
  test('only the oldest unacknowledged update of a task goes out', () => {
    const manager = new StatusUpdateManager();
    expect(manager.add(F, update('a', 'TASK_STARTING'), 0)?.uuid).toBe('a');
    expect(manager.add(F, update('b'), 0)).toBeNull();
    expect(manager.add(F, update('c', 'TASK_FINISHED'), 0)).toBeNull();
    expect(manager.acknowledge(F, T, 'a', 1)).toMatchObject({ kind: 'accepted', next: { uuid: 'b' } });
    expect(manager.acknowledge(F, T, 'b', 2)).toMatchObject({ kind: 'accepted', next: { uuid: 'c' } });
    expect(manager.acknowledge(F, T, 'c', 3)).toMatchObject({ kind: 'accepted', next: null });
    expect(manager.nextDueMs()).toBeNull();
  });

  test('tasks do not wait for each other', () => {
    const manager = new StatusUpdateManager();
    manager.add(F, update('a'), 0);
    expect(manager.add(F, update('b', 'TASK_RUNNING', taskId('other')), 0)?.uuid).toBe('b');
    expect(manager.add(frameworkId('g'), update('c'), 0)?.uuid).toBe('c');
  });

  test('an unacknowledged update is sent again after 10 s, 20 s, … and at most every 10 min', () => {
    const manager = new StatusUpdateManager();
    manager.add(F, update('a'), 0);
    const waits: number[] = [];
    let now = 0;
    for (let round = 0; round < 9; round++) {
      const due = manager.nextDueMs() ?? Number.NaN;
      expect(manager.due(due - 1)).toEqual([]);
      expect(manager.due(due)).toEqual([{ frameworkId: F, status: update('a') }]);
      waits.push((due - now) / 1000);
      now = due;
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600]);
  });

  test('a wrong or repeated acknowledgement is ignored', () => {
    const manager = new StatusUpdateManager();
    manager.add(F, update('a'), 0);
    manager.add(F, update('b'), 0);
    expect(manager.acknowledge(F, T, 'b', 1)).toEqual({ kind: 'ignored' });
    expect(manager.acknowledge(F, T, 'nonsense', 1)).toEqual({ kind: 'ignored' });
    manager.acknowledge(F, T, 'a', 1);
    expect(manager.acknowledge(F, T, 'a', 1)).toEqual({ kind: 'ignored' });
    expect(manager.acknowledge(F, taskId('unknown'), 'a', 1)).toEqual({ kind: 'ignored' });
  });

  test('a new master gets the oldest of each task at once, and waits begin anew', () => {
    const manager = new StatusUpdateManager();
    manager.add(F, update('a'), 0);
    manager.due(10_000);
    expect(manager.nextDueMs()).toBe(30_000);
    expect(manager.resume(12_000).map(({ status }) => status.uuid)).toEqual(['a']);
    expect(manager.nextDueMs()).toBe(22_000);
  });

  test('a framework that never acknowledges does not make the queue grow with each health check', () => {
    const manager = new StatusUpdateManager();
    for (let check = 0; check < 1_000; check++) manager.add(F, update(`${check}`), 0);
    manager.add(F, update('end', 'TASK_KILLED'), 0);
    const sent: (string | undefined)[] = [];
    for (let uuid: string | undefined = '0'; uuid !== undefined; ) {
      sent.push(uuid);
      const result = manager.acknowledge(F, T, uuid, 0);
      uuid = result.kind === 'accepted' ? result.next?.uuid : undefined;
    }
    expect(sent.length).toBeLessThan(100);
    expect(sent.slice(-2)).toEqual(['999', 'end']);
  });

  test('whatever the interleaving, a framework sees every update of a task, once acknowledged in order', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), task: fc.constantFrom('t', 'u') }),
      fc.record({ kind: fc.constant('acknowledge' as const), task: fc.constantFrom('t', 'u') }),
      fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
      fc.record({ kind: fc.constant('resume' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const manager = new StatusUpdateManager();
        const sent = new Map<string, TaskStatus[]>();
        const added = new Map<string, string[]>();
        const send = (status: TaskStatus | null): void => {
          if (status !== null) sent.set(status.task_id.value, [...(sent.get(status.task_id.value) ?? []), status]);
        };
        let now = 0;
        const acknowledge = (task: string): void => {
          const last = sent.get(task)?.at(-1);
          if (last === undefined) return;
          const result = manager.acknowledge(F, taskId(task), last.uuid ?? '', now);
          if (result.kind === 'accepted') send(result.next);
        };
        steps.forEach((action, index) => {
          if (action.kind === 'add') {
            added.set(action.task, [...(added.get(action.task) ?? []), `${index}`]);
            send(manager.add(F, update(`${index}`, 'TASK_RUNNING', taskId(action.task)), now));
          } else if (action.kind === 'acknowledge') acknowledge(action.task);
          else if (action.kind === 'resume') for (const { status } of manager.resume(now)) send(status);
          else {
            now += action.ms;
            for (const { status } of manager.due(now)) send(status);
          }
        });
        for (const [task, wanted] of added) {
          for (const _ of wanted) acknowledge(task);
          const seen = (sent.get(task) ?? []).map(({ uuid }) => uuid);
          expect(seen.filter((uuid, index) => uuid !== seen[index - 1])).toEqual(wanted);
        }
        expect(manager.nextDueMs()).toBeNull();
      }),
    );
  });
});
