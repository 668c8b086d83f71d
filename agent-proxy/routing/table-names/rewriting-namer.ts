/**
 * A namer that answers a name of an app with the path of that app: what a dtab says of an app then holds for every
 * spelling of its name. Only look-ups whose name may mean something else are worked out again.
 */
import { type Activity, type ActivityState, PENDING, type Unsubscribe } from '../activity.ts';
import { leaf, type NameTree, NEG } from '../name-tree.ts';
import type { Namer, NamerLeaf } from '../names.ts';
import { type Path, pathsEqual } from '../path.ts';
import type { ServiceTable } from '../service-table.ts';
import type { TableChange } from '../staged-snapshot.ts';
import { Computed } from './computed.ts';

/** How a kind of names is read. */
export interface Rewriting {
  readonly prefix: Path;
  /** The names that the meaning of a path depends on. */
  namesIn(rest: Path): readonly string[];
  /** The path of the app that is meant now, null for none. */
  find(rest: Path): Path | null;
  /** The names that may mean something else after a change of the table. */
  changed(change: TableChange): Iterable<string>;
}

const NOTHING: ActivityState<NameTree<NamerLeaf>> = { kind: 'ok', value: NEG };

export class RewritingNamer implements Namer {
  readonly prefix: Path;
  private readonly table: ServiceTable;
  private readonly rewriting: Rewriting;
  /** Observed look-ups, by the names that they depend on. */
  private readonly lookups = new Map<string, Set<() => void>>();
  private readonly stop: Unsubscribe;
  private wasReady: boolean;

  constructor(table: ServiceTable, rewriting: Rewriting) {
    this.prefix = rewriting.prefix;
    this.table = table;
    this.rewriting = rewriting;
    this.wasReady = table.ready;
    this.stop = table.onChange((change) => this.changed(change));
  }

  lookup(rest: Path): Activity<NameTree<NamerLeaf>> {
    const { table, rewriting } = this;
    let found: Path | null = null;
    let state = NOTHING;
    const compute = (): ActivityState<NameTree<NamerLeaf>> => {
      if (!table.ready) return PENDING;
      const path = rewriting.find(rest);
      if (path === null) return NOTHING;
      if (found === null || !pathsEqual(found, path)) {
        found = path;
        state = { kind: 'ok', value: leaf({ kind: 'path', path }) };
      }
      return state;
    };
    const activity = new Computed(compute, () => this.register(rewriting.namesIn(rest), refresh));
    const refresh = (): void => activity.refresh();
    return activity;
  }

  /** How many names somebody wants to know of. */
  get size(): number {
    return this.lookups.size;
  }

  /** Hears no more of the table. */
  close(): void {
    this.stop();
  }

  private register(names: readonly string[], refresh: () => void): Unsubscribe {
    for (const name of names) {
      const known = this.lookups.get(name) ?? new Set();
      this.lookups.set(name, known.add(refresh));
    }
    return () => {
      for (const name of names) {
        const known = this.lookups.get(name);
        known?.delete(refresh);
        if (known?.size === 0) this.lookups.delete(name);
      }
    };
  }

  private changed(change: TableChange): void {
    const moved = this.rewriting.changed(change);
    const isFirst = this.table.ready && !this.wasReady;
    this.wasReady = this.table.ready;
    const concerned = new Set<() => void>();
    for (const name of isFirst ? this.lookups.keys() : moved) {
      for (const lookup of this.lookups.get(name) ?? []) concerned.add(lookup);
    }
    for (const lookup of concerned) lookup();
  }
}

/** `/marathonId/team/api:admin/rest`, for the default `apps`. */
export function appPath(apps: Path, service: string, port: string | null, residual: Path): Path {
  const named = port === null ? service : `${service}:${port}`;
  return [...apps, ...named.split('/'), ...residual];
}
