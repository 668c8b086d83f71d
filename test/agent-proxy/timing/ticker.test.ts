/** The one timer of the data path: it turns the wheel, repeats what has to be, and tells how late the loop is. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Ticker } from '../../../agent-proxy/timing/ticker.ts';
import { TICK_MS, Timed } from '../../../agent-proxy/timing/timer-wheel.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});

afterEach(() => {
  vi.useRealTimers();
});

class Once extends Timed {
  firedAt = 0;

  override timedOut(now: number): void {
    this.firedAt = now;
  }
}

test('it turns the wheel while it runs', () => {
  const ticker = new Ticker(Date.now);
  const once = new Once();
  ticker.start();
  ticker.start();
  ticker.wheel.arm(once, 100);
  vi.advanceTimersByTime(200);
  expect(once.firedAt).toBe(100);
  ticker.stop();
  const late = new Once();
  ticker.wheel.arm(late, 300);
  vi.advanceTimersByTime(1_000);
  expect(late.firedAt).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('it repeats what has to be repeated, about so often', () => {
  const ticker = new Ticker(Date.now);
  let count = 0;
  ticker.every(1_000, () => {
    count += 1;
  });
  ticker.start();
  vi.advanceTimersByTime(10_500);
  expect(count).toBe(10);
  ticker.stop();
});

test('it tells by how much each tick was late, and the worst of them once', () => {
  let ahead = 0;
  const ticker = new Ticker(() => Date.now() + ahead);
  const told: number[] = [];
  ticker.onTick((lateMs) => told.push(lateMs));
  ticker.start();
  vi.advanceTimersByTime(TICK_MS);
  ahead = 70;
  vi.advanceTimersByTime(TICK_MS);
  vi.advanceTimersByTime(TICK_MS);
  expect(told).toEqual([0, 70, 0]);
  expect([ticker.worstDelay(), ticker.worstDelay()]).toEqual([70, 0]);
  ticker.stop();
});
