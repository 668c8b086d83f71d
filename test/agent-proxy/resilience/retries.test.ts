import { describe, expect, test } from 'vitest';
import { RetryBudget } from '../../../agent-proxy/resilience/budget.ts';
import {
  decideRetry,
  type RetryDecision,
  type RetryPolicy,
  type RetryQuestion,
} from '../../../agent-proxy/resilience/retries.ts';

function policyOf(given: Partial<RetryPolicy> = {}): RetryPolicy {
  return {
    isFirstHop: true,
    maxRetries: 2,
    backoff: { kind: 'constant', ms: 0 },
    budget: new RetryBudget(0, () => 1),
    ...given,
  };
}

function ask(policy: RetryPolicy, question: Partial<RetryQuestion> = {}): RetryDecision {
  const usual: RetryQuestion = {
    failure: 'retryable',
    method: 'GET',
    replayable: true,
    responseStarted: false,
    retries: 0,
    previousBackoffMs: 0,
    leftMs: Number.POSITIVE_INFINITY,
  };
  return decideRetry(policy, { ...usual, ...question }, 0, 0.5);
}

const AT_ONCE = { kind: 'retry', afterMs: 0 };

test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'POST', 'PATCH'])(
  '%s that was not sent is sent again at once, whatever the backoff',
  (method) => {
    const policy = policyOf({ backoff: { kind: 'constant', ms: 1_000 } });
    expect(ask(policy, { method, failure: 'unsent' })).toEqual(AT_ONCE);
  },
);

test.each([
  ['GET', AT_ONCE],
  ['PUT', AT_ONCE],
  ['DELETE', AT_ONCE],
  ['POST', { kind: 'no', because: 'method' }],
  ['PATCH', { kind: 'no', because: 'method' }],
])('%s on an old connection that ended without an answer: %j', (method, decision) => {
  expect(ask(policyOf(), { method, failure: 'unanswered' })).toEqual(decision);
});

test('the classifier alone says whether what it judged may be sent again', () => {
  expect(ask(policyOf(), { method: 'POST', failure: 'retryable' })).toEqual(AT_ONCE);
  expect(ask(policyOf(), { failure: 'final' })).toEqual({ kind: 'no', because: 'final' });
});

test('behind another proxy only what was not sent is sent again', () => {
  const behind = policyOf({ isFirstHop: false });
  expect(ask(behind, { failure: 'unsent' })).toEqual(AT_ONCE);
  expect(ask(behind, { failure: 'unanswered' })).toEqual({ kind: 'no', because: 'not-first-hop' });
  expect(ask(behind, { failure: 'retryable' })).toEqual({ kind: 'no', because: 'not-first-hop' });
});

test('never once a byte of the response is out, nor without the body', () => {
  expect(ask(policyOf(), { responseStarted: true })).toEqual({ kind: 'no', because: 'answered' });
  expect(ask(policyOf(), { replayable: false })).toEqual({ kind: 'no', because: 'body' });
});

describe('the cap', () => {
  test('twice and no more', () => {
    expect(ask(policyOf(), { retries: 1 })).toEqual(AT_ONCE);
    expect(ask(policyOf(), { retries: 2 })).toEqual({ kind: 'no', because: 'limit' });
  });

  test('for linkerd only the budget ends it: a GET becomes 101', () => {
    const policy = policyOf({ maxRetries: null });
    let attempts = 1;
    while (ask(policy, { retries: attempts - 1 }).kind === 'retry') attempts += 1;
    expect(attempts).toBe(101);
    expect(ask(policy, { retries: 100 })).toEqual({ kind: 'no', because: 'budget' });
  });
});

test('the backoff is waited for, and what would begin after the deadline is not tried and costs nothing', () => {
  const policy = policyOf({ backoff: { kind: 'jittered', minMs: 100, maxMs: 1_000 } });
  expect(ask(policy, { leftMs: 101 })).toEqual({ kind: 'retry', afterMs: 100 });
  expect(ask(policy, { leftMs: 101, retries: 1, previousBackoffMs: 100 })).toEqual({ kind: 'no', because: 'deadline' });
  expect(ask(policy, { retries: 1, previousBackoffMs: 100 })).toEqual({ kind: 'retry', afterMs: 200 });
  expect(ask(policyOf(), { failure: 'unsent', leftMs: 0 })).toEqual({ kind: 'no', because: 'deadline' });
  expect(policy.budget.balance(0)).toBe(98);
});

test('an empty budget says no', () => {
  const budget = new RetryBudget(0, () => 1, { minRetriesPerSec: 0, percentCanRetry: 0.5, ttlSecs: 10 });
  const policy = policyOf({ budget });
  const answers: string[] = [];
  for (let request = 0; request < 4; request += 1) {
    budget.deposit(0);
    answers.push(ask(policy).kind);
  }
  expect(answers).toEqual(['no', 'retry', 'no', 'retry']);
});
