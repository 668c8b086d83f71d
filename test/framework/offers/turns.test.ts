import { expect, test } from 'vitest';
import { agentId } from '../../../framework/mesos-http-client/messages.ts';
import { hasRoom, launchTook, leaveTurns, newTurns, turnOf } from '../../../framework/offers/turns.ts';

const names = (count: number) => Array.from({ length: count }, (_, index) => agentId(`a${index}`));

test('twenty launches are on their way at a time', () => {
  expect(hasRoom(19)).toBe(true);
  expect(hasRoom(20)).toBe(false);
});

test('ten thousand wait one after the other, at the pace of launches', () => {
  const turns = newTurns();
  const at = names(10_000).map((name) => turnOf(turns, name, 0));
  expect(at[0]).toBe(1_000);
  for (let index = 1; index < at.length; index += 1) expect(at[index]).toBeGreaterThan(at[index - 1] ?? 0);
  // 3 s a launch, twenty at a time, and a tenth of slack.
  expect(at.at(-1)).toBeCloseTo(1_000 + 9_999 * 165, -3);
});

test('an offer before the turn changes nothing; a turn in vain goes to the end', () => {
  const turns = newTurns();
  const [first = agentId('?'), second = agentId('?')] = names(2);
  const at = turnOf(turns, first, 0);
  const other = turnOf(turns, second, 0);
  expect(turnOf(turns, first, 500)).toBe(at);
  expect(turnOf(turns, first, at)).toBeGreaterThan(other);
});

test('where launches take long, turns are further apart', () => {
  const turns = newTurns();
  for (let index = 0; index < 100; index += 1) launchTook(turns, 30_000);
  const [first = 0, second = 0] = names(2).map((name) => turnOf(turns, name, 0));
  expect(second - first).toBeCloseTo(1_650, -1);
});

test('with nobody waiting it begins anew', () => {
  const turns = newTurns();
  for (const name of names(1_000)) turnOf(turns, name, 0);
  for (const name of names(1_000)) leaveTurns(turns, name);
  expect(turnOf(turns, agentId('late'), 5_000)).toBe(6_000);
});
