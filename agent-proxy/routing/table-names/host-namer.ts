/**
 * io.nodemesh.host: the service that a host name means, in any spelling (case, port, trailing dot, Mesos-DNS' forms), as
 * the path of its app. Host names only move when services come or go, so nothing else of the table is listened to.
 */
import { type Activity, type ActivityState, PENDING, type Unsubscribe } from '../activity.ts';
import { hostNamesOf, normalizeHost } from '../host-names.ts';
import { leaf, type NameTree, NEG } from '../name-tree.ts';
import type { Namer, NamerLeaf } from '../names.ts';
import type { Path } from '../path.ts';
import type { ServiceTable } from '../service-table.ts';
import type { TableChange } from '../staged-snapshot.ts';
import { Computed } from './computed.ts';

const NOTHING: ActivityState<NameTree<NamerLeaf>> = { kind: 'ok', value: NEG };

export class TableHostNamer implements Namer {
  readonly prefix: Path;
  private readonly table: ServiceTable;
  private readonly apps: Path;
  /** Observed look-ups, by the normal form of their host. */
  private readonly lookups = new Map<string, Set<() => void>>();
  private readonly stop: Unsubscribe;
  private wasReady: boolean;

  /** `apps` is the prefix of the namer that knows the apps. */
  constructor(table: ServiceTable, apps: Path = ['io.l5d.marathon'], prefix: Path = ['io.nodemesh.host']) {
    this.prefix = prefix;
    this.table = table;
    this.apps = apps;
    this.wasReady = table.ready;
    this.stop = table.onChange((change) => this.changed(change));
  }

  lookup(rest: Path): Activity<NameTree<NamerLeaf>> {
    const [host = '', ...residual] = rest;
    const name = normalizeHost(host);
    let service: string | null = null;
    let found = NOTHING;
    const compute = (): ActivityState<NameTree<NamerLeaf>> => {
      if (!this.table.ready) return PENDING;
      const now = name === '' ? undefined : this.table.lookup(name)?.name;
      if (now === undefined) return NOTHING;
      if (now !== service) {
        service = now;
        const path = ['#', ...this.apps, ...now.split('/'), ...residual];
        found = { kind: 'ok', value: leaf({ kind: 'path', path }) };
      }
      return found;
    };
    const activity = new Computed(compute, () => this.register(name, refresh));
    const refresh = (): void => activity.refresh();
    return activity;
  }

  /** How many host names somebody wants to know of. */
  get size(): number {
    return this.lookups.size;
  }

  /** Hears no more of the table. */
  close(): void {
    this.stop();
  }

  private register(host: string, refresh: () => void): Unsubscribe {
    const lookups = this.lookups.get(host) ?? new Set();
    this.lookups.set(host, lookups.add(refresh));
    return () => {
      lookups.delete(refresh);
      if (lookups.size === 0 && this.lookups.get(host) === lookups) this.lookups.delete(host);
    };
  }

  private changed(change: TableChange): void {
    const concerned = new Set<() => void>();
    const moved = [...change.removed, ...change.services.filter(({ isNew }) => isNew).map(({ name }) => name)];
    for (const service of moved) {
      for (const { host } of hostNamesOf(service)) {
        for (const lookup of this.lookups.get(host) ?? []) concerned.add(lookup);
      }
    }
    if (this.table.ready && !this.wasReady) {
      this.wasReady = true;
      for (const lookups of this.lookups.values()) for (const lookup of lookups) concerned.add(lookup);
    }
    for (const lookup of concerned) lookup();
  }
}
