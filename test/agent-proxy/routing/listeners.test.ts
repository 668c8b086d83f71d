/** Who hears of a change, with one listener and with several. */
import { expect, test } from 'vitest';
import { Listeners } from '../../../agent-proxy/routing/listeners.ts';

test('all hear of a change in the order in which they came, until they are taken off', () => {
  const listeners = new Listeners<string>();
  const heard: string[] = [];
  const add = (name: string) => listeners.add((change) => heard.push(`${name}:${change}`));
  const removals = ['a', 'b', 'c'].map(add);
  listeners.tell('1');
  expect(removals[0]?.()).toBe(true);
  listeners.tell('2');
  expect(removals[0]?.()).toBe(false);
  expect(removals.slice(1).map((remove) => remove())).toEqual([true, true]);
  expect(listeners.isEmpty).toBe(true);
  listeners.tell('3');
  expect(heard).toEqual(['a:1', 'b:1', 'c:1', 'b:2', 'c:2']);
});

test('a function that listens twice is two listeners', () => {
  const listeners = new Listeners<number>();
  let sum = 0;
  const listen = (by: number): void => {
    sum += by;
  };
  const remove = listeners.add(listen);
  listeners.add(listen);
  listeners.tell(1);
  remove();
  listeners.tell(10);
  expect([sum, listeners.isEmpty]).toEqual([12, false]);
});

test('who is added or taken off while all are told', () => {
  const listeners = new Listeners<number>();
  const heard: string[] = [];
  const remove = listeners.add((change) => {
    heard.push(`first:${change}`);
    remove();
    listeners.add((next) => heard.push(`late:${next}`));
  });
  listeners.add((change) => heard.push(`second:${change}`));
  listeners.tell(1);
  listeners.tell(2);
  expect(heard).toEqual(['first:1', 'second:1', 'second:2', 'late:2']);
});
