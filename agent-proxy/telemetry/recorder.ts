/**
 * Recorders of the hot path: what is kept of each request that is over. Recording is a few additions; a class of status
 * that never came takes no room. What figures are called, and how they are shown, is for who visits them.
 */
import { fastLatencyBucket } from './latency-buckets.ts';
import { RecentCounts } from './recent-counts.ts';
import { type Distribution, LATENCIES, type Scale, Stat, WHOLE_NUMBERS } from './stat.ts';

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
  /** Latencies of the class of status that came first, which for most services is the only one; and of the others. */
  private first: ClassTime | null = null;
  private others: ClassTime[] = NO_TIMES;
  /** The status that came first, and how often; 0 before. */
  private firstStatus = 0;
  private firstStatusCount = 0;
  /** Each other status and, behind it, how often it came. */
  private statuses: number[] = NO_STATUSES;

  get count(): number {
    return this.success + this.failures;
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
    this.time(isKnown ? (status / 100) | 0 : 0).add(fastLatencyBucket(latencyMs), latencyMs, now);
    if (isKnown) this.countStatus(status, 1);
  }

  /** Adds all that another has. */
  addAll(other: RequestRecorder, now: number): void {
    this.success += other.success;
    this.failures += other.failures;
    if (other.first !== null) this.time(other.first.kind).addAll(other.first, now);
    for (const time of other.others) this.time(time.kind).addAll(time, now);
    other.eachStatus((status, count) => this.countStatus(status, count));
  }

  /** Its latencies of a class; null where none of its requests had one. */
  timeOf(kind: number): Distribution | null {
    if (this.first?.kind === kind) return this.first;
    return this.others.find((time) => time.kind === kind) ?? null;
  }

  eachStatus(take: (status: number, count: number) => void): void {
    if (this.firstStatus !== 0) take(this.firstStatus, this.firstStatusCount);
    for (let index = 0; index < this.statuses.length; index += 2) {
      take(this.statuses[index] ?? 0, this.statuses[index + 1] ?? 0);
    }
  }

  /** The latencies of a class, which it may begin. */
  private time(kind: number): ClassTime {
    const { first } = this;
    if (first !== null && first.kind === kind) return first;
    for (const time of this.others) if (time.kind === kind) return time;
    const time = new ClassTime(kind);
    if (first === null) this.first = time;
    else this.others = [...this.others, time];
    return time;
  }

  private countStatus(status: number, times: number): void {
    if (status === this.firstStatus || this.firstStatus === 0) {
      this.firstStatus = status;
      this.firstStatusCount += times;
      return;
    }
    const { statuses } = this;
    for (let index = 0; index < statuses.length; index += 2) {
      if (statuses[index] === status) {
        statuses[index + 1] = (statuses[index + 1] ?? 0) + times;
        return;
      }
    }
    // With room for just these: there are thousands of recorders.
    this.statuses = statuses.concat(status, times);
  }
}

/** Several distributions of latencies as one, which is put together when it is asked for. */
class Together implements Distribution {
  private readonly parts: readonly Distribution[];

  constructor(parts: readonly Distribution[]) {
    this.parts = parts;
  }

  get scale(): Scale {
    return LATENCIES;
  }

  get count(): number {
    let count = 0;
    for (const part of this.parts) count += part.count;
    return count;
  }

  get sum(): number {
    let sum = 0;
    for (const part of this.parts) sum += part.sum;
    return sum;
  }

  addRecent(target: RecentCounts, now: number): void {
    for (const part of this.parts) part.addRecent(target, now);
  }
}

/** The latencies of all of these recorders. */
export function latenciesOf(recorders: readonly RequestRecorder[]): Distribution {
  const [only] = recorders;
  return only !== undefined && recorders.length === 1 ? only : new Together(recorders);
}

/** What these recorders have together. `pending`: requests on their way. */
export function visitRequests(recorders: readonly RequestRecorder[], pending: number, visitor: FigureVisitor): void {
  visitCounts(recorders, visitor);
  visitor.gauge('pending', pending);
  const statuses = new Map<number, number>();
  for (const recorder of recorders) {
    recorder.eachStatus((status, count) => statuses.set(status, (statuses.get(status) ?? 0) + count));
  }
  for (const [status, count] of statuses) visitor.counter(`status/${status}`, count);
  for (let kind = 0; kind < CLASSES.length; kind += 1) {
    const times: Distribution[] = [];
    for (const recorder of recorders) {
      const time = recorder.timeOf(kind);
      if (time !== null) times.push(time);
    }
    if (times.length === 0) continue;
    const time = new Together(times);
    visitor.counter(`status/${CLASSES[kind]}`, time.count);
    visitor.stat(`time/${CLASSES[kind]}`, time);
  }
  visitor.stat('request_latency_ms', latenciesOf(recorders));
}

/** How many requests, and what they came to. */
export function visitCounts(recorders: readonly RequestRecorder[], visitor: FigureVisitor): void {
  let success = 0;
  let failures = 0;
  for (const recorder of recorders) {
    success += recorder.success;
    failures += recorder.failures;
  }
  visitor.counter('requests', success + failures);
  visitor.counter('success', success);
  visitor.counter('failures', failures);
}

/** How often each request was sent again. Most never are: only those that were are recorded, the others follow from all. */
export class RetryRecorder implements Distribution {
  private readonly requests: () => Distribution;
  private again: Stat | null = null;

  /** `requests`: all of them. */
  constructor(requests: () => Distribution) {
    this.requests = requests;
  }

  get scale(): Scale {
    return WHOLE_NUMBERS;
  }

  get count(): number {
    return this.requests().count;
  }

  get sum(): number {
    return this.again?.sum ?? 0;
  }

  addRecent(target: RecentCounts, now: number): void {
    RECENT.clear();
    this.requests().addRecent(RECENT, now);
    const all = RECENT.total;
    RECENT.clear();
    this.again?.addRecent(RECENT, now);
    target.add(0, all - RECENT.total);
    this.again?.addRecent(target, now);
  }

  /** A request was sent again, so many times. */
  record(times: number, now: number): void {
    if (times === 0) return;
    this.again ??= new Stat(WHOLE_NUMBERS);
    this.again.record(times, now);
  }
}

const RECENT = new RecentCounts();

class ClassTime extends Stat {
  /** An index of {@link CLASSES}. */
  readonly kind: number;

  constructor(kind: number) {
    super();
    this.kind = kind;
  }
}
