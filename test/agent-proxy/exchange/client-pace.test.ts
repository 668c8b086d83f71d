import { expect, test } from 'vitest';
import { ClientPace } from '../../../agent-proxy/exchange/client-pace.ts';

test('a client goes on as long as it has taken something since the last look', () => {
  const writer = { isFull: true, unsent: 100 };
  const pace = new ClientPace(writer);
  expect(pace.goesOn()).toBe(false);
  writer.unsent = 60;
  expect(pace.goesOn()).toBe(true);
  expect(pace.goesOn()).toBe(false);
  // More was written than it took: it cannot be told that it took any.
  writer.unsent = 80;
  expect(pace.goesOn()).toBe(false);
  writer.unsent = 70;
  expect(pace.goesOn()).toBe(true);
});

test('a client that has taken all has nothing to take', () => {
  const writer = { isFull: true, unsent: 100 };
  const pace = new ClientPace(writer);
  writer.isFull = false;
  expect(pace.goesOn()).toBe(true);
});
