/** The namers that answer from the scheduler's table: of a proxy one for all its routers, and of the scheduler itself. */
import type { Namer } from '../names.ts';
import type { ServiceTable } from '../service-table.ts';
import { mesosDnsNamer } from './mesos-dns.ts';
import { otherSourcesNamer, TableNamer } from './table-namer.ts';
import { vipNamer } from './vip.ts';

export interface TableNamers {
  readonly namers: readonly Namer[];
  /** They hear no more of the table. */
  close(): void;
}

export function tableNamers(table: ServiceTable): TableNamers {
  // Its prefix is empty: the others are asked before it.
  const namers = [otherSourcesNamer(table), new TableNamer(table), mesosDnsNamer(table), vipNamer(table)];
  return {
    namers,
    close() {
      for (const namer of namers) namer.close();
    },
  };
}
