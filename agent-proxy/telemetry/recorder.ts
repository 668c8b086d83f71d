/**
 * Recorders of the hot path: what is kept of each request that is over. Recording is a few additions; a class of status
 * that never came takes no room. What figures are called, and how they are shown, is for who visits them.
 */
import { fastLatencyBucket } from './latency-buckets.ts';
import type { RecentCounts } from './recent-counts.ts';
import { type Distribution, LATENCIES, type Scale, Stat } from './stat.ts';

const LOWEST_STATUS = 100;
const HIGHEST_STATUS = 599;
/** By the hundreds of the status; 0 is for requests without an answer. */
const CLASSES = ['error', '1XX', '2XX', '3XX', '4XX', '5XX'] as const;

/** Of recorders that have none. Never written to: they have no index. */
const NO_TIMES: ClassTime[] = [];
const NO_STATUSES: number[] = [];

/** Gets each figure of a recorder under its name in linkerd's metric tree. */
export interface FigureVisitor {
  counter(name: string, value: number): void;
  gauge(name: string, value: number): void;
  stat(name: string, stat: Distribution): void;
}

/** The figures that linkerd keeps for a server, a service, a client alike. As a distribution: of all its latencies. */
export class RequestRecorder implements Distribution {
  success = 0;
  failures = 0;
  pending = 0;
  /** Latencies of the class of status that came first, which for most services is the only one; and of the others. */
  private first: ClassTime | null = null;
  private others: ClassTime[] = NO_TIMES;
  /** Each status and, behind it, how often it came. */
  private statuses: number[] = NO_STATUSES;

  get requests(): number {
    return this.success + this.failures;
  }

  get count(): number {
    return this.requests;
  }

  get scale(): Scale {
    return LATENCIES;
  }

  get sum(): number {
    let sum = this.first?.sum ?? 0;
    for (const time of this.others) sum += time.sum;
    return sum;
  }

  addRecent(target: RecentCounts, now: number): void {
    this.first?.addRecent(target, now);
    for (const time of this.others) time.addRecent(target, now);
  }

  /** `status` is 0 where there was no answer. */
  record(status: number, success: boolean, latencyMs: number, now: number): void {
    if (success) this.success += 1;
    else this.failures += 1;
    const isKnown = status >= LOWEST_STATUS && status <= HIGHEST_STATUS;
    const kind = isKnown ? (status / 100) | 0 : 0;
    const { first } = this;
    const time = first !== null && first.kind === kind ? first : this.time(kind);
    time.add(fastLatencyBucket(latencyMs), latencyMs, now);
    if (isKnown) this.countStatus(status);
  }

  visit(visitor: FigureVisitor): void {
    visitor.counter('requests', this.requests);
    visitor.counter('success', this.success);
    visitor.counter('failures', this.failures);
    visitor.gauge('pending', this.pending);
    for (let index = 0; index < this.statuses.length; index += 2) {
      visitor.counter(`status/${this.statuses[index]}`, this.statuses[index + 1] ?? 0);
    }
    if (this.first !== null) this.visitTime(this.first, visitor);
    for (const time of this.others) this.visitTime(time, visitor);
    visitor.stat('request_latency_ms', this);
  }

  private visitTime(time: ClassTime, visitor: FigureVisitor): void {
    visitor.counter(`status/${CLASSES[time.kind]}`, time.count);
    visitor.stat(`time/${CLASSES[time.kind]}`, time);
  }

  /** Finds the latencies of a class that is not the first, or begins them. */
  private time(kind: number): ClassTime {
    for (const time of this.others) if (time.kind === kind) return time;
    const time = new ClassTime(kind);
    if (this.first === null) this.first = time;
    else this.others = [...this.others, time];
    return time;
  }

  private countStatus(status: number): void {
    const { statuses } = this;
    for (let index = 0; index < statuses.length; index += 2) {
      if (statuses[index] === status) {
        statuses[index + 1] = (statuses[index + 1] ?? 0) + 1;
        return;
      }
    }
    // With room for just these: there are thousands of recorders, and most have one status.
    this.statuses = statuses.concat(status, 1);
  }
}

class ClassTime extends Stat {
  /** An index of {@link CLASSES}. */
  readonly kind: number;

  constructor(kind: number) {
    super();
    this.kind = kind;
  }
}

/** The figures that linkerd keeps for a pair of client and service: of attempts, not of requests. */
export class AttemptRecorder {
  private success = 0;
  private failures = 0;
  private readonly latency = new Stat();

  record(success: boolean, latencyMs: number, now: number): void {
    if (success) this.success += 1;
    else this.failures += 1;
    this.latency.add(fastLatencyBucket(latencyMs), latencyMs, now);
  }

  visit(visitor: FigureVisitor): void {
    visitor.counter('requests', this.success + this.failures);
    visitor.counter('success', this.success);
    visitor.counter('failures', this.failures);
    visitor.stat('request_latency_ms', this.latency);
  }
}
