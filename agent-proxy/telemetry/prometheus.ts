/**
 * Renders metrics as text for Prometheus, in slices. Names as linkerd's exporter has them, without HELP and TYPE lines:
 * those would need all scopes' lines of one metric together, and linkerd has none. The quantiles cover the last one to
 * two minutes, counts and sums everything.
 */
import { Slice } from '../timing/slices.ts';
import type { Labels, ScopeSource } from './metrics-tree.ts';
import type { FigureVisitor } from './recorder.ts';
import type { Distribution } from './stat.ts';
import { QUANTILES, Summary } from './summary.ts';

export interface PrometheusOptions {
  /** Stands before each name: `linkerd_`. */
  readonly prefix: string;
}

/** `clock` gives milliseconds, the same that figures were recorded with. */
export async function* renderPrometheus(
  source: ScopeSource,
  clock: () => number,
  options: PrometheusOptions = { prefix: '' },
): AsyncGenerator<string> {
  const writer = new Writer(options.prefix, clock());
  const slice = new Slice(clock);
  for (const scope of source.read()) {
    writer.enter(scope.name, scope.labels);
    scope.visit(writer);
    if (!slice.isOver) continue;
    yield writer.take();
    await slice.rest();
  }
  yield writer.take();
}

/** How a figure of a scope is called. */
interface FigureName {
  readonly name: string;
  /** Behind the scope's labels: `exception="refused"`, or nothing. */
  readonly label: string;
}

class Writer implements FigureVisitor {
  private readonly prefix: string;
  private readonly now: number;
  private readonly summary = new Summary();
  /** Names by scope and figure: many scopes have the same. */
  private readonly names = new Map<string, Map<string, FigureName>>();
  private scopeName = '';
  private scopeNames = new Map<string, FigureName>();
  /** The scope's labels without braces; as a whole; and with each quantile, once there is a distribution. */
  private open = '';
  private plain = '';
  private quantiles: string[] = [];
  private text = '';

  constructor(prefix: string, now: number) {
    this.prefix = prefix;
    this.now = now;
  }

  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  enter(name: string, labels: Labels): void {
    if (name !== this.scopeName) {
      this.scopeName = name;
      this.scopeNames = this.names.get(name) ?? new Map();
      this.names.set(name, this.scopeNames);
    }
    this.open = '';
    for (const key in labels) this.open = joined(this.open, `${key}="${escapeLabel(labels[key] ?? '')}"`);
    this.plain = braced(this.open);
    this.quantiles = [];
  }

  counter(figure: string, value: number): void {
    this.line(figure, String(round(value)));
  }

  /** With a decimal point, as linkerd's. */
  gauge(figure: string, value: number): void {
    const rounded = round(value);
    this.line(figure, Number.isInteger(rounded) ? `${rounded}.0` : String(rounded));
  }

  stat(figure: string, stat: Distribution): void {
    // Absent rather than NaN.
    const { count } = stat;
    if (count === 0) return;
    const { name } = this.figureName(figure);
    const { plain, summary } = this;
    const { sum } = stat;
    let text = `${name}_count${plain}${count}\n${name}_sum${plain}${round(sum)}\n${name}_avg${plain}${round(sum / count)}\n`;
    if (summary.read(stat, this.now)) {
      if (this.quantiles.length === 0) this.quantiles = withQuantiles(this.open);
      for (let index = 0; index < QUANTILES.length; index += 1) {
        text += `${name}${this.quantiles[index]}${summary.values[index]}\n`;
      }
    }
    this.text += text;
  }

  private line(figure: string, value: string): void {
    const { name, label } = this.figureName(figure);
    this.text += `${name}${label === '' ? this.plain : braced(joined(this.open, label))}${value}\n`;
  }

  private figureName(figure: string): FigureName {
    let known = this.scopeNames.get(figure);
    if (known === undefined) {
      known = nameFigure(this.prefix, this.scopeName, figure);
      this.scopeNames.set(figure, known);
    }
    return known;
  }
}

/** What stands behind `failures/` is a label, as in linkerd; its total has the same name without that label. */
function nameFigure(prefix: string, scope: string, figure: string): FigureName {
  const [, reason] = /^failures\/(.+)$/.exec(figure) ?? [];
  const name = `${scope}:${reason === undefined ? figure : 'failures'}`.replace(/\//g, ':');
  return {
    name: `${prefix}${name.replace(/[^a-zA-Z0-9:_]/g, '_')}`,
    label: reason === undefined ? '' : `exception="${escapeLabel(reason)}"`,
  };
}

function withQuantiles(open: string): string[] {
  return QUANTILES.map((fraction) => braced(joined(open, `quantile="${fraction}"`)));
}

function joined(labels: string, label: string): string {
  return labels === '' ? label : `${labels}, ${label}`;
}

/** With the blank that stands before the value. */
function braced(labels: string): string {
  return labels === '' ? ' ' : `{${labels}} `;
}

function escapeLabel(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function round(value: number): number {
  return Number.isInteger(value) ? value : Math.round(value * 1_000) / 1_000;
}
