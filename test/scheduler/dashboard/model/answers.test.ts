import { describe, expect, test } from 'vitest';
import {
  frameworkIdAnswerSchema,
  frameworkIdOf,
  nodesAnswerSchema,
  readAnswer,
  servicesAnswerSchema,
  trafficAnswerSchema,
} from '../../../../scheduler/dashboard/src/model/answers.ts';
import { connectionOf, staleSince } from '../../../../scheduler/dashboard/src/model/connection.ts';
import { formatClock } from '../../../../scheduler/dashboard/src/model/format.ts';
import { fakeNode, fakeService } from '../fake-scheduler.ts';

describe('an answer', () => {
  test('of a newer scheduler is read: unknown keys are ignored and unknown words kept', () => {
    const node = {
      ...fakeNode(1),
      state: 'quarantined',
      zone: 'b',
      wanted: { version: '9', configRevision: 2, edge: 1 },
    };
    const [read] = readAnswer(nodesAnswerSchema, 'v1/nodes', [node]);
    expect(read).toMatchObject({ agentId: 'agent-S1', state: 'quarantined', wanted: { version: '9' } });
    expect(readAnswer(servicesAnswerSchema, 'v1/services', [{ ...fakeService('web', true), vip: 'x' }])).toHaveLength(
      1,
    );
  });

  test('of traffic may leave out figures that nobody has', () => {
    const answer = { nodes: [{ agentId: 'S1', rps: 0 }], services: [{ name: 'web', rps: 0, successRate: null }] };
    expect(readAnswer(trafficAnswerSchema, 'v1/traffic', answer).windowMs).toBe(10_000);
  });

  test('that does not fit is refused with the place', () => {
    expect(() => readAnswer(nodesAnswerSchema, 'v1/nodes', [fakeNode(1), { ...fakeNode(2), public: 'yes' }])).toThrow(
      /^the answer to v1\/nodes is not understood at 1\.public: /,
    );
    expect(() => readAnswer(nodesAnswerSchema, 'v1/nodes', null)).toThrow(
      /^the answer to v1\/nodes is not understood: /,
    );
  });

  test.each([
    [['id-1'], 'id-1'],
    ['id-1', 'id-1'],
    [[], null],
    ['', null],
    [null, null],
  ])('%j names the framework %s', (answer, id) => {
    expect(frameworkIdOf(readAnswer(frameworkIdAnswerSchema, 'v1/state/frameworkId', answer))).toBe(id);
  });
});

describe('the connection', () => {
  const good = { path: 'v1/nodes', goodAt: 1_000, failure: null };

  test('is being made until everything was answered once', () => {
    expect(connectionOf([good, { ...good, goodAt: null }]).kind).toBe('connecting');
    expect(connectionOf([good]).kind).toBe('live');
  });

  test('that is lost shows the oldest of what is shown', () => {
    const at = (hour: number) => new Date(2026, 0, 1, hour, 30, 15).getTime();
    const lost = connectionOf([
      { path: 'v1/nodes', goodAt: at(15), failure: 'no connection' },
      { path: 'v1/services', goodAt: at(14), failure: 'no connection' },
      { path: 'v1/health', goodAt: at(13), failure: null },
    ]);
    expect(lost).toEqual({
      kind: 'lost',
      message: 'Connection lost, showing the state of 14:30:15.',
      detail: 'v1/nodes: no connection. Trying again by itself.',
    });
  });

  test('is not as old as what never changes and is asked for seldom', () => {
    const lost = connectionOf([
      { path: 'v1/nodes', goodAt: 90_000, failure: 'no connection' },
      { path: 'v1/state/frameworkId', goodAt: 60_000, failure: 'no connection', lasting: true },
    ]);
    expect(lost).toMatchObject({ message: `Connection lost, showing the state of ${formatClock(90_000)}.` });
  });

  test('leaves what was answered stale once a request fails', () => {
    expect(staleSince(good)).toBeNull();
    expect(staleSince({ ...good, failure: 'no connection' })).toBe(1_000);
    expect(staleSince({ ...good, goodAt: null, failure: 'no connection' })).toBeNull();
  });

  test('that never was is no lost one', () => {
    expect(connectionOf([{ path: 'v1/nodes', goodAt: null, failure: 'no connection' }]).kind).toBe('unreachable');
  });
});
