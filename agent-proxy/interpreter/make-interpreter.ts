/** The interpreter of a router, as configured: which dtab stands beside the router's own, and which namers there are. */
import type { InterpreterConfig } from '../config/schema/linkerd.ts';
import type { DirectoryWatches } from '../namers/directory-watches.ts';
import type { Activity } from '../routing/activity.ts';
import { Interpreter } from '../routing/binding.ts';
import type { Dtab } from '../routing/dtab.ts';
import type { Namer } from '../routing/names.ts';
import type { ServiceTable } from '../routing/service-table.ts';
import { namespaceDtab } from '../routing/table-names/namespace.ts';
import type { Transformer } from '../routing/transformers.ts';
import type { Inet } from '../routing/utility-namers.ts';
import { dtabFile } from './dtab-file.ts';

export interface InterpreterNeeds {
  /** Those of the configuration, in its order. */
  readonly namers: readonly Namer[];
  /** The scheduler's table, and the namers that answer from it; null without a scheduler. */
  readonly scheduler: { readonly table: ServiceTable; readonly namers: readonly Namer[] } | null;
  readonly inet: Inet;
  readonly transformers: readonly Transformer[];
  readonly watches: DirectoryWatches;
  /** Whether a per-request dtab may name addresses (`/$/inet`). */
  readonly localMayNameAddresses: boolean;
  readonly warn: (message: string) => void;
}

/** @throws an Error where the configuration asks for a scheduler that is not there. */
export function makeInterpreter(config: InterpreterConfig, needs: InterpreterNeeds): Interpreter {
  const { inet, transformers, localMayNameAddresses } = needs;
  // A namespace goes over what a router says; a dtab file goes below it, as linkerd has it.
  const dtabIsOver = config.kind === 'io.nodemesh.scheduler';
  const common = { inet, transformers, localMayNameAddresses, dtabIsOver };
  const dtab = dtabOf(config, needs);
  const namers = [...needs.namers];
  // Asked first: what the scheduler says of an app is not asked of Marathon too.
  if (config.kind === 'io.nodemesh.scheduler') namers.push(...(needs.scheduler?.namers ?? []));
  return new Interpreter(dtab === null ? { ...common, namers } : { ...common, namers, dtab });
}

function dtabOf(config: InterpreterConfig, { scheduler, watches, warn }: InterpreterNeeds): Activity<Dtab> | null {
  switch (config.kind) {
    case 'default':
      return null;
    case 'io.l5d.fs':
      return dtabFile(config.dtabFile, watches, warn);
    case 'io.nodemesh.scheduler':
      if (scheduler === null) {
        throw new Error(
          'interpreter io.nodemesh.scheduler works under a scheduler only; use the default interpreter and namers here',
        );
      }
      return namespaceDtab(scheduler.table, config.namespace, warn);
  }
}
