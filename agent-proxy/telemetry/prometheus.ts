/**
 * Renders metrics as text for Prometheus, in slices. Names as linkerd's exporter has them, without HELP and TYPE lines:
 * those would need all scopes' lines of one metric together, and linkerd has none. The quantiles cover the last one to
 * two minutes, counts and sums everything.
 */
import { Slice } from '../timing/slices.ts';
import type { Labels, ScopeSource } from './metrics-tree.ts';
import { PageBytes } from './page-bytes.ts';
import type { FigureVisitor } from './recorder.ts';
import type { Distribution } from './stat.ts';
import { QUANTILES, Summary } from './summary.ts';

export interface PrometheusOptions {
  /** Stands before each name: `linkerd_`. */
  readonly prefix: string;
}

/** A piece has more only where one scope fills it. */
const PIECE_BYTES = 32 * 1024;

/**
 * Each piece is good until the next is asked for: they share a buffer. `clock` gives milliseconds, the same that figures were
 * recorded with.
 */
export async function* renderPrometheus(
  source: ScopeSource,
  clock: () => number,
  options: PrometheusOptions = { prefix: '' },
): AsyncGenerator<Uint8Array> {
  const writer = new Writer(options.prefix, clock());
  const { page } = writer;
  const slice = new Slice(clock);
  for (const scope of source.read()) {
    writer.enter(scope.name, scope.labels);
    scope.visit(writer);
    if (slice.isOver) {
      yield page.take();
      await slice.rest();
    } else if (page.length >= PIECE_BYTES) yield page.take();
  }
  yield page.take();
}

/** A label behind those of the scope, up to the value: with nothing before it, and with others. */
interface Label {
  readonly first: Uint8Array;
  readonly next: Uint8Array;
}

/** How a figure of a scope is called. */
interface FigureName {
  readonly name: Uint8Array;
  /** `exception="refused"`, or none. */
  readonly label: Label | null;
}

/** A distribution's count, sum and mean have names of their own. */
interface StatName {
  readonly count: Uint8Array;
  readonly sum: Uint8Array;
  readonly avg: Uint8Array;
  readonly quantiles: Uint8Array;
}

/** Names of the figures of all scopes of one kind: many scopes have the same. */
interface ScopeNames {
  readonly figures: Map<string, FigureName>;
  readonly stats: Map<string, StatName>;
}

const LINE_END = 0x0a;
const NO_LABELS = encode(' ');
const BEFORE_LABELS = encode('{');
/** With the blank that stands before the value. */
const AFTER_LABELS = '} ';
const AS_DECIMAL = encode('.0');
const QUANTILE_LABELS = QUANTILES.map((fraction) => labelOf(`quantile="${fraction}"`));

class Writer implements FigureVisitor {
  readonly page = new PageBytes();
  private readonly prefix: string;
  private readonly now: number;
  private readonly summary = new Summary();
  private readonly names = new Map<string, ScopeNames>();
  private scopeName = '';
  private scopeNames: ScopeNames = { figures: new Map(), stats: new Map() };
  /** The scope's labels up to the value, and up to where another label may follow. */
  private readonly labels = new PageBytes();
  private plain: Uint8Array = NO_LABELS;
  private open: Uint8Array = BEFORE_LABELS;
  private hasLabels = false;

  constructor(prefix: string, now: number) {
    this.prefix = prefix;
    this.now = now;
  }

  enter(name: string, labels: Labels): void {
    if (name !== this.scopeName) {
      this.scopeName = name;
      this.scopeNames = this.names.get(name) ?? { figures: new Map(), stats: new Map() };
      this.names.set(name, this.scopeNames);
    }
    const text = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
    this.hasLabels = text.length > 0;
    if (!this.hasLabels) {
      this.plain = NO_LABELS;
      this.open = BEFORE_LABELS;
      return;
    }
    this.labels.text(`{${text.join(', ')}${AFTER_LABELS}`);
    this.plain = this.labels.take();
    this.open = this.plain.subarray(0, this.plain.length - AFTER_LABELS.length);
  }

  counter(figure: string, value: number): void {
    const { name, label } = this.figureName(figure);
    this.line(name, label, value);
  }

  /** With a decimal point, as linkerd's. */
  gauge(figure: string, value: number): void {
    const { name, label } = this.figureName(figure);
    this.begin(name, label);
    this.page.number(value);
    if (Number.isInteger(round(value))) this.page.add(AS_DECIMAL);
    this.page.octet(LINE_END);
  }

  stat(figure: string, stat: Distribution): void {
    // Absent rather than NaN.
    const { count, sum } = stat;
    if (count === 0) return;
    const names = this.statName(figure);
    this.line(names.count, null, count);
    this.line(names.sum, null, sum);
    this.line(names.avg, null, sum / count);
    const { summary } = this;
    if (!summary.read(stat, this.now)) return;
    for (let index = 0; index < QUANTILES.length; index += 1) {
      this.line(names.quantiles, QUANTILE_LABELS[index] ?? null, summary.values[index] ?? 0);
    }
  }

  private line(name: Uint8Array, label: Label | null, value: number): void {
    this.begin(name, label);
    this.page.number(value);
    this.page.octet(LINE_END);
  }

  /** A line up to its value. */
  private begin(name: Uint8Array, label: Label | null): void {
    const { page } = this;
    page.add(name);
    if (label === null) page.add(this.plain);
    else {
      page.add(this.open);
      page.add(this.hasLabels ? label.next : label.first);
    }
  }

  private figureName(figure: string): FigureName {
    const { figures } = this.scopeNames;
    let known = figures.get(figure);
    if (known === undefined) {
      known = nameFigure(this.prefix, this.scopeName, figure);
      figures.set(figure, known);
    }
    return known;
  }

  private statName(figure: string): StatName {
    const { stats } = this.scopeNames;
    let known = stats.get(figure);
    if (known === undefined) {
      const name = metricName(this.prefix, this.scopeName, figure);
      const [count, sum, avg] = [encode(`${name}_count`), encode(`${name}_sum`), encode(`${name}_avg`)];
      known = { count, sum, avg, quantiles: encode(name) };
      stats.set(figure, known);
    }
    return known;
  }
}

/** What stands behind `failures/` is a label, as in linkerd; its total has the same name without that label. */
function nameFigure(prefix: string, scope: string, figure: string): FigureName {
  const [, reason] = /^failures\/(.+)$/.exec(figure) ?? [];
  return {
    name: encode(metricName(prefix, scope, reason === undefined ? figure : 'failures')),
    label: reason === undefined ? null : labelOf(`exception="${escapeLabel(reason)}"`),
  };
}

function metricName(prefix: string, scope: string, figure: string): string {
  const name = `${scope}:${figure}`.replace(/\//g, ':');
  return `${prefix}${name.replace(/[^a-zA-Z0-9:_]/g, '_')}`;
}

function labelOf(text: string): Label {
  return { first: encode(`${text}${AFTER_LABELS}`), next: encode(`, ${text}${AFTER_LABELS}`) };
}

function encode(text: string): Uint8Array {
  return Buffer.from(text);
}

function escapeLabel(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function round(value: number): number {
  return Number.isInteger(value) ? value : Math.round(value * 1_000) / 1_000;
}
