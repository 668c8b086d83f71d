import { describe, expect, test } from 'vitest';
import { ConcurrencyLimit, DEFAULT_SHEDDER, LoadShedder } from '../../../agent-proxy/resilience/admission.ts';

describe('maxConcurrentRequests', () => {
  test('one more than the permits is refused at once, and let in when one is over', () => {
    const limit = new ConcurrencyLimit(2);
    expect([limit.tryAcquire(), limit.tryAcquire(), limit.tryAcquire()]).toEqual([true, true, false]);
    limit.release();
    expect([limit.tryAcquire(), limit.inflight]).toEqual([true, 2]);
  });

  test('none is none', () => {
    const limit = new ConcurrencyLimit(Number.POSITIVE_INFINITY);
    for (let request = 0; request < 1_000; request += 1) expect(limit.tryAcquire()).toBe(true);
  });
});

/** A loop that works in order, a millisecond on each request that it takes and a tenth of one on each that it sheds. */
function simulate(perSecond: number, seconds: number, shedder: LoadShedder | null) {
  const stepMs = 10;
  const work: number[] = [];
  let next = 0;
  let inflight = 0;
  let backlogMs = 0;
  let served = 0;
  let worstDelayMs = 0;
  let due = 0;
  let left = 0;
  for (let now = 0; now < seconds * 1_000; now += stepMs) {
    for (due += (perSecond * stepMs) / 1_000; due >= 1; due -= 1) {
      const taken = shedder === null || shedder.admits(inflight);
      const costMs = taken ? 1 : 0.1;
      if (taken) inflight += 1;
      work.push(costMs);
      backlogMs += costMs;
    }
    left = next < work.length ? left + stepMs : 0;
    for (let costMs = work[next]; costMs !== undefined && costMs <= left; costMs = work[next]) {
      next += 1;
      left -= costMs;
      backlogMs -= costMs;
      if (costMs < 1) continue;
      inflight -= 1;
      served += 1;
    }
    shedder?.observe(now, backlogMs, inflight);
    if (now > seconds * 500) worstDelayMs = Math.max(worstDelayMs, backlogMs);
  }
  return { servedPerSecond: served / seconds, worstDelayMs };
}

describe('load shedding', () => {
  test('nothing is shed below capacity', () => {
    const shedder = new LoadShedder();
    simulate(900, 10, shedder);
    expect(shedder.currentLimit).toBe(Number.POSITIVE_INFINITY);
  });

  test('at twice the capacity the delay stays small and most of the capacity is used; without it the delay has no end', () => {
    const without = simulate(2_000, 20, null);
    const { servedPerSecond, worstDelayMs } = simulate(2_000, 20, new LoadShedder());
    expect(without.worstDelayMs).toBeGreaterThan(15_000);
    expect(worstDelayMs).toBeLessThan(200);
    expect(servedPerSecond).toBeGreaterThan(800);
  });

  test('one long pause is no overload', () => {
    const shedder = new LoadShedder();
    for (let now = 0; now < 1_000; now += 20) shedder.observe(now, now === 500 ? 400 : 1, 50);
    expect(shedder.admits(1_000_000)).toBe(true);
  });

  test('what it needs to go on is always let in, and the limit is lifted when the loop is in time again', () => {
    const shedder = new LoadShedder();
    for (let now = 0; now < 5_000; now += 20) shedder.observe(now, 300, 20);
    expect(shedder.currentLimit).toBe(DEFAULT_SHEDDER.minLimit);
    expect([shedder.admits(15), shedder.admits(16)]).toEqual([true, false]);
    for (let now = 5_000; now < 10_000; now += 20) shedder.observe(now, 1, 10);
    expect(shedder.currentLimit).toBe(Number.POSITIVE_INFINITY);
  });
});
