/** The table of services: how many instances take traffic, how their callers fare; each opens to its instances. */
import { type Signal, useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { formatCount, plural } from '../model/format.ts';
import { firstInstances, healthyShare, type InstanceRow, rpsScale, type ServiceRow } from '../model/rows.ts';
import type { Sort } from '../model/sorting.ts';
import type { Store } from '../store.ts';
import { latencyColumn, trafficColumns } from './cells.tsx';
import { type Column, DataTable, toggleRow } from './data-table.tsx';
import { Icon, StateMark } from './icon.tsx';

const INITIAL_SORT: Sort = { column: 'service', direction: 'ascending' };

export function ServicesTable({ store, filter }: { readonly store: Store; readonly filter: Signal<string> }) {
  const open = useSignal<ReadonlySet<string>>(new Set());
  const columns = useMemo(() => serviceColumns(open), [open]);
  return (
    <DataTable
      name="Services"
      noun="service"
      columns={columns}
      rows={store.services.value}
      stale={store.stale.services.value}
      filter={filter}
      initialSort={INITIAL_SORT}
      rpsScale={rpsScale(store.services.value)}
      nameOf={(row) => row.name}
      words={wordsOf}
      toneOf={(row) => (row.healthy === row.total ? '' : row.healthy === 0 ? 'tone-bad' : 'tone-busy')}
      detail={(row) => <Instances row={row} />}
      open={open}
      empty={<NoServices />}
    />
  );
}

function wordsOf(row: ServiceRow) {
  return {
    words: [row.name, ...row.instances.flatMap((one) => [one.instance, one.endpoint, one.agent])],
    states: [row.healthy === row.total ? 'healthy' : 'degraded'],
  };
}

function serviceColumns(open: Signal<ReadonlySet<string>>): readonly Column<ServiceRow>[] {
  return [
    {
      id: 'service',
      label: 'Service',
      first: 'ascending',
      value: (row) => row.name,
      cell: (row) => <ServiceName row={row} open={open} />,
    },
    {
      id: 'instances',
      label: 'Instances',
      help: 'Instances that take traffic, of all that run',
      numeric: true,
      first: 'ascending',
      value: (row) => healthyShare(row),
      cell: (row) => (
        <span class={row.healthy === row.total ? '' : `${row.healthy === 0 ? 'tone-bad' : 'tone-busy'} strong`}>
          {row.healthy !== row.total && <Icon name="unhealthy" />}
          {row.healthy}/{row.total}
        </span>
      ),
    },
    ...trafficColumns<ServiceRow>(),
    latencyColumn('p50', 'p50', (row) => row.p50Ms),
    latencyColumn('p95', 'p95', (row) => row.p95Ms),
    latencyColumn('p99', 'p99', (row) => row.p99Ms),
    {
      id: 'retries',
      label: 'Retries',
      help: 'Requests of late that were sent again to another instance',
      numeric: true,
      first: 'descending',
      value: (row) => row.retries,
      cell: (row) => formatCount(row.retries),
    },
  ];
}

function ServiceName({ row, open }: { readonly row: ServiceRow; readonly open: Signal<ReadonlySet<string>> }) {
  const isOpen = open.value.has(row.key);
  return (
    <button
      type="button"
      class="expander"
      aria-expanded={isOpen}
      aria-controls={isOpen ? `detail-${row.key}` : undefined}
      onClick={() => toggleRow(open, row.key)}
    >
      {row.name}
    </button>
  );
}

/** Instances of an open service that are shown before one asks for all: eight lines of three. */
const FIRST_INSTANCES = 24;

function Instances({ row }: { readonly row: ServiceRow }) {
  const all = useSignal(false);
  if (row.instances.length === 0) return <p class="quiet">No instance runs.</p>;
  const shown = all.value ? row.instances : firstInstances(row.instances, FIRST_INSTANCES);
  return (
    <>
      <table class="instances" aria-label={`Instances of ${row.name}`}>
        <thead>
          <tr>
            <th scope="col">Instance</th>
            <th scope="col">Address</th>
            <th scope="col">Agent</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((instance) => (
            <Instance key={instance.key} instance={instance} />
          ))}
        </tbody>
      </table>
      {row.total > FIRST_INSTANCES && (
        <button
          type="button"
          class="link all"
          aria-expanded={all.value}
          onClick={() => {
            all.value = !all.value;
          }}
        >
          {all.value ? `Show only ${FIRST_INSTANCES}` : `Show all ${plural(row.total, 'instance')}`}
        </button>
      )}
    </>
  );
}

function Instance({ instance }: { readonly instance: InstanceRow }) {
  return (
    <tr>
      <th scope="row">
        <code>{instance.instance}</code>
      </th>
      <td class="where">
        <code>{instance.endpoint}</code>
        {instance.morePorts.map((port) => (
          <code key={port} class="quiet">
            {' '}
            {port}
          </code>
        ))}
      </td>
      <td class="where">
        <span title={`agent ${instance.agentId}`}>{instance.agent}</span>
      </td>
      <td>
        <StateMark state={instance.healthy ? 'healthy' : 'unhealthy'} />
      </td>
    </tr>
  );
}

function NoServices() {
  return (
    <>
      <p>No task runs on Marathon.</p>
      <p>
        Every app that you deploy there becomes a service under its own name. To see one at once, run{' '}
        <code>nodemesh local --demo</code>.
      </p>
    </>
  );
}
