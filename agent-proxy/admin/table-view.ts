/** The table of services and agents as JSON for people and tests, in slices. Labels are left out: they may hold secrets. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServiceTable } from '../routing/service-table.ts';

const SERVICES_A_SLICE = 50;

export async function* renderTable(table: ServiceTable, epoch: number): AsyncGenerator<string> {
  const { revision, ready } = table;
  yield `{"epoch":${epoch},"ready":${ready},"revision":${revision},"digest":"${table.digest()}","services":[`;
  let count = 0;
  // A copy: the table may change between two slices.
  for (const { name, endpoints } of [...table.services()]) {
    const shown = endpoints.map(({ labels: _labels, service: _service, ...endpoint }) => endpoint);
    yield `${count === 0 ? '' : ','}\n${JSON.stringify({ name, endpoints: shown })}`;
    count += 1;
    if (count % SERVICES_A_SLICE === 0) await nextTurn();
  }
  yield `],\n"agents":${JSON.stringify([...table.agents()])}}\n`;
}
