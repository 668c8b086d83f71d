/** What the table believes of Marathon's answers, over time. */
import { describe, expect, test } from 'vitest';
import { type MarathonApp, readMarathonApp } from '../../../agent-proxy/routing/marathon-endpoints.ts';
import { AppTable } from '../../../scheduler/discovery/app-table.ts';
import type { SecondLook } from '../../../scheduler/discovery/second-look.ts';

interface Task {
  readonly alive?: boolean;
  readonly state?: string;
  readonly agent?: string;
  readonly ports?: readonly number[];
  readonly startedAt?: string;
}

/** A task is running on a port of its own unless it says otherwise. */
function app(name: string, tasks: Record<string, Task | null>, rest: object = {}): MarathonApp {
  const checked = Object.values(tasks).some((task) => task?.alive !== undefined);
  const document = {
    id: `/${name}`,
    healthChecks: checked ? [{ protocol: 'HTTP' }] : [],
    tasks: Object.entries(tasks).map(([id, task]) => ({
      id,
      slaveId: task?.agent ?? 'S1',
      host: '10.0.0.1',
      ports: task?.ports ?? [1000],
      state: task?.state ?? 'TASK_RUNNING',
      startedAt: task?.startedAt,
      ...(task?.alive === undefined ? {} : { healthCheckResults: [{ alive: task.alive }] }),
    })),
    ...rest,
  };
  return readMarathonApp(document) ?? expect.fail('the test writes an app');
}

const CONFIRM_MS = 1_000;

function tableWith(...apps: MarathonApp[]): AppTable {
  return filled(new AppTable({ confirmMs: CONFIRM_MS }), apps);
}

function filled(table: AppTable, apps: readonly MarathonApp[]): AppTable {
  list(table, apps, 0);
  return table;
}

/** What discovery does with a list. */
function list(table: AppTable, apps: readonly MarathonApp[], now: number): { changed: string[]; held: number } {
  const fresh = new Map(apps.map((each) => [each.name, each]));
  const isSuspicious = table.isSuspicious(fresh, now);
  const changed: string[] = [];
  let held = 0;
  for (const name of new Set([...table.names(), ...fresh.keys()])) {
    const applied = table.applyAs(name, fresh.get(name), now, isSuspicious);
    if (applied.changed) changed.push(name);
    held += applied.held;
  }
  return { changed, held };
}

const states = (table: AppTable, name: string) =>
  table.get(name)?.instances.map((instance) => `${instance.taskId} ${instance.state}`);

