/** The table of nodes: the state of each one's proxy, and the requests that enter the mesh there. */
import type { Signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { HealthAnswer } from '../model/answers.ts';
import { type NodeRow, rpsScale, stateRank } from '../model/rows.ts';
import type { Sort } from '../model/sorting.ts';
import type { Store } from '../store.ts';
import { Age, latencyColumn, RevisionCell, trafficColumns } from './cells.tsx';
import { type Column, DataTable } from './data-table.tsx';
import { StateMark, toneOf } from './icon.tsx';

// Who needs a person stands on top.
const INITIAL_SORT: Sort = { column: 'state', direction: 'ascending' };

export function NodesTable({ store, filter }: { readonly store: Store; readonly filter: Signal<string> }) {
  const columns = useMemo(() => nodeColumns(store), [store]);
  return (
    <DataTable
      name="Nodes"
      noun="node"
      columns={columns}
      rows={store.nodes.value}
      stale={store.stale.nodes.value}
      filter={filter}
      initialSort={INITIAL_SORT}
      rpsScale={rpsScale(store.nodes.value)}
      nameOf={(row) => row.hostname}
      words={wordsOf}
      note={{ under: 'state', of: (row) => row.reason }}
      toneOf={(row) => (row.state === 'healthy' || row.state === 'excluded' ? '' : toneOf(row.state))}
      empty={<NoNodes health={store.health.value} />}
    />
  );
}

function wordsOf(row: NodeRow) {
  return {
    words: [row.hostname, row.ip ?? '', row.kind, row.reason ?? '', row.version.running ?? '', row.key],
    states: [row.state],
  };
}

function nodeColumns(store: Store): readonly Column<NodeRow>[] {
  return [
    {
      id: 'node',
      label: 'Node',
      first: 'ascending',
      value: (row) => row.hostname,
      cell: (row) => (
        <span title={`agent ${row.key}`}>
          {row.hostname}
          {row.ip !== null && <span class="second">{row.ip}</span>}
        </span>
      ),
    },
    {
      id: 'kind',
      label: 'Kind',
      help: 'Public agents face the outside (role slave_public)',
      first: 'descending',
      value: (row) => row.kind,
      cell: (row) => <span class={row.kind === 'public' ? 'tag' : 'quiet'}>{row.kind}</span>,
    },
    {
      id: 'state',
      label: 'State',
      help: 'The state of the proxy on this node',
      first: 'ascending',
      value: (row) => stateRank(row.state),
      cell: (row) => <StateMark state={row.state} />,
    },
    {
      id: 'since',
      label: 'Since',
      help: 'How long it has been in this state',
      numeric: true,
      first: 'descending',
      value: (row) => (row.since === null ? null : Date.parse(row.since)),
      cell: (row) => <Age since={row.since} now={store.now} />,
    },
    {
      id: 'version',
      label: 'Version',
      help: 'The proxy’s version: running → wanted',
      first: 'ascending',
      value: (row) => row.version.running,
      cell: (row) => <RevisionCell revision={row.version} />,
    },
    {
      id: 'config',
      label: 'Config',
      help: 'The revision of the configuration: running → wanted',
      numeric: true,
      first: 'ascending',
      value: (row) => (row.config.running === null ? null : Number(row.config.running)),
      cell: (row) => <RevisionCell revision={row.config} />,
    },
    ...trafficColumns<NodeRow>(),
    latencyColumn('p50', 'p50', (row) => row.p50Ms),
    latencyColumn('p99', 'p99', (row) => row.p99Ms),
  ];
}

function NoNodes({ health }: { readonly health: HealthAnswer | null }) {
  if (health?.leading === false) {
    return (
      <>
        <p>This scheduler is a standby.</p>
        <p>
          The leading one knows the nodes
          {health.leader != null && (
            <>
              : <a href={health.leader}>{health.leader}</a>
            </>
          )}
          ; this one takes over by itself when it has to.
        </p>
      </>
    );
  }
  if (health?.subscribed === false) {
    return (
      <>
        <p>The scheduler is not subscribed to Mesos, so it knows of no agent.</p>
        <p>
          Check that the master answers at the address given with <code>--master</code>; the scheduler’s log says why it
          was refused.
        </p>
      </>
    );
  }
  return (
    <>
      <p>No agent yet.</p>
      <p>
        A node shows up here as soon as Mesos makes an offer for its agent. Check in the Mesos UI that agents are
        registered, and that no quota or reservation keeps offers from the framework <code>nodemesh</code>.
      </p>
    </>
  );
}
