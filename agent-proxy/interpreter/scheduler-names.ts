/**
 * The names of the interpreter io.nodemesh.scheduler: hosts and apps as the control stream says, under a dtab that a
 * router's own dtab can override. One for a process, however many routers use it.
 */
import { type Dtab, readDtab } from '../routing/dtab.ts';
import type { Namer } from '../routing/names.ts';
import type { ServiceTable } from '../routing/service-table.ts';
import { TableHostNamer } from '../routing/table-names/host-namer.ts';
import { TableNamer } from '../routing/table-names/table-namer.ts';

/** Until the control plane has namespaces, `default` is this. */
export const SCHEDULER_DTAB: Dtab = readDtab('/host => /#/io.nodemesh.host ; /svc => /host');

export interface SchedulerNames {
  readonly namers: readonly Namer[];
  /** They hear no more of the table. */
  close(): void;
}

export function schedulerNames(table: ServiceTable): SchedulerNames {
  const apps = new TableNamer(table);
  const hosts = new TableHostNamer(table);
  const tasks = new TableNamer(table, ['io.nodemesh.mesos'], '#io.nodemesh.mesos/');
  const close = (): void => {
    apps.close();
    hosts.close();
    tasks.close();
  };
  return { namers: [apps, tasks, hosts], close };
}
