/** The namers that answer from the table, as a proxy has them under the scheduler. */
import type { Namer } from '../../agent-proxy/routing/names.ts';
import type { ServiceTable } from '../../agent-proxy/routing/service-table.ts';
import { TableHostNamer } from '../../agent-proxy/routing/table-names/host-namer.ts';
import { TableNamer } from '../../agent-proxy/routing/table-names/table-namer.ts';

export function tableNamers(table: ServiceTable): readonly Namer[] {
  return [new TableNamer(table), new TableHostNamer(table)];
}
