/** The scheduler's own metrics as a table, from their registry. */
import { createMetrics } from '../../scheduler/api/metrics.ts';
import { code, table } from './table.ts';

export function schedulerMetricsTable(): string {
  const rows = createMetrics(() => null)
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith('nodemesh_'))
    .map((metric) => {
      const { name, help } = metric;
      const labels = 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
      return [code(labels.length === 0 ? name : `${name}{${labels.join(',')}}`), help];
    });
  return table(['metric', 'what'], rows);
}
