/**
 * Deadlines between proxies: `l5d-ctx-deadline: <timestamp> <deadline>`, both in nanoseconds since 1970. Such a number
 * does not fit a double, so it is kept as whole seconds and nanoseconds, and no digit is lost on the way through. Pure:
 * wall-clock time comes in as milliseconds.
 */

/** A point in time. */
interface Instant {
  readonly seconds: number;
  /** Below a thousand million. */
  readonly nanos: number;
}

export interface Deadline {
  /** When the sender wrote it, by its clock. */
  readonly timestamp: Instant;
  readonly deadline: Instant;
}

/** A clock that is further off than this makes a deadline worthless. */
export const MAX_SKEW_MS = 250;

const NANO_DIGITS = 9;
const NANOS_A_MS = 1_000_000;
/** As many as a signed 64-bit number has. */
const MAX_DIGITS = 19;
const SPACE = 0x20;
const ZERO = 0x30;

/** Null for what is no deadline: linkerd ignores it too. */
export function parseDeadline(text: string): Deadline | null {
  let space = 0;
  while (space < text.length && text.charCodeAt(space) !== SPACE) space += 1;
  const timestamp = parseInstant(text, 0, space);
  const deadline = parseInstant(text, space + 1, text.length);
  return timestamp === null || deadline === null ? null : { timestamp, deadline };
}

export function printDeadline({ timestamp, deadline }: Deadline): string {
  return `${printInstant(timestamp)} ${printInstant(deadline)}`;
}

/** Ends `leftMs` from now. */
export function deadlineIn(nowMs: number, leftMs: number): Deadline {
  return { timestamp: instantOf(nowMs), deadline: instantOf(nowMs + leftMs) };
}

/** The stricter of two: the later timestamp and the earlier deadline. */
export function mergeDeadlines(a: Deadline, b: Deadline): Deadline {
  return {
    timestamp: isBefore(a.timestamp, b.timestamp) ? b.timestamp : a.timestamp,
    deadline: isBefore(b.deadline, a.deadline) ? b.deadline : a.deadline,
  };
}

/** The one that several header lines mean; null where none of them is a deadline. */
export function parseDeadlines(texts: readonly string[]): Deadline | null {
  let strictest: Deadline | null = null;
  for (const text of texts) {
    const next = parseDeadline(text);
    if (next !== null) strictest = strictest === null ? next : mergeDeadlines(strictest, next);
  }
  return strictest;
}

/** Milliseconds until the deadline; negative when it has passed. */
export function leftUntil({ deadline }: Deadline, nowMs: number): number {
  return msOf(deadline) - nowMs;
}

/**
 * Whether the sender's clock and ours differ too much for the deadline to be enforced. A timestamp in our future is
 * proof. One in the past proves something only where the sender has just written it (`isFresh`: a proxy of ours, which
 * writes it when it sends); an application may pass on a header that it got long ago.
 */
export function isSkewed({ timestamp }: Deadline, nowMs: number, isFresh: boolean): boolean {
  const ageMs = nowMs - msOf(timestamp);
  return ageMs < -MAX_SKEW_MS || (isFresh && ageMs > MAX_SKEW_MS);
}

/**
 * What an attempt tells the next hop: never later than its own time allows, nor than the caller's deadline. A deadline by
 * a clock that is off is not mixed with ours: the next hop could not tell any more. `leftMs` is null where we set no limit.
 */
export function deadlineForAttempt(
  received: Deadline | null,
  skewed: boolean,
  nowMs: number,
  leftMs: number | null,
): Deadline | null {
  if (leftMs === null) return received;
  const own = deadlineIn(nowMs, leftMs);
  return received === null || skewed ? own : mergeDeadlines(received, own);
}

function parseInstant(text: string, from: number, to: number): Instant | null {
  const digits = to - from;
  if (digits < 1 || digits > MAX_DIGITS) return null;
  const split = Math.max(from, to - NANO_DIGITS);
  const seconds = parseDigits(text, from, split);
  const nanos = parseDigits(text, split, to);
  return seconds < 0 || nanos < 0 ? null : { seconds, nanos };
}

/** -1 where one of them is no digit. */
function parseDigits(text: string, from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function printInstant({ seconds, nanos }: Instant): string {
  return seconds === 0 ? String(nanos) : `${seconds}${String(nanos).padStart(NANO_DIGITS, '0')}`;
}

function instantOf(ms: number): Instant {
  const seconds = Math.floor(ms / 1_000);
  const nanos = Math.floor((ms - seconds * 1_000) * NANOS_A_MS);
  return { seconds, nanos };
}

function msOf({ seconds, nanos }: Instant): number {
  return seconds * 1_000 + nanos / NANOS_A_MS;
}

function isBefore(a: Instant, b: Instant): boolean {
  return a.seconds === b.seconds ? a.nanos < b.nanos : a.seconds < b.seconds;
}
