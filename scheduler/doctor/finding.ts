/** What a check found: what happened, to what, why, and what to do. */

/**
 * - `ok`: it is as it should be. `note`: it is good to know, and nothing has to be done.
 * - `unknown`: it could not be looked at; `why` says what was in the way.
 * - `warning`: it does harm, or soon will. `error`: something does not work.
 */
export const SEVERITIES = ['ok', 'note', 'unknown', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Finding {
  readonly severity: Severity;
  /** What happened, one sentence. */
  readonly what: string;
  /** To what: an address, a node, an option. */
  readonly subject: string;
  readonly why: string | null;
  /** Null where nothing has to be done. */
  readonly todo: string | null;
}

export function ok(subject: string, what: string): Finding {
  return { severity: 'ok', what, subject, why: null, todo: null };
}

export function unknown(subject: string, what: string, why: string): Finding {
  return { severity: 'unknown', what, subject, why, todo: null };
}

/** `node1, node2, node3 and 7 more`. */
export function someOf(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).join(', ');
  return names.length <= most ? shown : `${shown} and ${names.length - most} more`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
