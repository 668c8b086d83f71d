import { expect, test } from 'vitest';
import { RetryBudget } from '../../../agent-proxy/resilience/budget.ts';
import { judgeResponse } from '../../../agent-proxy/resilience/classifier.ts';
import { DEFAULT_RETRIES } from '../../../agent-proxy/resilience/params.ts';
import { decideRetry, type Failure, type RetryPolicy } from '../../../agent-proxy/resilience/retries.ts';
import { seeded } from '../balance/world.ts';

interface Log {
  /** When a request came, and when something was sent upstream: milliseconds. */
  readonly requests: number[];
  readonly upstream: number[];
  successes: number;
}

/** Requests, one each `everyMs`, to an application that answers with a status, or with null where it cannot be reached. */
function run(seconds: number, everyMs: number, answer: (now: number, random: number) => number | null): Log {
  const random = seeded(3);
  const policy: RetryPolicy = {
    isFirstHop: true,
    maxRetries: DEFAULT_RETRIES.maxRetries,
    backoff: DEFAULT_RETRIES.backoff,
    budget: new RetryBudget(0, () => 1, DEFAULT_RETRIES.budget),
  };
  const log: Log = { requests: [], upstream: [], successes: 0 };
  for (let now = 0; now < seconds * 1_000; now += everyMs) {
    log.requests.push(now);
    policy.budget.deposit(now);
    for (let retries = 0; ; retries += 1) {
      log.upstream.push(now);
      const status = answer(now, random());
      const judgement = status === null ? null : judgeResponse('retryableRead5XX', 'GET', status, false, null);
      if (judgement === 'success') log.successes += 1;
      const failure: Failure =
        judgement === null ? 'unsent' : judgement === 'retryable-failure' ? 'retryable' : 'final';
      const decision = decideRetry(
        policy,
        {
          failure,
          method: 'GET',
          replayable: true,
          responseStarted: false,
          retries,
          previousBackoffMs: 0,
          leftMs: 60_000,
        },
        now,
        random(),
      );
      if (decision.kind === 'no') break;
    }
  }
  return log;
}

/** What was sent in ten seconds beyond 1.2 × the requests of these ten seconds: the most, wherever they lie. */
function excess({ requests, upstream }: Log): number {
  const inSpan = (times: readonly number[], from: number): number =>
    times.filter((at) => at >= from && at < from + 10_000).length;
  let most = Number.NEGATIVE_INFINITY;
  for (let from = 0; from + 10_000 <= (requests.at(-1) ?? 0); from += 50) {
    most = Math.max(most, inSpan(upstream, from) - 1.2 * inSpan(requests, from));
  }
  return most;
}

test('half of the answers fail: in no ten seconds is more sent than 1.2 × + 100, and 58 % succeed', () => {
  const log = run(40, 1, (_, random) => (random < 0.5 ? 500 : 200));
  expect(excess(log)).toBeLessThanOrEqual(100);
  expect(log.successes / log.requests.length).toBeGreaterThanOrEqual(0.58);
});

test('the application dies after a good while: no storm, whether it fails or refuses', () => {
  for (const dead of [500, null]) {
    const log = run(40, 1, (now) => (now < 15_300 ? 200 : dead));
    expect(excess(log)).toBeLessThanOrEqual(100);
  }
});

test('few requests to a dead application: the floor, and no more', () => {
  const log = run(60, 100, () => null);
  expect(excess(log)).toBeLessThanOrEqual(100);
});
