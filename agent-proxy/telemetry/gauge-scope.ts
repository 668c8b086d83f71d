/** Scopes that record nothing. */
import type { Labels, MetricScope } from './metrics-tree.ts';

export type Gauges = Readonly<Record<string, number>>;

/** A scope of figures that are read when asked for, like `rt/outgoing` or `control`. */
export function gaugeScope(path: string, name: string, labels: Labels, read: () => Gauges): MetricScope {
  return {
    path,
    name,
    labels,
    visit(visitor) {
      const figures = read();
      for (const key of Object.keys(figures)) visitor.gauge(key, figures[key] ?? 0);
    },
  };
}
