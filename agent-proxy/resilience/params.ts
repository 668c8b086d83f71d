/** What a configuration can say of failure accrual, retries and classification: plain types, every default filled in. */

/** How long to wait before trying again. All times in milliseconds. */
export type BackoffParams =
  | { readonly kind: 'constant'; readonly ms: number }
  /** Decorrelated jitter: the first is `minMs`, each next one lies between `minMs` and three times the one before. */
  | { readonly kind: 'jittered'; readonly minMs: number; readonly maxMs: number }
  /** Doubles, with the upper half of each step drawn at random. linkerd's built-in default; it has no name in a file. */
  | { readonly kind: 'equalJittered'; readonly minMs: number; readonly maxMs: number };

export type FailureAccrualParams =
  | { readonly kind: 'io.l5d.consecutiveFailures'; readonly failures: number; readonly backoff: BackoffParams }
  | {
      readonly kind: 'io.l5d.successRate';
      readonly successRate: number;
      readonly requests: number;
      readonly backoff: BackoffParams;
    }
  | {
      readonly kind: 'io.l5d.successRateWindowed';
      readonly successRate: number;
      /** Seconds. */
      readonly window: number;
      readonly backoff: BackoffParams;
    }
  | { readonly kind: 'none' };

export interface BudgetParams {
  /** Retries a second that need no traffic, for the whole cluster. At least 0. */
  readonly minRetriesPerSec: number;
  /** A ratio: 0.2 lets one request in five be retried. 0 to 1000. */
  readonly percentCanRetry: number;
  /** How long a deposit lasts, seconds. 1 to 60. */
  readonly ttlSecs: number;
}

export interface RetryParams {
  /** Sent again at most so many times; null for linkerd's behaviour, where only the budget ends it. */
  readonly maxRetries: number | null;
  readonly backoff: BackoffParams;
  readonly budget: BudgetParams;
}

/** `io.l5d.http.<kind>` in a file. */
export type ClassifierKind =
  | 'nonRetryable5XX'
  | 'retryableRead5XX'
  | 'retryableIdempotent5XX'
  | 'retryableAll5XX'
  | 'allSuccessful';

/** linkerd's default where `backoff` is left out. */
export const DEFAULT_ACCRUAL_BACKOFF: BackoffParams = { kind: 'equalJittered', minMs: 5_000, maxMs: 300_000 };

export const DEFAULT_FAILURE_ACCRUAL: FailureAccrualParams = {
  kind: 'io.l5d.consecutiveFailures',
  failures: 5,
  backoff: DEFAULT_ACCRUAL_BACKOFF,
};

export const DEFAULT_BUDGET: BudgetParams = { minRetriesPerSec: 10, percentCanRetry: 0.2, ttlSecs: 10 };

export const DEFAULT_RETRIES: RetryParams = {
  maxRetries: 2,
  backoff: { kind: 'constant', ms: 0 },
  budget: DEFAULT_BUDGET,
};
