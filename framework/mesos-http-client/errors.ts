/** What a master's refusal means, told by status code and text; and the error of a request that got no good answer. */

/**
 * - `unreachable`: no answer, or none in time.
 * - `no-leader`: nobody knows a leading master, or the one that answered does not lead or is not ready yet.
 * - `unauthorized`: 401; the credential is missing, wrong or at its end.
 * - `forbidden`: 403 from the operator API; the principal lacks a permission.
 * - `refused`: this master will not take this request, now or later.
 * - `failed`: the master itself failed (5xx); worth another attempt.
 * - `unreadable`: an answer that is not what the API promises.
 */
export type MesosErrorKind =
  | 'unreachable'
  | 'no-leader'
  | 'unauthorized'
  | 'forbidden'
  | 'refused'
  | 'failed'
  | 'unreadable';

/** A request to Mesos that came to nothing, in one sentence. */
export class MesosError extends Error {
  readonly kind: MesosErrorKind;

  constructor(kind: MesosErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MesosError';
    this.kind = kind;
  }
}

/** Status codes of a request that belongs to no session (SUBSCRIBE, operator calls). Source: src/master/http.cpp. */
export function kindOfStatus(status: number): MesosErrorKind {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  // Not the leader and no other to go to (307), still starting (404), not elected or recovering (503).
  if (status === 307 || status === 404 || status === 503) return 'no-leader';
  return status >= 500 && status !== 501 ? 'failed' : 'refused';
}

/** The deepest message of an error: undici wraps what the system said. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return sentenceOf(error.errors[0]);
  return error.message === '' ? error.name : error.message;
}
