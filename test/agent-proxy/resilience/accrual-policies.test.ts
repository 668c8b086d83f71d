import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accrualPolicy } from '../../../agent-proxy/resilience/accrual-policies.ts';
import type { AccrualPolicy } from '../../../agent-proxy/resilience/accrual-policy.ts';
import { DEFAULT_ACCRUAL_BACKOFF, type FailureAccrualParams } from '../../../agent-proxy/resilience/params.ts';
import { SiblingRates } from '../../../agent-proxy/resilience/sibling-rates.ts';

const backoff = DEFAULT_ACCRUAL_BACKOFF;

function policy(params: FailureAccrualParams): AccrualPolicy {
  return accrualPolicy(params, null);
}

/** How many failures, one each `stepMs`, it takes to trip; null where `most` do not. */
function failuresToTrip(subject: AccrualPolicy, most: number, from = 0, stepMs = 0): number | null {
  for (let count = 1; count <= most; count += 1) if (subject.failed(from + (count - 1) * stepMs)) return count;
  return null;
}

describe('consecutiveFailures', () => {
  test('the nth trips and not one before, each one after it trips too, and a success or a revival starts anew', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 99 }), fc.constantFrom('success', 'revival'), (failures, event) => {
        const subject = policy({ kind: 'io.l5d.consecutiveFailures', failures, backoff });
        expect(failuresToTrip(subject, 200)).toBe(failures);
        expect(subject.failed(0)).toBe(true);
        if (event === 'success') subject.succeeded(0);
        else subject.revived();
        expect(failuresToTrip(subject, 200)).toBe(failures);
      }),
    );
  });
});

describe('successRate', () => {
  const rate = (successRate: number, requests: number): AccrualPolicy =>
    policy({ kind: 'io.l5d.successRate', successRate, requests, backoff });

  test('of nothing but failures the one that completes the window trips', () => {
    expect(failuresToTrip(rate(0.5, 5), 100)).toBe(5);
  });

  test('after 100 successes the 70th failure trips at 0.5 over 100: half of it is forgotten after 100 ln 2', () => {
    const subject = rate(0.5, 100);
    for (let count = 0; count < 100; count += 1) subject.succeeded(0);
    expect(failuresToTrip(subject, 200)).toBe(70);
  });

  test('20 requests of which 10 failed trip at 0.8 over 20, and 19 never do', () => {
    const subject = rate(0.8, 20);
    for (let count = 0; count < 10; count += 1) subject.succeeded(0);
    expect(failuresToTrip(subject, 9)).toBeNull();
    expect(subject.failed(0)).toBe(true);
  });

  test('a revival forgets the average and the count', () => {
    const subject = rate(0.5, 5);
    failuresToTrip(subject, 5);
    subject.revived();
    expect(failuresToTrip(subject, 100)).toBe(5);
  });
});

describe('successRateWindowed', () => {
  const windowed = (successRate: number, window: number): AccrualPolicy =>
    policy({ kind: 'io.l5d.successRateWindowed', successRate, window, backoff });

  test('after 100 s of successes the 70th second of failures trips at 0.5 over 100 s', () => {
    const subject = windowed(0.5, 100);
    for (let second = 0; second < 100; second += 1) subject.succeeded(second * 1_000);
    expect(failuresToTrip(subject, 200, 100_000, 1_000)).toBe(70);
  });

  test('nothing trips before a whole window has passed, also after a revival', () => {
    const subject = windowed(0.5, 10);
    expect(failuresToTrip(subject, 100, 0, 100)).toBeNull();
    expect(subject.failed(10_000)).toBe(true);
    subject.revived();
    expect(failuresToTrip(subject, 100, 10_000, 100)).toBeNull();
    expect(subject.failed(20_000)).toBe(true);
  });

  test('fewer than five requests in the window say nothing', () => {
    const subject = windowed(0.5, 10);
    expect(failuresToTrip(subject, 40, 0, 3_000)).toBeNull();
    const busier = windowed(0.5, 10);
    expect(failuresToTrip(busier, 40, 0, 1_900)).toBe(7);
  });

  test('requests of long ago do not count', () => {
    const subject = windowed(0.5, 10);
    for (let count = 0; count < 100; count += 1) subject.failed(0);
    expect(failuresToTrip(subject, 4, 1_000_000, 1)).toBeNull();
    expect(subject.failed(1_000_005)).toBe(true);
  });
});

test('none never trips', () => {
  const subject = policy({ kind: 'none' });
  subject.succeeded(0);
  expect(failuresToTrip(subject, 1_000)).toBeNull();
  subject.left();
  subject.revived();
});

describe('among siblings', () => {
  const params: FailureAccrualParams = { kind: 'io.l5d.successRate', successRate: 0.9, requests: 20, backoff };
  const windowed: FailureAccrualParams = { kind: 'io.l5d.successRateWindowed', successRate: 0.9, window: 10, backoff };

  test.each([params, windowed])('$kind: what fails among others that do not trips', (given) => {
    const siblings = new SiblingRates();
    const [bad, ...good] = Array.from({ length: 5 }, () => accrualPolicy(given, siblings));
    let trips = 0;
    for (let now = 0; now < 20_000; now += 100) {
      for (const each of good) each.succeeded(now);
      if (bad?.failed(now) === true) trips += 1;
    }
    expect(trips).toBeGreaterThan(0);
  });

  test.each([params, windowed])(
    '$kind: what fails as all others do does not, and nor does one that is alone',
    (given) => {
      for (const count of [1, 5]) {
        const siblings = new SiblingRates();
        const all = Array.from({ length: count }, () => accrualPolicy(given, siblings));
        for (let now = 0; now < 20_000; now += 100) for (const each of all) expect(each.failed(now)).toBe(false);
      }
    },
  );

  test('what left is compared with no longer', () => {
    const siblings = new SiblingRates();
    const [a, b] = [accrualPolicy(params, siblings), accrualPolicy(params, siblings)];
    for (let count = 0; count < 40; count += 1) b.succeeded(0);
    b.left();
    expect(failuresToTrip(a, 200)).toBeNull();
    b.succeeded(0);
    expect(failuresToTrip(a, 1)).toBe(1);
  });
});
