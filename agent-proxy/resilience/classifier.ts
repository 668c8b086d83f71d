/**
 * HTTP response classifiers: the one judgement of an answer that retries, failure accrual and metrics all use. Pure, and
 * nothing is allocated.
 */
import type { ClassifierKind } from './params.ts';

export type Judgement = 'success' | 'failure' | 'retryable-failure';

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
/** Methods that may reach an application twice without harm (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([...READS, 'PUT', 'DELETE']);
/** Not CONNECT: a tunnel cannot be sent again. */
const ALL: ReadonlySet<string> = new Set([...IDEMPOTENT, 'POST', 'PATCH']);
const NONE: ReadonlySet<string> = new Set();

/** The methods whose failures each kind calls retryable. */
const RETRYABLE: Readonly<Record<ClassifierKind, ReadonlySet<string>>> = {
  nonRetryable5XX: NONE,
  retryableRead5XX: READS,
  retryableIdempotent5XX: IDEMPOTENT,
  retryableAll5XX: ALL,
  allSuccessful: NONE,
};

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * Judges a response. `retryable` says that it carries `l5d-retryable: true`: a proxy asserts that nothing was sent, so
 * any method may be sent again. `successClass` is the value of `l5d-success-class`, the judgement of a linkerd nearer to
 * the application, or null.
 */
export function judgeResponse(
  kind: ClassifierKind,
  method: string,
  status: number,
  retryable: boolean,
  successClass: string | null,
): Judgement {
  if (kind === 'allSuccessful') return 'success';
  if (successClass === null ? status < 500 : isSuccessClass(successClass)) return 'success';
  return retryable || RETRYABLE[kind].has(method) ? 'retryable-failure' : 'failure';
}

/** Judges an attempt that brought no response: it timed out, or the connection was closed or broke the protocol. */
export function judgeException(kind: ClassifierKind, method: string): Judgement {
  return RETRYABLE[kind].has(method) ? 'retryable-failure' : 'failure';
}

/** linkerd takes any positive number for success, and what is no number for 0. */
function isSuccessClass(text: string): boolean {
  return Number(text) > 0;
}
