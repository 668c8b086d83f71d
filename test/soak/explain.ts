/** Which fault explains a failed request. Pure. */
import type { Failure, Fault } from './types.ts';

/** An answer may have been on its way when all was well again already. */
const AFTERWARDS_MS = 1_000;

/**
 * Only faults that end a process on a request's way explain anything: while the masters, the scheduler or the link to an
 * agent fail, every request is to succeed. The fault at the entry comes first, then one at the node that the error names,
 * then one at any other node where the request may have been sent on to: an app cannot call others without its node's proxy.
 */
export function explain(failure: Failure, faults: readonly Fault[]): Fault | null {
  const possible = faults.filter((fault) => endsProcesses(fault) && overlaps(fault, failure));
  return (
    possible.find(({ ip }) => ip === failure.ip) ??
    possible.find(({ ip }) => ip !== null && failure.what.includes(`${ip}:`)) ??
    possible.find(() => wasSentOn(failure)) ??
    null
  );
}

function endsProcesses({ kind }: Fault): boolean {
  return kind === 'proxy killed' || kind === 'worker killed' || kind === 'agent gone, another joins';
}

function overlaps({ at, until }: Fault, { from, to }: Failure): boolean {
  return to >= at && from <= (until ?? Number.POSITIVE_INFINITY) + AFTERWARDS_MS;
}

/** A proxy answered, and not for itself: what went wrong was behind it. */
function wasSentOn({ ip, what }: Failure): boolean {
  return ip === null || (/^5\d\d\b/.test(what) && !what.includes('not-ready'));
}
