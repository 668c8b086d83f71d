/** A dtab namespace of the scheduler, as the table tells it: followed document by document. */
import { type Activity, type ActivityState, PENDING } from '../activity.ts';
import { type Dtab, DtabError, readDtab } from '../dtab.ts';
import type { ServiceTable } from '../service-table.ts';
import { Computed } from './computed.ts';

/** What the namespace `default` says at first; `marathons` are the dentries under which apps are found. */
export function firstDtab(marathons: string): string {
  return [
    marathons,
    '/marathonId/mesos/marathon => /marathonId | /#/io.nodemesh.mesos-dns',
    '/marathonId/directory/thisdcos/l4lb/marathon => /#/io.nodemesh.vip | /marathonId',
    '/svc => /$/io.buoyant.http.domainToPathPfx/marathonId',
  ].join(' ; ');
}

/** The namespace that is there from the first start, and what it says until somebody writes it. */
export const DEFAULT_NAMESPACE = { name: 'default', dtab: firstDtab('/marathonId => /#/io.l5d.marathon') } as const;

const DEFAULT_DTAB: ActivityState<Dtab> = { kind: 'ok', value: readDtab(DEFAULT_NAMESPACE.dtab) };

/**
 * The dtab of a namespace; `default` has its own text where the table has none of it. Where a later text cannot be read,
 * what was known before stays in force, and `warn` hears of it.
 */
export function namespaceDtab(table: ServiceTable, name: string, warn: (message: string) => void): Activity<Dtab> {
  const absent: ActivityState<Dtab> =
    name === DEFAULT_NAMESPACE.name
      ? DEFAULT_DTAB
      : { kind: 'failed', reason: `the scheduler has no dtab namespace '${name}'` };
  let text: string | null = null;
  let state = absent;

  const compute = (): ActivityState<Dtab> => {
    const document = table.document('dtab', name);
    if (document === undefined) {
      text = null;
      state = absent;
      return table.ready ? absent : PENDING;
    }
    if (document.dtab === text) return state;
    text = document.dtab;
    try {
      state = { kind: 'ok', value: readDtab(text) };
    } catch (error) {
      if (!(error instanceof DtabError)) throw error;
      const reason = `dtab namespace '${name}', version ${document.version}: line ${error.line}, column ${error.column}: ${error.message}`;
      warn(state.kind === 'ok' ? `${reason}; the dtab before it stays in force` : reason);
      if (state.kind !== 'ok') state = { kind: 'failed', reason };
    }
    return state;
  };

  const activity = new Computed(compute, () => {
    let wasReady = table.ready;
    return table.onChange(({ documents, documentsRemoved }) => {
      const isConcerned = [...documents, ...documentsRemoved].some((one) => one.kind === 'dtab' && one.name === name);
      if (isConcerned || wasReady !== table.ready) activity.refresh();
      wasReady = table.ready;
    });
  });
  return activity;
}
