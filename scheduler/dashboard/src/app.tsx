/** The page: head, tiles, the two tables. */
import { useSignal } from '@preact/signals';
import type { Store } from './store.ts';
import { ConnectionBanner } from './view/connection-banner.tsx';
import { FrozenBanner } from './view/frozen-banner.tsx';
import { Header } from './view/header.tsx';
import { NodesTable } from './view/nodes-table.tsx';
import { ServicesTable } from './view/services-table.tsx';
import { Tiles } from './view/tiles.tsx';

declare const NODEMESH_VERSION: string;

export function App({ store }: { readonly store: Store }) {
  const nodesFilter = useSignal('');
  const servicesFilter = useSignal('');
  return (
    <>
      <Header store={store} />
      <ConnectionBanner connection={store.connection} />
      <FrozenBanner health={store.health} />
      <main>
        <Tiles
          store={store}
          showNodes={(state) => {
            nodesFilter.value = state;
          }}
          showServices={(state) => {
            servicesFilter.value = state;
          }}
        />
        <NodesTable store={store} filter={nodesFilter} />
        <ServicesTable store={store} filter={servicesFilter} />
      </main>
      <footer>
        <span>nodemesh {NODEMESH_VERSION}</span>
        <span>Traffic figures cover the last {Math.round(store.windowMs.value / 1_000)} s, as callers saw it.</span>
        <span>
          In a terminal: <code>nodemesh nodes</code>, <code>nodemesh services</code>
        </span>
      </footer>
    </>
  );
}
