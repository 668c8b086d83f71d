/**
 * Figures as datagrams of statsd: of a counter what was added since the last round, of a gauge its value, of a
 * distribution the count that was added and its quantiles as gauges.
 */
import type { MetricScope } from './metrics-tree.ts';
import type { FigureVisitor } from './recorder.ts';
import type { Distribution } from './stat.ts';
import { QUANTILES, Summary } from './summary.ts';

/** Fits into a packet on any Ethernet. */
const MAX_DATAGRAM = 1_400;
const QUANTILE_NAMES = ['min', 'p50', 'p90', 'p95', 'p99', 'p9990', 'p9999', 'max'] as const;

/** What a scope's counters were in the round in which it was last there. */
interface Known {
  round: number;
  readonly counters: Map<string, number>;
}

export class StatsdWriter implements FigureVisitor {
  private readonly prefix: string;
  private readonly summary = new Summary();
  private readonly scopes = new Map<string, Known>();
  private round = 0;
  private now = 0;
  private scope = '';
  private counters = new Map<string, number>();
  private datagrams: string[] = [];
  private datagram = '';

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  begin(now: number): void {
    this.now = now;
    this.round += 1;
  }

  write(scope: MetricScope): void {
    let known = this.scopes.get(scope.path);
    if (known === undefined) {
      known = { round: this.round, counters: new Map() };
      this.scopes.set(scope.path, known);
    }
    known.round = this.round;
    this.counters = known.counters;
    this.scope = `${this.prefix}.${nameOf(scope.path)}`;
    scope.visit(this);
  }

  /** The datagrams that are full. */
  take(): string[] {
    const { datagrams } = this;
    this.datagrams = [];
    return datagrams;
  }

  /** The round is over: the last datagrams. Scopes that were not there are forgotten. */
  end(): string[] {
    for (const [path, { round }] of this.scopes) if (round !== this.round) this.scopes.delete(path);
    if (this.datagram !== '') this.datagrams.push(this.datagram);
    this.datagram = '';
    return this.take();
  }

  counter(name: string, value: number): void {
    const before = this.counters.get(name) ?? 0;
    this.counters.set(name, value);
    // One that is less than before is another of the same name, which began at 0.
    const added = value < before ? value : value - before;
    if (added > 0) this.line(name, added, 'c');
  }

  gauge(name: string, value: number): void {
    // A sign would mean a change, so a negative value is set by way of 0.
    if (value < 0) this.line(name, 0, 'g');
    this.line(name, value, 'g');
  }

  stat(name: string, stat: Distribution): void {
    this.counter(`${name}/count`, stat.count);
    if (!this.summary.read(stat, this.now)) return;
    for (let index = 0; index < QUANTILES.length; index += 1) {
      this.line(`${name}/${QUANTILE_NAMES[index]}`, this.summary.values[index] ?? 0, 'g');
    }
  }

  private line(name: string, value: number, type: 'c' | 'g'): void {
    const line = `${this.scope}.${nameOf(name)}:${Math.round(value * 1000) / 1000}|${type}`;
    if (this.datagram === '') this.datagram = line;
    else if (this.datagram.length + 1 + line.length <= MAX_DATAGRAM) this.datagram += `\n${line}`;
    else {
      this.datagrams.push(this.datagram);
      this.datagram = line;
    }
  }
}

/** `rt/outgoing/service/svc/web` as `rt.outgoing.service.svc.web`; what would mean something to statsd becomes `_`. */
function nameOf(path: string): string {
  return path.replace(/[^A-Za-z0-9_/-]/g, '_').replaceAll('/', '.');
}
