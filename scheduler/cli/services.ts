/** What `nodemesh services` prints: one line a service, by name. */
import { formatCount, formatLatency, formatRate, formatSuccess, plural } from '../dashboard/src/model/format.ts';
import { type ServiceRow, serviceRows } from '../dashboard/src/model/rows.ts';
import { sortRows } from '../dashboard/src/model/sorting.ts';
import { summarise } from '../dashboard/src/model/summary.ts';
import type { Tables } from './client.ts';
import type { Screen, Tone } from './screen.ts';
import { type Cell, renderTable, type TableColumn } from './table.ts';

const COLUMNS: readonly TableColumn[] = [
  { title: 'SERVICE', shrinkTo: 16 },
  { title: 'INSTANCES', align: 'right' },
  { title: 'REQUESTS/S', align: 'right' },
  { title: 'SUCCESS', align: 'right' },
  { title: 'P50', align: 'right', optional: 2 },
  { title: 'P95', align: 'right', optional: 3 },
  { title: 'P99', align: 'right', optional: 1 },
  { title: 'RETRIES', align: 'right', optional: 4 },
];

export function servicesReport(tables: Tables, screen: Screen): string {
  const rows = serviceRows(tables.services, tables.traffic, tables.nodes);
  if (rows.length === 0) {
    return 'No services yet: every app that runs on Marathon becomes one, under its own name.\n';
  }
  const ordered = sortRows(
    rows,
    'ascending',
    (row) => row.name,
    (row) => row.name,
  );
  const { services, instances, instancesHealthy } = summarise([], rows);
  const table = renderTable(COLUMNS, ordered.map(cells), screen);
  return `${table}\n${plural(services, 'service')}, ${instancesHealthy} of ${plural(instances, 'instance')} healthy\n`;
}

function healthTone(row: ServiceRow): Tone {
  if (row.healthy === row.total) return 'good';
  return row.healthy === 0 ? 'bad' : 'busy';
}

function cells(row: ServiceRow): Cell[] {
  return [
    { text: row.name },
    { text: `${row.healthy}/${row.total}`, tone: healthTone(row) },
    { text: formatRate(row.rps) },
    { text: formatSuccess(row.successRate) },
    { text: formatLatency(row.p50Ms) },
    { text: formatLatency(row.p95Ms) },
    { text: formatLatency(row.p99Ms) },
    { text: formatCount(row.retries) },
  ];
}
