/**
 * Recorders of the hot path: counters and latencies in typed arrays, so that recording is an addition to a slot. What
 * they are called, and how they are shown, is not their business.
 */
import { LATENCY_BUCKETS, latencyBucket, latencyOfBucket } from '../control/contract.ts';

/** Quantiles cover this window and what has passed of the next. */
const WINDOW_MS = 60_000;

/** How values are sorted into buckets. */
export interface Scale {
  readonly buckets: number;
  bucketOf(value: number): number;
  /** The value that stands for all of a bucket. */
  valueOf(bucket: number): number;
}

const LATENCIES: Scale = { buckets: LATENCY_BUCKETS, bucketOf: latencyBucket, valueOf: latencyOfBucket };

/** Whole numbers from 0 to `most`, each by itself. */
export function wholeNumbers(most: number): Scale {
  return { buckets: most + 1, bucketOf: (value) => Math.min(value, most), valueOf: (bucket) => bucket };
}

/** A distribution, of latencies mostly: totals since the start, quantiles over the last one to two minutes. */
export class Stat {
  count = 0;
  sum = 0;
  private readonly scale: Scale;
  private current: Uint32Array;
  private previous: Uint32Array;
  private windowStartedAt: number;

  constructor(now: number, scale: Scale = LATENCIES) {
    this.scale = scale;
    this.current = new Uint32Array(scale.buckets);
    this.previous = new Uint32Array(scale.buckets);
    this.windowStartedAt = now;
  }

  record(value: number, now: number): void {
    this.roll(now);
    this.count += 1;
    this.sum += value;
    const bucket = this.scale.bucketOf(value);
    this.current[bucket] = (this.current[bucket] ?? 0) + 1;
  }

  /** The value below which this fraction of the recent ones lies, or null when there were none. */
  quantile(fraction: number, now: number): number | null {
    this.roll(now);
    let recent = 0;
    const { buckets } = this.scale;
    for (let index = 0; index < buckets; index += 1) recent += this.at(index);
    if (recent === 0) return null;
    const wanted = Math.max(1, Math.ceil(fraction * recent));
    let seen = 0;
    for (let index = 0; index < buckets; index += 1) {
      seen += this.at(index);
      if (seen >= wanted) return this.scale.valueOf(index);
    }
    return this.scale.valueOf(buckets - 1);
  }

  private at(index: number): number {
    return (this.current[index] ?? 0) + (this.previous[index] ?? 0);
  }

  private roll(now: number): void {
    const elapsed = now - this.windowStartedAt;
    if (elapsed < WINDOW_MS) return;
    const spare = this.previous;
    if (elapsed < 2 * WINDOW_MS) this.previous = this.current;
    else this.previous = spare.fill(0);
    this.current = elapsed < 2 * WINDOW_MS ? spare.fill(0) : this.current.fill(0);
    this.windowStartedAt = now - (elapsed % WINDOW_MS);
  }
}

const LOWEST_STATUS = 100;
const HIGHEST_STATUS = 599;
const CLASSES = ['error', '1XX', '2XX', '3XX', '4XX', '5XX'] as const;

/** What a scope of requests hears of one request when it is over. */
export interface Outcome {
  /** The status that was answered, or null when there was no answer. */
  readonly status: number | null;
  readonly success: boolean;
  readonly latencyMs: number;
}

/** Gets each figure of a recorder under its name in linkerd's metric tree. */
export interface FigureVisitor {
  counter(name: string, value: number): void;
  gauge(name: string, value: number): void;
  stat(name: string, stat: Stat): void;
}

/** The figures that linkerd keeps for a server, a service, a client alike. */
export class RequestRecorder {
  requests = 0;
  success = 0;
  failures = 0;
  pending = 0;
  private readonly statuses = new Float64Array(HIGHEST_STATUS - LOWEST_STATUS + 1);
  private readonly classes = new Float64Array(CLASSES.length);
  private readonly latency: Stat;
  private readonly times: (Stat | undefined)[] = [];

  constructor(now: number) {
    this.latency = new Stat(now);
  }

  record(outcome: Outcome, now: number): void {
    const { status, latencyMs } = outcome;
    this.requests += 1;
    if (outcome.success) this.success += 1;
    else this.failures += 1;
    this.latency.record(latencyMs, now);
    const known = status !== null && status >= LOWEST_STATUS && status <= HIGHEST_STATUS;
    const kind = known ? Math.floor(status / 100) : 0;
    this.classes[kind] = (this.classes[kind] ?? 0) + 1;
    if (known) this.statuses[status - LOWEST_STATUS] = (this.statuses[status - LOWEST_STATUS] ?? 0) + 1;
    let time = this.times[kind];
    if (time === undefined) {
      time = new Stat(now);
      this.times[kind] = time;
    }
    time.record(latencyMs, now);
  }

  visit(visitor: FigureVisitor): void {
    visitor.counter('requests', this.requests);
    visitor.counter('success', this.success);
    visitor.counter('failures', this.failures);
    visitor.gauge('pending', this.pending);
    for (let index = 0; index < this.statuses.length; index += 1) {
      const count = this.statuses[index] ?? 0;
      if (count > 0) visitor.counter(`status/${index + LOWEST_STATUS}`, count);
    }
    CLASSES.forEach((name, index) => {
      const count = this.classes[index] ?? 0;
      if (count > 0) visitor.counter(`status/${name}`, count);
      const time = this.times[index];
      if (time !== undefined) visitor.stat(`time/${name}`, time);
    });
    visitor.stat('request_latency_ms', this.latency);
  }
}

/** The figures that linkerd keeps for a pair of client and service: of attempts, not of requests. */
export class AttemptRecorder {
  private requests = 0;
  private success = 0;
  private failures = 0;
  private readonly latency: Stat;

  constructor(now: number) {
    this.latency = new Stat(now);
  }

  record({ success, latencyMs }: Outcome, now: number): void {
    this.requests += 1;
    if (success) this.success += 1;
    else this.failures += 1;
    this.latency.record(latencyMs, now);
  }

  visit(visitor: FigureVisitor): void {
    visitor.counter('requests', this.requests);
    visitor.counter('success', this.success);
    visitor.counter('failures', this.failures);
    visitor.stat('request_latency_ms', this.latency);
  }
}
