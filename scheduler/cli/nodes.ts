/** What `nodemesh nodes` prints: one line a node, those that need a person first. */
import { ageOf, formatAge, formatLatency, formatRate, formatSuccess, plural } from '../dashboard/src/model/format.ts';
import { type NodeRow, nodeRows, type Revision, stateRank } from '../dashboard/src/model/rows.ts';
import { sortRows } from '../dashboard/src/model/sorting.ts';
import { summarise } from '../dashboard/src/model/summary.ts';
import type { Tables } from './client.ts';
import type { Screen, Tone } from './screen.ts';
import { type Cell, renderTable, type TableColumn } from './table.ts';

const COLUMNS: readonly TableColumn[] = [
  { title: 'NODE', shrinkTo: 15 },
  { title: 'KIND', optional: 3 },
  { title: 'STATE' },
  { title: 'SINCE', align: 'right' },
  { title: 'VERSION' },
  { title: 'CONFIG', align: 'right', optional: 2 },
  { title: 'REQUESTS/S', align: 'right' },
  { title: 'SUCCESS', align: 'right' },
  { title: 'P50', align: 'right', optional: 4 },
  { title: 'P99', align: 'right', optional: 1 },
  { title: 'REASON', shrinkTo: 20 },
];

export function nodesReport(tables: Tables, screen: Screen, now: number): string {
  const rows = nodeRows(tables.nodes, tables.traffic);
  if (rows.length === 0) {
    return 'No nodes yet: a node is listed as soon as Mesos makes an offer for its agent.\n';
  }
  const ordered = sortRows(
    rows,
    'ascending',
    (row) => stateRank(row.state),
    (row) => row.hostname,
  );
  const { nodes, nodesHealthy, nodesExcluded } = summarise(rows, []);
  const anyReason = ordered.some((row) => row.reason !== null);
  const columns = anyReason ? COLUMNS : COLUMNS.slice(0, -1);
  const table = renderTable(
    columns,
    ordered.map((row) => cells(row, now)),
    screen,
  );
  const excluded = nodesExcluded === 0 ? '' : `, ${nodesExcluded} excluded by the placement`;
  return `${table}\n${nodesHealthy} of ${plural(nodes, 'node')} healthy${excluded}\n`;
}

export function toneOf(state: string): Tone {
  if (state === 'healthy') return 'good';
  if (state === 'excluded') return 'quiet';
  return state === 'unhealthy' || state === 'lost' ? 'bad' : 'busy';
}

function cells(row: NodeRow, now: number): Cell[] {
  return [
    { text: row.ip === null ? row.hostname : `${row.hostname} (${row.ip})` },
    { text: row.kind },
    { text: row.state, tone: toneOf(row.state) },
    { text: formatAge(ageOf(row.since, now)) },
    revisionCell(row.version),
    revisionCell(row.config),
    { text: formatRate(row.rps) },
    { text: formatSuccess(row.successRate) },
    { text: formatLatency(row.p50Ms) },
    { text: formatLatency(row.p99Ms) },
    { text: row.reason ?? '', tone: 'quiet' },
  ];
}

function revisionCell({ running, wanted }: Revision): Cell {
  const runs = running ?? '–';
  return wanted === null ? { text: runs } : { text: `${runs} → ${wanted}`, tone: 'busy' };
}