const numbered = (name: string, count: number, task: Task = {}): Record<string, Task> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${name}.${n}`, task]));

describe('the table of apps', () => {
  test('D32: an unchanged answer changes nothing', () => {
    const table = new AppTable({ confirmMs: CONFIRM_MS });
    const a = app('a', { 'a.1': { alive: true } });
    expect(list(table, [a], 0)).toEqual({ changed: ['a'], held: 0 });
    expect(list(table, [a], 1)).toEqual({ changed: [], held: 0 });
    expect(table.apply('a', a, 2)).toEqual({ changed: false, held: 0 });
    expect(table.names()).toEqual(['a']);
  });

  test('D9: believes an instance without a result for 60 s after it was healthy, and only then', () => {
    const none = { healthChecks: [{}] };
    const table = tableWith(app('a', { 'a.1': { alive: true }, 'a.2': null }, none));
    expect(states(table, 'a')).toEqual(['a.1 ready', 'a.2 unhealthy']);
    expect(table.nextExpiry()).toBeNull();
    table.apply('a', app('a', { 'a.1': null, 'a.2': null }, none), 1_000);
    expect(states(table, 'a')).toEqual(['a.1 ready', 'a.2 unhealthy']);
    expect(table.nextExpiry()).toBe(61_000);
    // Another answer without a result does not prolong it.
    table.apply('a', app('a', { 'a.1': null, 'a.2': null }, none), 50_000);
    expect(table.nextExpiry()).toBe(61_000);
    expect(table.expire(60_999)).toEqual([]);
    expect(table.expire(61_000)).toEqual(['a']);
    expect(states(table, 'a')).toEqual(['a.1 unhealthy', 'a.2 unhealthy']);
    expect(table.nextExpiry()).toBeNull();
  });

  test('knows what runs on an agent, and forgets it', () => {
    const table = tableWith(app('a', { 'a.1': { agent: 'S1' }, 'a.2': { agent: 'S2' } }), app('b', { 'b.1': null }));
    expect([...table.namesOn('S1')]).toEqual(['a', 'b']);
    table.apply('a', app('a', { 'a.2': { agent: 'S2' } }), 1);
    expect([...table.namesOn('S1')]).toEqual(['b']);
    expect([...table.namesOn('S2')]).toEqual(['a']);
  });
});

describe('a young task of a deployment', () => {
  const startedAt = new Date(100_000).toISOString();
  const deploying = { deployments: [{ id: 'd' }], readinessChecks: [{ timeoutSeconds: 7 }] };

  test('P40, P41: waits for its first readiness result, as long as a check takes and 5 s', () => {
    const table = new AppTable({ confirmMs: CONFIRM_MS });
    const young = app('a', { 'a.1': { startedAt } }, deploying);
    table.apply('a', young, 101_000);
    expect(states(table, 'a')).toEqual(['a.1 unhealthy']);
    expect(table.nextExpiry()).toBe(112_000);
    expect(table.expire(112_000)).toEqual(['a']);
    expect(states(table, 'a')).toEqual(['a.1 ready']);
    table.apply('a', young, 112_001);
    expect(states(table, 'a')).toEqual(['a.1 ready']);
  });

  test('P39: gets traffic with its result', () => {
    const table = new AppTable({ confirmMs: CONFIRM_MS });
    const results = (ready: boolean) => ({ ...deploying, readinessCheckResults: [{ taskId: 'a.1', ready }] });
    table.apply('a', app('a', { 'a.1': { startedAt } }, results(false)), 101_000);
    expect(states(table, 'a')).toEqual(['a.1 unhealthy']);
    table.apply('a', app('a', { 'a.1': { startedAt } }, results(true)), 102_000);
    expect(states(table, 'a')).toEqual(['a.1 ready']);
  });

  test('is not unseated where it served before, and waits no longer where its clock is ahead', () => {
    const table = new AppTable({ confirmMs: CONFIRM_MS });
    table.apply('a', app('a', { 'a.1': { startedAt } }), 101_000);
    table.apply('a', app('a', { 'a.1': { startedAt }, 'a.2': { startedAt } }, deploying), 50_000);
    expect(states(table, 'a')).toEqual(['a.1 ready', 'a.2 unhealthy']);
    expect(table.nextExpiry()).toBe(62_000);
  });
});

describe('a task that Mesos has lost sight of', () => {
  const two = (state: string, ports = [1000]) => ({ 'a.1': { state, ports }, 'a.2': {} });

  test('is kept as suspect, also when Marathon has forgotten its ports', () => {
    const table = tableWith(app('a', two('TASK_RUNNING'), { instances: 2 }));
    const known = (taskId: string) => table.get('a')?.instances.find((instance) => instance.taskId === taskId);
    const document = {
      id: '/a',
      instances: 2,
      tasks: [{ id: 'a.1', state: 'TASK_UNREACHABLE', slaveId: 'S1', host: '10.0.0.1', ports: [] }],
    };
    const inactive = readMarathonApp(document, known) ?? expect.fail();
    expect(inactive.instances[0]).toMatchObject({ state: 'suspect', address: '10.0.0.1', port: 1000 });
    table.apply('a', app('a', two('TASK_UNREACHABLE'), { instances: 2 }), 1);
    expect(states(table, 'a')).toEqual(['a.1 suspect', 'a.2 ready']);
  });

  test('goes when there is another in its place', () => {
    const table = tableWith(app('a', two('TASK_UNREACHABLE'), { instances: 2 }));
    const replaced = { ...two('TASK_UNREACHABLE'), 'a.3': {} };
    table.apply('a', app('a', replaced, { instances: 2 }), 1);
    expect(states(table, 'a')).toEqual(['a.2 ready', 'a.3 ready']);
  });
});

describe('losses that nobody has announced', () => {
  test.each([
    [10, 3, 'believed'],
    [10, 4, 'held'],
    [6, 2, 'held below three'],
    [3, 3, 'held'],
    [1, 1, 'held'],
  ])('of %i endpoints, %i gone at once', (had, lost, outcome) => {
    const table = tableWith(app('a', numbered('a', had)));
    const left = Object.fromEntries(Object.entries(numbered('a', had)).slice(lost));
    const { held } = table.apply('a', app('a', left), 1);
    expect(held).toBe(outcome === 'held' ? lost : 0);
  });

  test('add up over ten seconds, and over the apps', () => {
    const apps = Array.from({ length: 10 }, (_, n) => app(`a${n}`, { [`a${n}.1`]: {} }));
    const table = tableWith(...apps);
    for (const [n, now] of [1_000, 2_000, 3_000].entries()) expect(table.apply(`a${n}`, undefined, now).held).toBe(0);
    expect(table.apply('a3', undefined, 4_000)).toEqual({ changed: false, held: 1 });
    // The three before are forgotten by then.
    expect(table.apply('a4', undefined, 13_001)).toEqual({ changed: true, held: 0 });
  });

  test('D19: a list that is empty for a moment takes nothing away', () => {
    const apps = Array.from({ length: 4 }, (_, n) => app(`a${n}`, numbered(`a${n}`, 3)));
    const table = tableWith(...apps);
    expect(list(table, [], 1)).toEqual({ changed: [], held: 12 });
    expect(list(table, apps, 500)).toEqual({ changed: [], held: 0 });
    expect([table.held, table.nextLook()]).toEqual([0, null]);
  });

  test("without Mesos, Marathon's second answer after the pause is believed, and none before", () => {
    const table = tableWith(app('a', numbered('a', 3)), app('b', numbered('b', 3)));
    expect(list(table, [], 100).held).toBe(6);
    expect(table.nextLook()).toEqual({ at: 100 + CONFIRM_MS, services: ['a', 'b'] });
    expect(list(table, [], 200)).toEqual({ changed: [], held: 6 });
    expect(list(table, [], 100 + CONFIRM_MS)).toEqual({ changed: ['a', 'b'], held: 0 });
    expect([table.names(), table.held]).toEqual([[], 0]);
  });

  test('what else an answer says is taken while some of it is held', () => {
    const table = tableWith(app('a', numbered('a', 3)), app('b', { 'b.0': { alive: true } }));
    const { changed } = list(table, [app('b', { 'b.0': { alive: false } }), app('c', { 'c.0': {} })], 1);
    expect(changed).toEqual(['b', 'c']);
    expect(states(table, 'a')).toHaveLength(3);
  });

  test('replaced instances are no loss', () => {
    const table = tableWith(app('a', numbered('a', 3)));
    expect(table.apply('a', app('a', numbered('x', 3)), 1)).toEqual({ changed: true, held: 0 });
  });

  test.each<[string, (table: AppTable) => MarathonApp | undefined]>([
    ['a deployment under way', () => app('a', {}, { deployments: [{ id: 'd' }] })],
    ['another version', () => app('a', {}, { version: '2026-01-02T00:00:00.000Z' })],
    ['an event about the app', (table) => void table.announcements.app('a', 0)],
    ['an event about its group', (table) => void table.announcements.group('/', 0)],
    ['tasks that have failed', () => app('a', numbered('a', 5, { state: 'TASK_FAILED' }))],
  ])('%s explains all losses', (_name, answer) => {
    const table = tableWith(app('a', numbered('a', 5)));
    expect(table.apply('a', answer(table), 1)).toEqual({ changed: true, held: 0 });
  });

  test('an announcement is over after a minute', () => {
    const table = tableWith(app('team/a', numbered('a', 5)));
    table.announcements.group('/team', 0);
    table.announcements.app('b', 0);
    expect(table.apply('team/a', undefined, 60_000).held).toBe(5);
  });
});

describe('the second look', () => {
  const looking = (verdicts: Record<string, ReturnType<SecondLook['isGone']>>): AppTable => {
    const secondLook: SecondLook = { isGone: (taskId) => verdicts[taskId] ?? 'unknown' };
    return filled(new AppTable({ confirmMs: CONFIRM_MS, secondLook }), [app('a', numbered('a', 4))]);
  };

  test('lets go at once what Mesos says to be gone', () => {
    const table = looking({ 'a.0': 'gone', 'a.1': 'gone', 'a.2': 'gone', 'a.3': 'gone' });
    expect(table.apply('a', undefined, 1)).toEqual({ changed: true, held: 0 });
  });

  test('keeps what Mesos says to live, whatever Marathon says, and looks ever less often', () => {
    const verdicts: Record<string, ReturnType<SecondLook['isGone']>> = { 'a.0': 'alive', 'a.1': 'unknown' };
    const table = looking(verdicts);
    expect(table.apply('a', undefined, 0).held).toBe(4);
    let now = table.nextLook()?.at ?? Number.NaN;
    expect(table.apply('a', undefined, now)).toEqual({ changed: true, held: 1 });
    expect(states(table, 'a')).toEqual(['a.0 ready']);
    const pauses: number[] = [];
    for (let look = 0; look < 9; look++) {
      const next = table.nextLook()?.at ?? Number.NaN;
      pauses.push(next - now);
      now = next;
      table.apply('a', undefined, now);
    }
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000]);
    verdicts['a.0'] = 'gone';
    expect(table.apply('a', undefined, now + 1)).toEqual({ changed: true, held: 0 });
    expect(table.names()).toEqual([]);
  });

  test('what Mesos says to be gone goes before Marathon says so, and does not come back', () => {
    const table = looking({});
    const before = app('a', numbered('a', 4));
    expect(table.taskGone('a.2', 'S1', 1)).toBe('a');
    expect(states(table, 'a')).toHaveLength(3);
    expect(table.apply('a', before, 2)).toEqual({ changed: false, held: 0 });
    expect(table.taskGone('a.2', 'S1', 3)).toBeNull();
    expect(table.taskGone('stranger', 'S1', 3)).toBeNull();
    expect(states(table, 'a')).toEqual(['a.0 ready', 'a.1 ready', 'a.3 ready']);
  });
});
