/** One service of the table, as far as somebody wants to know of it: its addresses, and the look-ups that it concerns. */
import type { Unsubscribe } from '../activity.ts';
import type { AddressChange, AddressSet, AddressState } from '../names.ts';
import type { ServiceTable } from '../service-table.ts';

const PENDING: AddressState = { kind: 'pending' };
const NEG: AddressState = { kind: 'neg' };

/** Services that are in use, by name. */
export type TableServices = Map<string, TableService>;

export class TableService implements AddressSet {
  readonly name: string;
  /** How many endpoints there are, -1 where the table does not have the service. Kept by the owner of the table's listener. */
  size = -1;
  private readonly table: ServiceTable;
  private readonly inUse: TableServices;
  private readonly listeners = new Set<(change: AddressChange) => void>();
  private readonly lookups = new Set<() => void>();
  private last: AddressState = NEG;

  constructor(name: string, table: ServiceTable, inUse: TableServices) {
    this.name = name;
    this.table = table;
    this.inUse = inUse;
  }

  get state(): AddressState {
    const { table, last } = this;
    if (!table.ready) return PENDING;
    const endpoints = table.service(this.name)?.endpoints;
    if (endpoints === undefined) return NEG;
    if (table.isUnfilled(this.name)) return PENDING;
    // The table makes a list once, and so is the state made that holds it.
    if (last.kind !== 'bound' || last.endpoints !== endpoints) this.last = { kind: 'bound', endpoints };
    return this.last;
  }

  observe(listener: (change: AddressChange) => void): Unsubscribe {
    // One that nobody used for a while is out of date: whoever holds it is served by the one that took its place.
    const current = this.inUse.get(this.name);
    if (current !== undefined && current !== this) return current.observe(listener);
    const own = (change: AddressChange): void => listener(change);
    const stop = this.use(this.listeners, own);
    const wantNoMore = this.table.wanted.add(this.name);
    return () => {
      stop();
      wantNoMore();
    };
  }

  /** The look-up is told when the service comes, goes, gets its first endpoint or loses its last. */
  concern(lookup: () => void): Unsubscribe {
    return this.use(this.lookups, lookup);
  }

  /** Those to tell, as of now. */
  concerned(): Iterable<() => void> {
    return this.lookups;
  }

  tell(change: AddressChange): void {
    for (const listener of [...this.listeners]) listener(change);
  }

  private use<T>(users: Set<T>, user: T): Unsubscribe {
    if (this.listeners.size + this.lookups.size === 0) {
      this.size = this.table.size(this.name);
      this.inUse.set(this.name, this);
    }
    users.add(user);
    return () => {
      if (users.delete(user) && this.listeners.size + this.lookups.size === 0) this.inUse.delete(this.name);
    };
  }
}
