import { expect, test } from 'vitest';
import { EpochGuard } from '../../../agent-proxy/control/epoch-guard.ts';
import { PeerKeys } from '../../../agent-proxy/control/peer-keys.ts';
import { SchedulerList } from '../../../agent-proxy/control/scheduler-list.ts';

function walk(list: SchedulerList, steps: number): (string | number)[] {
  return Array.from({ length: steps }, () => {
    const step = list.step(0.5);
    return 'url' in step ? step.url : step.pauseMs;
  });
}

test('all schedulers are tried in order, then comes a pause that grows to a second', () => {
  const list = new SchedulerList(['http://a:1', 'http://b:1/'], []);
  expect(walk(list, 6)).toEqual(['http://a:1', 'http://b:1/', 75, 'http://a:1', 'http://b:1/', 150]);
  const pauses = walk(list, 60).filter((step) => typeof step === 'number');
  expect(Math.max(...pauses)).toBe(750);
});

test('what a leader says comes first, and what the task was launched with stays', () => {
  const list = new SchedulerList(['http://a:1'], ['http://old:1']);
  expect(list.all).toEqual(['http://old:1', 'http://a:1']);
  expect(list.tell(['http://new:1/', 'no url', 'http://a:1'])).toBe(true);
  expect(list.all).toEqual(['http://new:1', 'http://a:1']);
  expect(list.tell([])).toBe(false);
  expect(list.all).toEqual(['http://new:1', 'http://a:1']);
});

test('an epoch below the highest is refused and counted; a higher one is kept', () => {
  const kept: number[] = [];
  const guard = new EpochGuard(4, () => kept.push(guard.highest));
  expect([guard.admit(4), guard.admit(3), guard.admit(6), guard.admit(5)]).toEqual([true, false, true, false]);
  expect([guard.highest, guard.refused, kept]).toEqual([6, 2, [6]]);
});

test('the key of the peers and the one before it are accepted, and no other', () => {
  const keys = new PeerKeys();
  expect(keys.accepts('')).toBe(false);
  keys.set('first-key');
  keys.set('second-key');
  expect(['first-key', 'second-key', 'third-key', ''].map((key) => keys.accepts(key))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  keys.set('third-key');
  expect([keys.accepts('first-key'), keys.current]).toEqual([false, 'third-key']);
});
