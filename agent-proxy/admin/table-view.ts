/** The table of services and agents as JSON for people and tests, in slices. Labels are left out: they may hold secrets. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServiceTable } from '../routing/service-table.ts';
import { ambiguousNames } from '../routing/table-names/ambiguous-names.ts';

/** Endpoints, and services, that are rendered in one turn of the loop. */
const ROWS_A_SLICE = 200;

export async function* renderTable(table: ServiceTable, epoch: number): AsyncGenerator<string> {
  const { revision, ready } = table;
  yield `{"epoch":${epoch},"ready":${ready},"revision":${revision},"digest":"${table.digest()}","services":[`;
  let rows = 0;
  let isFirst = true;
  // A copy: the table may change between two slices.
  for (const { name, endpoints } of [...table.services()]) {
    yield `${isFirst ? '' : ','}\n{"name":${JSON.stringify(name)},"endpoints":[`;
    isFirst = false;
    for (let from = 0; from < endpoints.length; from += ROWS_A_SLICE) {
      const slice = endpoints.slice(from, from + ROWS_A_SLICE);
      const shown = slice.map(({ labels: _labels, service: _service, ...endpoint }) => JSON.stringify(endpoint));
      yield `${from === 0 ? '' : ','}${shown.join(',')}`;
      rows += slice.length;
      if (rows >= ROWS_A_SLICE) {
        rows = 0;
        await nextTurn();
      }
    }
    yield ']}';
    rows += 1;
  }
  const agents = JSON.stringify([...table.agents()]);
  yield `],\n"agents":${agents},\n"ambiguous":${JSON.stringify(ambiguousNames(table))}}\n`;
}
