/** What reports say of a change in place, and when it is believed. */
import { expect, test } from 'vitest';
import type { AgentId, NodeStatus } from '../../../framework/index.ts';
import type { RunningCode, SessionView } from '../../../scheduler/distribution/session-view.ts';
import { ChangesInPlace } from '../../../scheduler/proxy/changes.ts';
import { goalOf } from '../../../scheduler/proxy/goal.ts';
import { ProxyGoals } from '../../../scheduler/proxy/goals.ts';
import { fakeAgent, taskId } from '../support/fake-framework.ts';
import { fakeArchive, PLAN } from './fake-archive.ts';

const ONE = fakeArchive('1');
const TWO = fakeArchive('2');

function changes() {
  const told: unknown[][] = [];
  const sent: { url: string; codeSha256: string }[] = [];
  const clock = { now: 1_000 };
  const goals = new ProxyGoals({ archives: [TWO, ONE] }, PLAN, { before: [], shelf: [] });
  const one = goalOf(ONE, PLAN);
  const node: NodeStatus = {
    ...{ ...fakeAgent('10.0.0.1'), agentId: 'S1' as AgentId, state: 'healthy', reason: null, since: 0 },
    ...{ taskId: taskId('p1'), goal: one.id, heldOut: null },
  };
  const log = (): void => undefined;
  const subject = new ChangesInPlace({
    ...{ goals, advertise: 'http://s:1', now: () => clock.now },
    framework: {
      reportGoal: (id, goal) => void told.push(['runs', id, goal]),
      reportUpgradeFailed: (id, goal, reason) => void told.push(['failed', id, goal, reason]),
    },
    sessions: {
      upgrade: (_id, frame) => {
        sent.push(frame);
        return { kind: 'sent' };
      },
    },
    logger: { debug: log, info: log, warn: log, error: log },
  });
  const say = (running: Partial<RunningCode>): unknown[][] => {
    const code = { version: '1', codeSha256: ONE.manifest.code.sha256, upgrade: null, ...running };
    subject.told(node, { running: code } as SessionView);
    return told.splice(0);
  };
  return { subject, clock, sent, say, one, two: goals.wanted };
}

const failed = { state: 'failed', codeSha256: TWO.manifest.code.sha256, reason: 'no such file' } as const;
const WHY = 'its code could not be changed in place: no such file';

test('the proxy is sent the code of the goal, and is what its reports say', () => {
  const { subject, sent, say, one, two } = changes();
  subject.ask('p1', two);
  expect(sent).toMatchObject([{ url: `http://s:1${TWO.code.path}`, codeSha256: TWO.manifest.code.sha256 }]);
  expect(say({})).toEqual([['runs', 'p1', one.id]]);
  expect(say({ codeSha256: TWO.manifest.code.sha256 })).toEqual([['runs', 'p1', two.id]]);
});

test('a failure is told, but not one of before the change was asked for once more', () => {
  const { subject, clock, say, one, two } = changes();
  expect(say({ upgrade: failed })).toEqual([
    ['runs', 'p1', one.id],
    ['failed', 'p1', two.id, WHY],
  ]);
  subject.ask('p1', two);
  clock.now += 1_000;
  expect(say({ upgrade: failed })).toEqual([['runs', 'p1', one.id]]);
  clock.now += 5_000;
  expect(say({ upgrade: failed })).toContainEqual(['failed', 'p1', two.id, WHY]);
});

test('a goal whose archive is not at hand is not sent', () => {
  const { subject, sent } = changes();
  subject.ask('p1', { id: 'gone', relaunchKey: 'k' });
  expect(sent).toEqual([]);
});
