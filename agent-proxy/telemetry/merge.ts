/**
 * The metrics of several workers as those of one proxy: each exports its tree as plain JSON, in slices, and who renders
 * for all adds them up. Counters and gauges are summed, distributions are added bucket by bucket. Pure.
 */
import { Slice } from '../timing/slices.ts';
import type { Labels, MetricScope, ScopeSource } from './metrics-tree.ts';
import { RecentCounts } from './recent-counts.ts';
import type { FigureVisitor } from './recorder.ts';
import { type Distribution, LATENCIES, type Scale, WHOLE_NUMBERS } from './stat.ts';

export interface ExportedStat {
  readonly scale: Scale['kind'];
  readonly count: number;
  readonly sum: number;
  /** Bucket and count of those of the last one to two minutes, one after the other. */
  readonly recent: readonly number[];
}

/** Figures stand under their names, which JSON readers keep once however many scopes have them. */
export interface ExportedScope {
  readonly path: string;
  readonly name: string;
  readonly labels: Labels;
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
  readonly stats: Readonly<Record<string, ExportedStat>>;
}

/** What each worker says of one and the same thing; a sum would count it once for each worker. */
const SHARED: ReadonlySet<string> = new Set([
  'loadbalancer/size',
  'loadbalancer/available',
  'loadbalancer/busy',
  'loadbalancer/closed',
  'connected',
  'cpu_periods',
  'cpu_throttled_periods',
  'epoch',
  'open_files_limit',
  'originator',
  'revision',
  'uptime_ms',
  'worker_restarts',
]);

/** A tree piece by piece; between two pieces the loop gets its turn. */
export async function* exportTree(source: ScopeSource, clock: () => number): AsyncGenerator<readonly ExportedScope[]> {
  const exporter = new Exporter(clock());
  const slice = new Slice(clock);
  let scopes: ExportedScope[] = [];
  for (const scope of source.read()) {
    scopes.push(exporter.export(scope));
    if (!slice.isOver) continue;
    yield scopes;
    scopes = [];
    await slice.rest();
  }
  yield scopes;
}

/** The trees of all workers as one. A piece is added at once: whoever receives pieces takes them one in a turn. */
export class MergedMetrics implements ScopeSource {
  private readonly scopes = new Map<string, MergedScope>();

  add(piece: readonly ExportedScope[]): void {
    for (const exported of piece) {
      let scope = this.scopes.get(exported.path);
      if (scope === undefined) {
        scope = new MergedScope(exported);
        this.scopes.set(exported.path, scope);
      }
      scope.add(exported);
    }
  }

  read(): IterableIterator<MetricScope> {
    return this.scopes.values();
  }
}

/** Adds up trees, one after the other. */
export async function mergeTrees(trees: readonly AsyncIterable<readonly ExportedScope[]>[]): Promise<MergedMetrics> {
  const merged = new MergedMetrics();
  for (const tree of trees) for await (const piece of tree) merged.add(piece);
  return merged;
}

class Exporter implements FigureVisitor {
  private readonly now: number;
  private readonly recent = new RecentCounts();
  private counters: Record<string, number> = {};
  private gauges: Record<string, number> = {};
  private stats: Record<string, ExportedStat> = {};

  constructor(now: number) {
    this.now = now;
  }

  export(scope: MetricScope): ExportedScope {
    this.counters = {};
    this.gauges = {};
    this.stats = {};
    scope.visit(this);
    const { counters, gauges, stats } = this;
    return { path: scope.path, name: scope.name, labels: scope.labels, counters, gauges, stats };
  }

  counter(name: string, value: number): void {
    this.counters[name] = value;
  }

  gauge(name: string, value: number): void {
    this.gauges[name] = value;
  }

  stat(name: string, stat: Distribution): void {
    const { scale, count, sum } = stat;
    const { recent } = this;
    recent.clear();
    stat.addRecent(recent, this.now);
    const pairs: number[] = [];
    for (let bucket = recent.lowest; bucket <= recent.highest; bucket += 1) {
      const times = recent.of(bucket);
      if (times > 0) pairs.push(bucket, times);
    }
    this.stats[name] = { scale: scale.kind, count, sum, recent: pairs };
  }
}

/** What each worker says of a scope; added up when it is rendered, so that only one sum is held at a time. */
class MergedScope implements MetricScope {
  readonly path: string;
  readonly name: string;
  readonly labels: Labels;
  private readonly parts: ExportedScope[] = [];

  constructor({ path, name, labels }: ExportedScope) {
    this.path = path;
    this.name = name;
    this.labels = labels;
  }

  add(part: ExportedScope): void {
    this.parts.push(part);
  }

  visit(visitor: FigureVisitor): void {
    const counters = new Map<string, number>();
    const gauges = new Map<string, number>();
    const stats = new Map<string, MergedStat>();
    for (const part of this.parts) {
      for (const [name, value] of Object.entries(part.counters)) counters.set(name, (counters.get(name) ?? 0) + value);
      for (const [name, value] of Object.entries(part.gauges)) {
        const before = gauges.get(name);
        const isShared = before !== undefined && SHARED.has(name);
        gauges.set(name, isShared ? Math.max(before, value) : (before ?? 0) + value);
      }
      for (const [name, exported] of Object.entries(part.stats)) {
        const stat = stats.get(name) ?? new MergedStat(exported.scale);
        stats.set(name, stat);
        stat.add(exported);
      }
    }
    for (const [name, value] of counters) visitor.counter(name, value);
    for (const [name, value] of gauges) visitor.gauge(name, value);
    for (const [name, stat] of stats) visitor.stat(name, stat);
  }
}

class MergedStat implements Distribution {
  readonly scale: Scale;
  count = 0;
  sum = 0;
  private readonly parts: (readonly number[])[] = [];

  constructor(kind: Scale['kind']) {
    this.scale = kind === 'whole' ? WHOLE_NUMBERS : LATENCIES;
  }

  add({ count, sum, recent }: ExportedStat): void {
    this.count += count;
    this.sum += sum;
    this.parts.push(recent);
  }

  addRecent(target: RecentCounts): void {
    for (const pairs of this.parts) {
      for (let index = 0; index < pairs.length; index += 2) target.add(pairs[index] ?? 0, pairs[index + 1] ?? 0);
    }
  }
}
