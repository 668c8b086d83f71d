/**
 * Whether the target of a shift does worse than its source, by what both have answered in the same time. A share of failures
 * is worse where it is higher by more than a margin and by more than chance explains. While a step lasts only what is much
 * worse counts, since it is looked at again and again. Pure.
 */
import { LATENCY_BUCKETS, latencyOfBucket } from '../../../agent-proxy/control/latency-scale.ts';

export interface Counts {
  requests: number;
  failures: number;
  /** Requests by bucket of latency. */
  readonly latency: Map<number, number>;
}

export interface Compared {
  /** For people: `web-v2`. */
  readonly name: string;
  readonly counts: Counts;
}

export type Verdict =
  | { readonly kind: 'pass' }
  /** The target had too few requests to say. */
  | { readonly kind: 'few' }
  | { readonly kind: 'fail'; readonly why: string };

interface Margins {
  /** Of the requests. */
  readonly share: number;
  /** Standard errors of the difference. */
  readonly errors: number;
  /** The latency of 19 of 20 requests: so many times that of the source, and so many milliseconds more. */
  readonly times: number;
  readonly moreMs: number;
}

const EARLY: Margins = { share: 0.1, errors: 4, times: 4, moreMs: 200 };
const END: Margins = { share: 0.02, errors: 3, times: 2, moreMs: 20 };
/** Fewer failures are chance. */
const LEAST_FAILURES = 3;
const LEAST_FOR_LATENCY = 50;
const QUANTILE = 0.95;

export function noCounts(): Counts {
  return { requests: 0, failures: 0, latency: new Map() };
}

/** `isEnd`: the time of the step is over. */
export function judgeShift(target: Compared, source: Compared, minRequests: number, isEnd: boolean): Verdict {
  const margins = isEnd ? END : EARLY;
  const why = moreFailures(target, source, margins) ?? slower(target, source, margins);
  if (why !== null) return { kind: 'fail', why };
  return target.counts.requests < minRequests ? { kind: 'few' } : { kind: 'pass' };
}

function moreFailures(target: Compared, source: Compared, { share, errors }: Margins): string | null {
  const { requests, failures } = target.counts;
  if (failures < LEAST_FAILURES) return null;
  const rise = shareOf(target.counts) - shareOf(source.counts);
  const error = Math.sqrt(varianceOf(target.counts) + varianceOf(source.counts));
  if (rise <= share || rise <= errors * error) return null;
  return `${failures} of ${requests} requests to ${target.name} failed (${percent(target.counts)}), and ${percent(source.counts)} of ${source.counts.requests} to ${source.name}`;
}

function slower(target: Compared, source: Compared, { times, moreMs }: Margins): string | null {
  if (Math.min(target.counts.requests, source.counts.requests) < LEAST_FOR_LATENCY) return null;
  const own = quantileOf(target.counts);
  const other = quantileOf(source.counts);
  if (own <= other * times || own <= other + moreMs) return null;
  return `19 of 20 requests to ${target.name} were answered within ${shownMs(own)}, and those to ${source.name} within ${shownMs(other)}`;
}

function shareOf({ requests, failures }: Counts): number {
  return requests === 0 ? 0 : failures / requests;
}

/** Of a share, with one success and one failure more than were seen, so that few requests are not taken for certain. */
function varianceOf({ requests, failures }: Counts): number {
  const share = (failures + 1) / (requests + 2);
  return requests === 0 ? 0 : (share * (1 - share)) / (requests + 2);
}

function quantileOf({ latency }: Counts): number {
  let total = 0;
  for (const count of latency.values()) total += count;
  let seen = 0;
  for (const [bucket, count] of [...latency].sort(([a], [b]) => a - b)) {
    seen += count;
    if (seen >= QUANTILE * total) return latencyOfBucket(bucket);
  }
  return 0;
}

/** Adds what a report says. */
export function addTo(
  counts: Counts,
  more: { requests: number; failures: number; latency: Iterable<readonly [number, number]> },
): void {
  counts.requests += more.requests;
  counts.failures += more.failures;
  for (const [bucket, count] of more.latency) {
    if (bucket < 0 || bucket >= LATENCY_BUCKETS || count <= 0) continue;
    counts.latency.set(bucket, (counts.latency.get(bucket) ?? 0) + count);
  }
}

const percent = (counts: Counts): string => `${Number((100 * shareOf(counts)).toFixed(1))} %`;

const shownMs = (ms: number): string => `${Number(ms.toPrecision(3))} ms`;
