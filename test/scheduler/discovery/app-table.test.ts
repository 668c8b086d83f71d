/** What the table believes of Marathon's answers, over time. */
import { describe, expect, test } from 'vitest';
import { AppTable } from '../../../scheduler/discovery/app-table.ts';

function app(name: string, tasks: Record<string, boolean | null>): object {
  return {
    id: `/${name}`,
    healthChecks: [{ protocol: 'HTTP' }],
    tasks: Object.entries(tasks).map(([id, alive]) => ({
      id,
      slaveId: 'S1',
      host: '10.0.0.1',
      ports: [1000],
      state: 'TASK_RUNNING',
      ...(alive === null ? {} : { healthCheckResults: [{ alive }] }),
    })),
  };
}

const states = (table: AppTable, name: string) =>
  table.get(name)?.instances.map((instance) => `${instance.taskId} ${instance.state}`);

describe('the table of apps', () => {
  test('an unchanged answer changes nothing', () => {
    const table = new AppTable();
    expect(table.applyList([app('a', { 'a.1': true })], 0)).toEqual({ kind: 'applied', changed: ['a'] });
    expect(table.applyList([app('a', { 'a.1': true })], 1)).toEqual({ kind: 'applied', changed: [] });
    expect(table.applyApp('a', app('a', { 'a.1': true }), 2)).toBe(false);
    expect(table.applyApp('a', app('b', { 'b.1': true }), 3)).toBe(false);
    expect(table.names()).toEqual(['a']);
  });

  test('believes an instance without a result for 60 s after it was healthy, and only then', () => {
    const table = new AppTable();
    table.applyList([app('a', { 'a.1': true, 'a.2': null })], 0);
    expect(states(table, 'a')).toEqual(['a.1 ready', 'a.2 unhealthy']);
    expect(table.nextExpiry()).toBeNull();
    table.applyApp('a', app('a', { 'a.1': null, 'a.2': null }), 1_000);
    expect(states(table, 'a')).toEqual(['a.1 ready', 'a.2 unhealthy']);
    expect(table.nextExpiry()).toBe(61_000);
    // Another answer without a result does not prolong it.
    table.applyApp('a', app('a', { 'a.1': null, 'a.2': null }), 50_000);
    expect(table.nextExpiry()).toBe(61_000);
    expect(table.expire(60_999)).toEqual([]);
    expect(table.expire(61_000)).toEqual(['a']);
    expect(states(table, 'a')).toEqual(['a.1 unhealthy', 'a.2 unhealthy']);
    expect(table.nextExpiry()).toBeNull();
  });

  test.each([
    [2, 2, 'applied'],
    [3, 3, 'held'],
    [6, 3, 'held'],
    [7, 3, 'applied'],
  ])('of %i apps, %i gone at once: %s', (had, lost, kind) => {
    const table = new AppTable();
    const all = Array.from({ length: had }, (_, n) => app(`a${n}`, { [`a${n}.1`]: true }));
    table.applyList(all, 0);
    expect(table.applyList(all.slice(lost), 1).kind).toBe(kind);
  });

  test('a second opinion that differs clears the doubt', () => {
    const table = new AppTable();
    const all = Array.from({ length: 4 }, (_, n) => app(`a${n}`, { [`a${n}.1`]: true }));
    table.applyList(all, 0);
    expect(table.applyList([], 1).kind).toBe('held');
    expect(table.applyList(all, 2).kind).toBe('applied');
    expect(table.applyList([], 3).kind).toBe('held');
    expect(table.applyList([], 4)).toEqual({ kind: 'applied', changed: ['a0', 'a1', 'a2', 'a3'] });
  });
});
