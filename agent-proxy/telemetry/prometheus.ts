/**
 * Renders the metrics tree as text for Prometheus, in slices: after some scopes the loop gets its turn. Names as
 * linkerd's exporter has them; the quantiles cover the last one to two minutes, counts and sums everything.
 */
import { setImmediate } from 'node:timers/promises';
import { type Figure, figuresOf, type Labels, type MetricScope, type MetricsTree } from './metrics-tree.ts';
import type { Stat } from './recorder.ts';

const QUANTILES = [0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1] as const;
/** Scopes rendered in one turn of the loop: some 50 µs each. */
const SCOPES_A_SLICE = 20;

/** The text format, without HELP and TYPE lines, as linkerd's. */
export async function* renderPrometheus(tree: MetricsTree, now: () => number): AsyncGenerator<string> {
  let text = '';
  let scopes = 0;
  for (const scope of tree.read()) {
    for (const figure of figuresOf(scope)) text += renderFigure(scope, figure, now());
    scopes += 1;
    if (scopes % SCOPES_A_SLICE === 0) {
      yield text;
      text = '';
      await setImmediate();
    }
  }
  yield text;
}

function renderFigure(scope: MetricScope, figure: Figure, now: number): string {
  const name = `${scope.name}:${figure.name}`.replace(/\//g, ':').replace(/[^a-zA-Z0-9:_]/g, '_');
  if (figure.kind === 'stat') return renderStat(name, scope.labels, figure.stat, now);
  return `${name}${renderLabels(scope.labels)} ${round(figure.value)}\n`;
}

function renderStat(name: string, labels: Labels, stat: Stat, now: number): string {
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
