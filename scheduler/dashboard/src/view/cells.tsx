/** Cells that both tables have. */
import { type ReadonlySignal, useComputed } from '@preact/signals';
import { ageOf, formatAge, formatLatency, formatRate, formatSuccess } from '../model/format.ts';
import type { Figures, Revision } from '../model/rows.ts';
import type { Column } from './data-table.tsx';

/** How long ago. It follows the clock by itself, without its row being drawn again. */
export function Age({ since, now }: { readonly since: string | null; readonly now: ReadonlySignal<number> }) {
  const text = useComputed(() => formatAge(ageOf(since, now.value)));
  return since === null ? (
    <>–</>
  ) : (
    <time dateTime={since} title={since}>
      {text}
    </time>
  );
}

/** What runs and, where it differs, what should. */
export function RevisionCell({ revision, prefix = '' }: { readonly revision: Revision; readonly prefix?: string }) {
  const running = revision.running === null ? '–' : `${prefix}${revision.running}`;
  if (revision.wanted === null) return <>{running}</>;
  return (
    <span class="changing">
      {running} <span aria-hidden="true">→</span>
      <span class="visually-hidden">wanted:</span> {prefix}
      {revision.wanted}
    </span>
  );
}

/** A success rate under 99 % stands out, under 95 % more so; the figure itself says how bad it is. */
export function SuccessCell({ rate }: { readonly rate: number | null }) {
  const tone = rate === null || rate >= 0.99 ? '' : rate >= 0.95 ? 'tone-busy strong' : 'tone-bad strong';
  return <span class={tone}>{formatSuccess(rate)}</span>;
}

/** Requests a second, with a bar that compares rows at a glance. */
export function RateCell({ rps }: { readonly rps: number | null }) {
  return (
    <span class="rate" style={{ '--rps': String(rps ?? 0) }}>
      {/* In a space of its own beside the digits; the style sheet gives it its length. */}
      <span class={rps !== null && rps > 0 ? 'bar' : ''} aria-hidden="true" />
      <span class="digits">{formatRate(rps)}</span>
    </span>
  );
}

/** A column of latencies. */
export function latencyColumn<Row extends Figures>(
  id: string,
  label: string,
  value: (row: Row) => number | null,
): Column<Row> {
  return {
    id,
    label,
    help: `Latency as callers saw it: ${label.slice(1)} of 100 requests took no longer`,
    numeric: true,
    first: 'descending',
    value,
    cell: (row) => formatLatency(value(row)),
  };
}

/** Requests a second and success rate. */
export function trafficColumns<Row extends Figures>(): readonly Column<Row>[] {
  return [
    {
      id: 'rps',
      label: 'Requests/s',
      help: 'Requests a second of late',
      numeric: true,
      first: 'descending',
      value: (row) => row.rps,
      cell: (row) => <RateCell rps={row.rps} />,
    },
    {
      id: 'success',
      label: 'Success',
      help: 'The share of requests that did not fail',
      numeric: true,
      first: 'ascending',
      value: (row) => row.successRate,
      cell: (row) => <SuccessCell rate={row.successRate} />,
    },
  ];
}
