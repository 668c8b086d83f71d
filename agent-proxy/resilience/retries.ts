/**
 * Whether a request that failed may be sent once more: one judgement for all kinds of failure. Pure.
 */

/** Tries beyond the first. */
export const MAX_RETRIES = 3;

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/** Methods that may reach an application twice without harm (RFC 9110, 9.2.2). */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * - `unsent`: no byte reached an application.
 * - `unanswered`: it may have reached one, which gave no byte of an answer.
 * - `final`: anything else, a timeout among them: the application may still be working on it.
 */
export type Failure = 'unsent' | 'unanswered' | 'final';

export interface RetryQuestion {
  readonly failure: Failure;
  readonly method: string;
  /** All of the body that was read so far can be read again. */
  readonly replayable: boolean;
  readonly retries: number;
}

/** Whether it may be sent again, budget aside. */
export function mayRetry({ failure, method, replayable, retries }: RetryQuestion): boolean {
  if (failure === 'final' || !replayable || retries >= MAX_RETRIES) return false;
  return failure === 'unsent' || isIdempotent(method);
}
