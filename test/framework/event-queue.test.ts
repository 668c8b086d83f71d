import { expect, test } from 'vitest';
import { EventQueue } from '../../framework/event-queue.ts';
import { eventually } from '../fixtures/eventually.ts';

const tick = () => new Promise((resolve) => setImmediate(resolve));

test('events are worked on one after the other, and never from within push', async () => {
  const log: string[] = [];
  const queue = new EventQueue<string>(async (event) => {
    log.push(`${event} begins`);
    await tick();
    log.push(`${event} ends`);
  });
  queue.push('a');
  queue.push('b');
  expect(log).toEqual([]);
  await eventually('both are done with', () => log.length === 4);
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('a source has to wait while much is waiting', async () => {
  let release = (): void => {};
  const queue = new EventQueue<number>(() => new Promise((resolve) => (release = resolve)));
  for (let at = 0; at < 1_001; at += 1) queue.push(at);
  let room = false;
  const waited = queue.room().then(() => (room = true));
  await tick();
  expect(room).toBe(false);
  // After a long stretch the queue leaves others a turn before it goes on.
  await eventually('there is room', () => {
    release();
    return room;
  });
  await waited;
});

test('what waits can be rewritten, and is dropped by close', async () => {
  const done: string[] = [];
  let release = (): void => {};
  const queue = new EventQueue<string>((event) => {
    done.push(event);
    return new Promise((resolve) => (release = resolve));
  });
  queue.push('a');
  await tick();
  queue.push('offer');
  queue.push('late');
  queue.replace((event) => (event === 'offer' ? 'rescinded' : event));
  release();
  await eventually('the next one is worked on', () => done.length === 2);
  const closed = queue.close();
  release();
  await closed;
  expect(done).toEqual(['a', 'rescinded']);
});
