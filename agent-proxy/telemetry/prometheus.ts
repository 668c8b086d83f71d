/**
 * Renders the metrics tree as text for Prometheus and as JSON, in slices: after some scopes the loop gets its turn.
 * Names as linkerd's exporter has them; the quantiles cover the last one to two minutes, counts and sums everything.
 */
import { setImmediate } from 'node:timers/promises';
import type { Figure, Labels, MetricsTree } from './metrics-tree.ts';

const QUANTILES = [0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1] as const;
const JSON_QUANTILES = [
  ['min', 0],
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p9990', 0.999],
  ['p9999', 0.9999],
  ['max', 1],
] as const;
/** Scopes rendered in one turn of the loop: some 50 µs each. */
const SCOPES_A_SLICE = 20;

async function* slices(tree: MetricsTree, render: (figure: Figure) => string): AsyncGenerator<string> {
  let text = '';
  let scopes = 0;
  for (const figures of tree.read()) {
    for (const figure of figures) text += render(figure);
    scopes += 1;
    if (scopes % SCOPES_A_SLICE === 0) {
      yield text;
      text = '';
      await setImmediate();
    }
  }
  yield text;
}

/** The text format, without HELP and TYPE lines, as linkerd's. */
export function renderPrometheus(tree: MetricsTree, now: () => number): AsyncGenerator<string> {
  return slices(tree, (figure) => {
    const { scope } = figure;
    const name = `${scope.name}:${figure.name}`.replace(/\//g, ':').replace(/[^a-zA-Z0-9:_]/g, '_');
    if (figure.kind === 'value') return `${name}${renderLabels(scope.labels)} ${figure.value}\n`;
    return renderStat(name, scope.labels, figure, now());
  });
}

function renderStat(name: string, labels: Labels, figure: Extract<Figure, { kind: 'stat' }>, now: number): string {
  const { stat } = figure;
  // Absent rather than NaN.
  if (stat.count === 0) return '';
  const plain = renderLabels(labels);
  let text = `${name}_count${plain} ${stat.count}\n${name}_sum${plain} ${round(stat.sum)}\n`;
  text += `${name}_avg${plain} ${round(stat.sum / stat.count)}\n`;
  for (const fraction of QUANTILES) {
    const value = stat.quantile(fraction, now);
    if (value !== null) text += `${name}${renderLabels({ ...labels, quantile: String(fraction) })} ${round(value)}\n`;
  }
  return text;
}

/** A flat object: the path of each figure and its value. */
export async function* renderJson(tree: MetricsTree, now: () => number): AsyncGenerator<string> {
  let separator = '{';
  for await (const slice of slices(tree, (figure) => jsonLines(figure, now()))) {
    for (const line of slice.split('\n')) {
      if (line === '') continue;
      yield `${separator}\n${line}`;
      separator = ',';
    }
  }
  yield separator === '{' ? '{}\n' : '\n}\n';
}

function jsonLines(figure: Figure, now: number): string {
  const path = figure.scope.path === '' ? figure.name : `${figure.scope.path}/${figure.name}`;
  if (figure.kind === 'value') return `${JSON.stringify(path)}:${figure.value}\n`;
  const { stat } = figure;
  if (stat.count === 0) return '';
  let text = `${JSON.stringify(`${path}.count`)}:${stat.count}\n${JSON.stringify(`${path}.sum`)}:${round(stat.sum)}\n`;
  text += `${JSON.stringify(`${path}.avg`)}:${round(stat.sum / stat.count)}\n`;
  for (const [name, fraction] of JSON_QUANTILES) {
    const value = stat.quantile(fraction, now);
    if (value !== null) text += `${JSON.stringify(`${path}.${name}`)}:${round(value)}\n`;
  }
  return text;
}

function renderLabels(labels: Labels): string {
  const parts = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(', ')}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
