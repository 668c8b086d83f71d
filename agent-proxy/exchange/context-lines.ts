/** The context that a request carries from hop to hop: its deadline, its own dtab, its trace. */
import { FIELD } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request-head.ts';
import {
  type Deadline,
  deadlineForAttempt,
  isSkewed,
  leftUntil,
  parseDeadlines,
  printDeadline,
} from '../resilience/deadline.ts';
import type { TraceHeaders } from '../tracing/propagator.ts';

/** The caller's deadline, and what it means here. */
export interface ReceivedDeadline {
  readonly deadline: Deadline;
  /** A clock is off: it is passed on and not enforced. */
  readonly isSkewed: boolean;
  /** Milliseconds that were left when it came. */
  readonly leftMs: number;
}

/** Null where the request has none, or none that can be read. `isFresh`: a proxy of ours has just written it. */
export function receivedDeadline(head: RequestHead, wallClock: number, isFresh: boolean): ReceivedDeadline | null {
  if (!head.has(FIELD.contextDeadline)) return null;
  const deadline = parseDeadlines(head.headers('l5d-ctx-deadline'));
  if (deadline === null) return null;
  return { deadline, isSkewed: isSkewed(deadline, wallClock, isFresh), leftMs: leftUntil(deadline, wallClock) };
}

/** The deadline that an attempt tells, as a line; empty where there is none. `leftMs` is null where only the caller's counts. */
export function deadlineLine(received: ReceivedDeadline | null, wallClock: number, leftMs: number | null): string {
  const own = deadlineForAttempt(received?.deadline ?? null, received?.isSkewed ?? false, wallClock, leftMs);
  return own === null ? '' : `l5d-ctx-deadline: ${printDeadline(own)}\r\n`;
}

/** A request's own dtab goes on as context (linkerd's rule), where it has one. */
export function dtabLine(localDtab: string | null): string {
  return localDtab === null ? '' : `l5d-ctx-dtab: ${localDtab}\r\n`;
}

/** Of a request that says nothing of its trace. */
export const NO_TRACE: TraceHeaders = {
  linkerd: null,
  sample: null,
  traceparent: null,
  b3: null,
  b3TraceId: null,
  b3SpanId: null,
  b3ParentSpanId: null,
  b3Sampled: null,
  b3Flags: null,
};

/** What a head says of its trace. */
export function traceHeadersOf(head: RequestHead): TraceHeaders {
  if (!head.tellsTrace && !head.has(FIELD.contextTrace) && !head.has(FIELD.sample)) return NO_TRACE;
  return {
    linkerd: head.value(FIELD.contextTrace),
    sample: head.value(FIELD.sample),
    traceparent: head.value(FIELD.traceparent),
    b3: head.value(FIELD.b3),
    b3TraceId: head.value(FIELD.b3TraceId),
    b3SpanId: head.value(FIELD.b3SpanId),
    b3ParentSpanId: head.value(FIELD.b3ParentSpanId),
    b3Sampled: head.value(FIELD.b3Sampled),
    b3Flags: head.value(FIELD.b3Flags),
  };
}
