import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Frame, PeerAgent, Service } from '../../../agent-proxy/control/contract.ts';
import { TableDigest } from '../../../agent-proxy/routing/digest.ts';
import { hostNamesOf } from '../../../agent-proxy/routing/host-names.ts';
import { ServiceTable, type TableChange, type TableFrame } from '../../../agent-proxy/routing/service-table.ts';
import { endpoint, snapshotFrames } from '../../fixtures/control-stream.ts';

function service(name: string, ...ports: number[]): Service {
  return { name, endpoints: ports.map((port) => endpoint({ service: name, instance: `${name}.${port}`, port })) };
}

function agent(agentId: string, ready = true): PeerAgent {
  return { agentId, address: '127.0.1.1', incomingPort: 4141, ready };
}

function applyAll(table: ServiceTable, frames: readonly Frame[]) {
  return frames.map((frame) => table.apply(frame as TableFrame).kind);
}

function delta(base: number, given: Partial<Extract<Frame, { type: 'delta' }>>): TableFrame {
  return {
    type: 'delta',
    epoch: 1,
    base,
    revision: base + 1,
    upsert: [],
    remove: [],
    agents: [],
    agentsRemoved: [],
    ...given,
  };
}

function contents(table: ServiceTable) {
  const byKey = (a: [string, unknown], b: [string, unknown]) => (a[0] < b[0] ? -1 : 1);
  return {
    services: [...table.services()].map((row): [string, unknown] => [row.name, row]).sort(byKey),
    agents: [...table.agents()].map((row): [string, unknown] => [row.agentId, row]).sort(byKey),
  };
}

test('a snapshot is not to be seen before it is complete, and then it is all there is', () => {
  const table = new ServiceTable();
  applyAll(table, snapshotFrames(1, 1, [service('old', 1)]));
  const frames = snapshotFrames(1, 2, [service('new', 1)], [agent('a')]);
  expect(applyAll(table, frames.slice(0, -1))).toEqual(['staged', 'staged', 'staged']);
  expect([table.lookup('old')?.name, table.lookup('new')?.name, table.revision]).toEqual(['old', undefined, 1]);
  expect(applyAll(table, frames.slice(-1))).toEqual(['applied']);
  expect([table.lookup('old')?.name, table.lookup('new')?.name, table.revision]).toEqual([undefined, 'new', 2]);
  expect(table.agent('a')?.ready).toBe(true);
});

test('a snapshot whose digest is not the one that was announced is refused, and the table stays', () => {
  const table = new ServiceTable();
  applyAll(table, snapshotFrames(1, 1, [service('old', 1)]));
  const frames = snapshotFrames(1, 2, [service('new', 1)]).map((frame) =>
    frame.type === 'snapshot-end' ? { ...frame, digest: '0000000000000000' } : frame,
  );
  expect(applyAll(table, frames).at(-1)).toBe('gap');
  expect(table.lookup('old')?.name).toBe('old');
});

test('a delta on another base is a gap and changes nothing', () => {
  const table = new ServiceTable();
  expect(table.apply(delta(0, {})).kind).toBe('gap');
  applyAll(table, snapshotFrames(1, 5, [service('web', 1)]));
  expect(table.apply(delta(6, { remove: ['web'] }))).toMatchObject({ kind: 'gap' });
  expect([table.lookup('web')?.name, table.revision]).toEqual(['web', 5]);
});

test('records of a snapshot that was not begun, or was abandoned, are a gap', () => {
  const table = new ServiceTable();
  const [begin, ...rest] = snapshotFrames(1, 1, [service('web', 1)]);
  expect(applyAll(table, rest)).toEqual(['gap', 'gap', 'gap']);
  if (begin !== undefined) applyAll(table, [begin]);
  table.abandonSnapshot();
  expect(applyAll(table, rest)).toEqual(['gap', 'gap', 'gap']);
  expect(table.ready).toBe(false);
});

test('listeners hear of what changed, and of nothing that is as it was', () => {
  const table = new ServiceTable();
  applyAll(table, snapshotFrames(1, 1, [service('same', 1), service('more', 1), service('gone', 1)], [agent('a')]));
  const changes: TableChange[] = [];
  table.onChange((change) => changes.push(change));
  applyAll(table, snapshotFrames(1, 2, [service('same', 1), service('more', 1, 2)], [agent('a')]));
  expect(changes).toEqual([{ upserted: [service('more', 1, 2)], removed: ['gone'], agents: [], agentsRemoved: [] }]);
});

const name = fc.constantFrom('web', 'api', 'team/api', 'api-team', 'a/b/c');
const port = fc.integer({ min: 1, max: 4 });
const someService = fc
  .tuple(name, fc.uniqueArray(port, { maxLength: 3 }))
  .map(([given, ports]) => service(given, ...ports));
const someServices = fc.uniqueArray(someService, { selector: (row) => row.name, maxLength: 5 });
const someAgent = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()).map(([id, ready]) => agent(id, ready));
const someAgents = fc.uniqueArray(someAgent, { selector: (row) => row.agentId, maxLength: 3 });
const change = fc.record({
  upsert: someServices,
  remove: fc.uniqueArray(name, { maxLength: 2 }),
  agents: someAgents,
  agentsRemoved: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 1 }),
});

test('a snapshot and deltas lead to the same table, names and digest as a snapshot of the end', () => {
  fc.assert(
    fc.property(someServices, someAgents, fc.array(change, { maxLength: 6 }), (services, agents, changes) => {
      const walked = new ServiceTable();
      applyAll(walked, snapshotFrames(1, 1, services, agents));
      const finalServices = new Map(services.map((row) => [row.name, row]));
      const finalAgents = new Map(agents.map((row) => [row.agentId, row]));
      changes.forEach((given, index) => {
        expect(walked.apply(delta(index + 1, given)).kind).toBe('applied');
        for (const gone of given.remove) finalServices.delete(gone);
        for (const row of given.upsert) finalServices.set(row.name, row);
        for (const gone of given.agentsRemoved) finalAgents.delete(gone);
        for (const row of given.agents) finalAgents.set(row.agentId, row);
      });
      const jumped = new ServiceTable();
      const end = snapshotFrames(1, changes.length + 1, [...finalServices.values()], [...finalAgents.values()]);
      expect(applyAll(jumped, end).at(-1)).toBe('applied');

      expect(contents(walked)).toEqual(contents(jumped));
      expect([walked.revision, walked.digest()]).toEqual([jumped.revision, jumped.digest()]);
      for (const row of ['web', 'api', 'team/api', 'api-team', 'a/b/c']) {
        for (const { host } of hostNamesOf(row)) expect(walked.lookup(host)).toEqual(jumped.lookup(host));
      }
    }),
  );
});

test('what was restored from disk is the table that was saved', () => {
  fc.assert(
    fc.property(someServices, someAgents, (services, agents) => {
      const table = new ServiceTable();
      table.restore({ revision: 7, services, agents });
      const digest = new TableDigest();
      for (const row of services) digest.setService(row);
      for (const row of agents) digest.setAgent(row);
      expect([table.ready, table.revision, table.digest()]).toEqual([true, 7, digest.value()]);
    }),
  );
});
