/** Thousands of timeouts on one wheel: each fires once, in time, whatever the others do. Time is virtual. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TICK_MS, Timed, TimerWheel } from '../../../agent-proxy/timing/timer-wheel.ts';

class Alarm extends Timed {
  readonly firedAt: number[] = [];
  private readonly act: (alarm: Alarm, now: number) => void;

  constructor(act: (alarm: Alarm, now: number) => void = () => undefined) {
    super();
    this.act = act;
  }

  override timedOut(now: number): void {
    this.firedAt.push(now);
    this.act(this, now);
  }
}

/** Turns the wheel tick by tick. */
function run(wheel: TimerWheel, from: number, to: number): void {
  for (let now = from; now <= to; now += TICK_MS) wheel.turn(now);
}

test.each([1, 19, 20, 21, 1_000, 9_999, 10_240, 60_000, 3_600_000])(
  '%d ms: once, not early, and at most a tick late',
  (ms) => {
    const start = 12_345.6;
    const wheel = new TimerWheel(start);
    const alarm = new Alarm();
    wheel.arm(alarm, start + ms);
    run(wheel, start, start + ms + 5 * TICK_MS);
    expect(alarm.firedAt).toHaveLength(1);
    expect(alarm.firedAt[0]).toBeGreaterThanOrEqual(start + ms);
    expect(alarm.firedAt[0]).toBeLessThanOrEqual(start + ms + 2 * TICK_MS);
    expect(alarm.dueAt).toBe(0);
  },
);

test('armed again, the earlier arming is void; disarmed, it never fires', () => {
  const wheel = new TimerWheel(0);
  const [later, sooner, never] = [new Alarm(), new Alarm(), new Alarm()];
  wheel.arm(later, 100);
  wheel.arm(later, 500);
  wheel.arm(sooner, 500);
  wheel.arm(sooner, 100);
  wheel.arm(never, 100);
  wheel.disarm(never);
  wheel.disarm(never);
  run(wheel, 0, 1_000);
  expect([later.firedAt, sooner.firedAt, never.firedAt]).toEqual([[500], [100], []]);
});

test('infinitely far is never, and can be armed anew', () => {
  const wheel = new TimerWheel(0);
  const alarm = new Alarm();
  wheel.arm(alarm, Number.POSITIVE_INFINITY);
  run(wheel, 0, 30_000);
  wheel.arm(alarm, 30_100);
  run(wheel, 30_000, 31_000);
  expect(alarm.firedAt).toHaveLength(1);
});

test('after a long pause all that is due fires, and nothing else', () => {
  const wheel = new TimerWheel(0);
  const due = Array.from({ length: 100 }, () => new Alarm());
  for (const [index, alarm] of due.entries()) wheel.arm(alarm, 1 + index * 997);
  const later = new Alarm();
  wheel.arm(later, 200_000);
  wheel.turn(100_000);
  expect(due.every(({ firedAt }) => firedAt.length === 1)).toBe(true);
  expect(later.firedAt).toEqual([]);
});

test('one that arms itself again for a time that has passed fires with a later turn, and does not hold this one', () => {
  const wheel = new TimerWheel(0);
  const alarm = new Alarm((self) => wheel.arm(self, 1));
  wheel.arm(alarm, 1);
  wheel.turn(20);
  expect(alarm.firedAt).toEqual([20]);
  // A pause of more than a whole turn of the wheel looks at each slot once.
  wheel.turn(50_000);
  wheel.turn(50_020);
  expect(alarm.firedAt.length).toBeLessThanOrEqual(4);
});

test('what fires may disarm what is due with it', () => {
  const wheel = new TimerWheel(0);
  const alarms: Alarm[] = [];
  for (let index = 0; index < 10; index += 1) {
    alarms.push(
      new Alarm(() => {
        for (const other of alarms) wheel.disarm(other);
      }),
    );
  }
  for (const alarm of alarms) wheel.arm(alarm, 100);
  run(wheel, 0, 200);
  expect(alarms.map(({ firedAt }) => firedAt.length).reduce((sum, count) => sum + count)).toBe(1);
});

test('many that are due beside many that are not cost each one look', () => {
  const wheel = new TimerWheel(0);
  const round = 512 * TICK_MS;
  const alarms = Array.from({ length: 60_000 }, () => new Alarm());
  // All in one slot: every second one of them is due a turn later.
  for (const [index, alarm] of alarms.entries()) wheel.arm(alarm, 100 + (index % 2 === 0 ? round : 0));
  // A look at all that is left for each that fires would be 900 million looks.
  const before = process.cpuUsage();
  wheel.turn(100);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(1_500);
  expect(alarms.filter(({ firedAt }) => firedAt.length === 1)).toHaveLength(30_000);
});

test('whatever is armed and disarmed when: each fires in time, once for each arming that held', () => {
  const step = fc.record({
    alarm: fc.integer({ min: 0, max: 9 }),
    ms: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 30_000 })),
    pause: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 25_000 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let now = 1_000;
      const wheel = new TimerWheel(now);
      const alarms = Array.from({ length: 10 }, () => new Alarm());
      const dueAt = new Map<Alarm, number>();
      const turnTo = (to: number): void => {
        now = to;
        for (const alarm of alarms) alarm.firedAt.length = 0;
        wheel.turn(now);
        for (const alarm of alarms) {
          const due = dueAt.get(alarm);
          if (alarm.firedAt.length > 0) {
            expect(due).toBeLessThanOrEqual(now);
            expect(alarm.firedAt).toEqual([now]);
            dueAt.delete(alarm);
          } else if (due !== undefined) {
            expect(due).toBeGreaterThan(now - 2 * TICK_MS);
          }
        }
      };
      for (const { alarm: index, ms, pause } of steps) {
        const alarm = alarms[index];
        if (alarm === undefined) continue;
        if (ms === -1) {
          wheel.disarm(alarm);
          dueAt.delete(alarm);
        } else {
          wheel.arm(alarm, now + ms);
          dueAt.set(alarm, now + ms);
        }
        turnTo(now + pause);
      }
      turnTo(now + 60_000);
      expect(dueAt.size).toBe(0);
    }),
    { numRuns: 300 },
  );
});
