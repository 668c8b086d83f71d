/**
 * Whether a request that failed is sent again, and when: one decision for every kind of failure. Pure.
 */
import { backoffMs } from './backoff.ts';
import type { RetryBudget } from './budget.ts';
import { isIdempotent } from './classifier.ts';
import type { BackoffParams } from './params.ts';

/**
 * - `unsent`: no byte reached an application. Sending it again is a requeue: at once, and for any method.
 * - `unanswered`: a reused connection ended without a byte of an answer. It may have reached an application.
 * - `retryable`: the classifier says that it may be sent again.
 * - `final`: anything else.
 */
export type Failure = 'unsent' | 'unanswered' | 'retryable' | 'final';

/** What the requests by one name share. */
export interface RetryPolicy {
  /** Only the first proxy that a request meets retries; others send again what they know to be unsent (contract, rule 7). */
  readonly isFirstHop: boolean;
  /** Null for linkerd: only the budget ends it. */
  readonly maxRetries: number | null;
  readonly backoff: BackoffParams;
  readonly budget: RetryBudget;
}

export interface RetryQuestion {
  readonly failure: Failure;
  readonly method: string;
  /** All of the body that was read so far can be read again. */
  readonly replayable: boolean;
  /** A byte of a response is on its way to the client. */
  readonly responseStarted: boolean;
  /** How often it was sent again so far. */
  readonly retries: number;
  /** The last wait, or 0. */
  readonly previousBackoffMs: number;
  /** Until the request as a whole has to be over; Infinity where nothing limits it. */
  readonly leftMs: number;
}

/** Why a request is not sent again. */
export type NoRetry = 'final' | 'answered' | 'not-first-hop' | 'method' | 'body' | 'limit' | 'deadline' | 'budget';

export type RetryDecision =
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'no'; readonly because: NoRetry };

/** Takes a retry from the budget where the answer is yes, and only there. `random` lies in [0, 1). */
export function decideRetry(policy: RetryPolicy, question: RetryQuestion, now: number, random: number): RetryDecision {
  const because = obstacle(policy, question);
  if (because !== null) return { kind: 'no', because };
  const { failure, retries, previousBackoffMs, leftMs } = question;
  const afterMs = failure === 'unsent' ? 0 : backoffMs(policy.backoff, retries, previousBackoffMs, random);
  // A retry that could only begin after the deadline is none, and costs the budget nothing.
  if (afterMs >= leftMs) return { kind: 'no', because: 'deadline' };
  if (!policy.budget.tryWithdraw(now)) return { kind: 'no', because: 'budget' };
  return { kind: 'retry', afterMs };
}

function obstacle({ isFirstHop, maxRetries }: RetryPolicy, question: RetryQuestion): NoRetry | null {
  const { failure, method, replayable, responseStarted, retries } = question;
  if (failure === 'final') return 'final';
  if (responseStarted) return 'answered';
  if (!isFirstHop && failure !== 'unsent') return 'not-first-hop';
  if (failure === 'unanswered' && !isIdempotent(method)) return 'method';
  if (!replayable) return 'body';
  if (maxRetries !== null && retries >= maxRetries) return 'limit';
  return null;
}
