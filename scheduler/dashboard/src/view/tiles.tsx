/** The mesh in five tiles: nodes, services, and the charts of its traffic. */
import type { ComponentChildren } from 'preact';
import { formatCount, formatLatency, formatRate, formatSuccess, plural } from '../model/format.ts';
import type { Summary } from '../model/summary.ts';
import type { Store } from '../store.ts';
import { Chart } from './chart.tsx';
import { StateMark } from './icon.tsx';

interface TilesProps {
  readonly store: Store;
  /** Narrows the table of nodes to a state. */
  showNodes(state: string): void;
  showServices(state: string): void;
}

export function Tiles({ store, showNodes, showServices }: TilesProps) {
  const summary = store.summary.value;
  const traffic = store.traffic.value;
  return (
    <section class="tiles" aria-label="Summary">
      <Tile
        name="Nodes"
        target="#nodes-title"
        known={store.nodes.value !== null}
        stale={store.stale.nodes.value}
        value={`${summary.nodesHealthy}/${summary.nodes}`}
        unit="healthy"
      >
        <NodesNote summary={summary} stale={store.stale.nodes.value} show={showNodes} />
      </Tile>
      <Tile
        name="Services"
        target="#services-title"
        known={store.services.value !== null}
        stale={store.stale.services.value}
        value={formatCount(summary.services)}
      >
        <ServicesNote summary={summary} show={showServices} />
      </Tile>
      <Tile
        name="Requests"
        wide
        known={traffic !== null}
        stale={store.stale.traffic.value}
        value={formatRate(traffic?.rps)}
        unit="a second"
      >
        <Chart
          store={store}
          label="Requests a second"
          series={[{ label: 'requests a second', tone: 'accent', figure: (at) => at.rps }]}
          format={formatRate}
          floor="zero"
        />
      </Tile>
      <Tile
        name="Success"
        wide
        known={traffic !== null}
        stale={store.stale.traffic.value}
        value={formatSuccess(traffic?.successRate)}
      >
        <Chart
          store={store}
          label="Success rate"
          series={[{ label: 'success', tone: 'good', figure: (at) => at.successRate }]}
          format={formatSuccess}
          floor="near-one"
        />
      </Tile>
      <Tile
        name="Latency"
        wide
        known={traffic !== null}
        stale={store.stale.traffic.value}
        value={formatLatency(traffic?.p99Ms)}
        unit="p99, slowest node"
        aside={`p50 ${formatLatency(traffic?.p50Ms)}`}
      >
        <Chart
          store={store}
          label="Latency"
          series={[
            { label: 'p99', tone: 'accent', figure: (at) => at.p99Ms },
            { label: 'p50', tone: 'muted', figure: (at) => at.p50Ms },
          ]}
          format={formatLatency}
          floor="zero"
        />
      </Tile>
    </section>
  );
}

interface TileProps {
  readonly name: string;
  /** What the name leads to on this page. */
  readonly target?: string;
  readonly known: boolean;
  readonly stale: boolean;
  readonly value: string;
  readonly unit?: string;
  readonly aside?: string;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}

function Tile({ name, target, known, stale, value, unit, aside, wide, children }: TileProps) {
  return (
    <div class={`tile${wide ? ' wide' : ''}${stale ? ' stale' : ''}`}>
      <h2>{target === undefined ? name : <a href={target}>{name}</a>}</h2>
      <p class="figure">
        <span class="value">{known ? value : '–'}</span>
        {unit !== undefined && <span class="unit">{unit}</span>}
        {aside !== undefined && known && <span class="unit aside">{aside}</span>}
      </p>
      {children}
    </div>
  );
}

interface NoteProps {
  readonly summary: Summary;
  show(state: string): void;
}

function NodesNote({ summary, stale, show }: NoteProps & { readonly stale: boolean }) {
  if (summary.nodes + summary.nodesExcluded === 0) return <p class="note">none known yet</p>;
  const excluded = summary.nodesExcluded === 0 ? [] : [{ state: 'excluded', count: summary.nodesExcluded }];
  const noted = [...summary.troubled, ...excluded];
  const well = summary.troubled.length === 0 && summary.nodes > 0;
  const mark = <StateMark state="healthy">{stale ? 'all were healthy' : 'all healthy'}</StateMark>;
  if (noted.length === 0) return <p class="note">{mark}</p>;
  return (
    <ul class="note">
      {well && <li>{mark}</li>}
      {noted.map(({ state, count }) => (
        <li key={state}>
          <button type="button" class="link" onClick={() => show(state)}>
            <StateMark state={state}>{`${formatCount(count)} ${state}`}</StateMark>
          </button>
        </li>
      ))}
    </ul>
  );
}

function ServicesNote({ summary, show }: NoteProps) {
  return (
    <ul class="note">
      <li>
        {summary.instancesHealthy}/{plural(summary.instances, 'instance')} healthy
      </li>
      {summary.servicesDegraded > 0 && (
        <li>
          <button type="button" class="link" onClick={() => show('degraded')}>
            <StateMark state="unhealthy">{`${formatCount(summary.servicesDegraded)} degraded`}</StateMark>
          </button>
        </li>
      )}
    </ul>
  );
}
