import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Frame, PeerAgent, Service } from '../../../agent-proxy/control/contract.ts';
import { TableDigest } from '../../../agent-proxy/routing/digest.ts';
import { ServiceTable, type TableFrame } from '../../../agent-proxy/routing/service-table.ts';
import type { TableChange } from '../../../agent-proxy/routing/staged-snapshot.ts';
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
    patch: [],
    agents: [],
    agentsRemoved: [],
    documents: [],
    documentsRemoved: [],
    ...given,
  };
}

/** The table as a value, in an order that does not depend on how it came about. */
function contents(table: ServiceTable) {
  const byKey = (a: [string, unknown], b: [string, unknown]) => (a[0] < b[0] ? -1 : 1);
  const sorted = ({ name: given, endpoints }: Service) => ({
    name: given,
    endpoints: [...endpoints].sort((a, b) => (a.instance < b.instance ? -1 : 1)),
  });
  return {
    services: [...table.services()].map((row): [string, unknown] => [row.name, sorted(row)]).sort(byKey),
    agents: [...table.agents()].map((row): [string, unknown] => [row.agentId, row]).sort(byKey),
  };
}

test('a snapshot is not to be seen before it is complete, and then it is all there is', () => {
  const table = new ServiceTable();
  applyAll(table, snapshotFrames(1, 1, [service('old', 1)]));
  const frames = snapshotFrames(1, 2, [service('new', 1)], [agent('a')]);
  expect(applyAll(table, frames.slice(0, -1))).toEqual(['staged', 'staged', 'staged']);
  expect([table.service('old')?.name, table.service('new')?.name, table.revision]).toEqual(['old', undefined, 1]);
  expect(applyAll(table, frames.slice(-1))).toEqual(['applied']);
  expect([table.service('old')?.name, table.service('new')?.name, table.revision]).toEqual([undefined, 'new', 2]);
  expect(table.agent('a')?.ready).toBe(true);
});

test('a snapshot whose digest is not the one that was announced is refused, and the table stays', () => {
  const table = new ServiceTable();
  applyAll(table, snapshotFrames(1, 1, [service('old', 1)]));
  const frames = snapshotFrames(1, 2, [service('new', 1)]).map((frame) =>
    frame.type === 'snapshot-end' ? { ...frame, digest: '0000000000000000' } : frame,
  );
  expect(applyAll(table, frames).at(-1)).toBe('gap');
  expect(table.service('old')?.name).toBe('old');
});

test('a delta on another base is a gap and changes nothing', () => {
  const table = new ServiceTable();
  expect(table.apply(delta(0, {})).kind).toBe('gap');
  applyAll(table, snapshotFrames(1, 5, [service('web', 1)]));
  expect(table.apply(delta(6, { remove: ['web'] }))).toMatchObject({ kind: 'gap' });
  expect([table.service('web')?.name, table.revision]).toEqual(['web', 5]);
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

test('a service may come in several records of a snapshot, whole at its end', () => {
  const table = new ServiceTable();
  const [begin, services, agents, end] = snapshotFrames(1, 1, [service('web', 1, 2, 3), service('api', 1)]);
  if (begin === undefined || services === undefined || agents === undefined || end === undefined) throw new Error('4');
  const pieces: Frame[] = [service('web', 1), service('api', 1), service('web', 2), service('web', 3)].map((row) => ({
    type: 'services',
    epoch: 1,
    revision: 1,
    services: [row],
  }));
  applyAll(table, [begin, ...pieces, agents]);
  expect(table.service('web')).toBeUndefined();
  expect(applyAll(table, [end])).toEqual(['applied']);
  expect(table.service('web')).toEqual(service('web', 1, 2, 3));
});

test('a patch changes the endpoints that it names and no others', () => {
  const table = new ServiceTable();
  applyAll(table, snapshotFrames(1, 1, [service('web', 1, 2, 3)]));
  const before = table.service('web');
  const [moved] = service('web', 2).endpoints;
  if (moved === undefined) throw new Error('an endpoint');
  const set = [{ ...moved, port: 9 }, ...service('web', 4).endpoints];
  expect(table.apply(delta(1, { patch: [{ service: 'web', set, unset: ['web.1', 'never.was'] }] })).kind).toBe(
    'applied',
  );
  const ports = table.service('web')?.endpoints.map(({ instance, port: given }) => `${instance}:${given}`);
  expect(ports).toEqual(['web.2:9', 'web.3:3', 'web.4:4']);
  expect(before).toEqual(service('web', 1, 2, 3));
});

test('a patch of a service that is not there is a gap, and of the rest of its delta nothing is applied', () => {
  const table = new ServiceTable();
  applyAll(table, snapshotFrames(1, 1, [service('web', 1)]));
  const patch = [{ service: 'api', set: [], unset: [] }];
  expect(table.apply(delta(1, { remove: ['web'], patch })).kind).toBe('gap');
  expect(table.apply(delta(1, { remove: ['web'], patch: [{ service: 'web', set: [], unset: [] }] })).kind).toBe('gap');
  expect([table.service('web')?.name, table.revision]).toEqual(['web', 1]);
});

test('a delta in the midst of a snapshot is a gap', () => {
  const table = new ServiceTable();
  applyAll(table, snapshotFrames(1, 1, [service('web', 1)]));
  applyAll(table, snapshotFrames(1, 2, [service('web', 2)]).slice(0, 2));
  expect(table.apply(delta(1, { remove: ['web'] })).kind).toBe('gap');
});

test('listeners hear of what changed, and of nothing that is as it was', () => {
  const table = new ServiceTable();
  const agents = [agent('a'), agent('b')];
  applyAll(table, snapshotFrames(1, 1, [service('same', 1), service('more', 1, 2), service('gone', 1)], agents));
  const changes: TableChange[] = [];
  table.onChange((change) => changes.push(change));
  applyAll(table, snapshotFrames(1, 2, [service('same', 1), service('more', 2, 3), service('new')], [agent('a')]));
  const more = { name: 'more', set: service('more', 3).endpoints, unset: ['more.1'], size: 2, isNew: false };
  const made = { name: 'new', set: [], unset: [], size: 0, isNew: true };
  const none = { documents: [], documentsRemoved: [] };
  expect(changes.pop()).toEqual({
    services: [more, made],
    removed: ['gone'],
    agents: [],
    agentsRemoved: ['b'],
    ...none,
  });
  const patch = [{ service: 'same', set: service('same', 1, 2).endpoints, unset: ['same.9'] }];
  table.apply(delta(2, { upsert: [service('more', 2, 3)], remove: ['new', 'unknown'], patch }));
  const same = { name: 'same', set: service('same', 2).endpoints, unset: [], size: 2, isNew: false };
  expect(changes).toEqual([{ services: [same], removed: ['new'], agents: [], agentsRemoved: [], ...none }]);
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

test('a snapshot and deltas lead to the same table and digest as a snapshot of the end', () => {
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
    }),
  );
});

/** Cuts a list at places that fast-check chooses. */
function cut<T>(list: readonly T[], sizes: readonly number[]): T[][] {
  const pieces: T[][] = [];
  let from = 0;
  for (let index = 0; from < list.length; index += 1) {
    const to = from + (sizes[index % sizes.length] ?? 1);
    pieces.push(list.slice(from, to));
    from = to;
  }
  return pieces;
}

test('wherever a snapshot and a change are cut, the table and its digest are those of the whole', () => {
  const manyPorts = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 40 });
  const sizes = fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(manyPorts, manyPorts, fc.boolean(), sizes, (ports, next, draining, pieces) => {
      const table = new ServiceTable();
      const [begin, , agents, end] = snapshotFrames(1, 1, [service('web', ...ports)], [agent('a')]);
      if (begin === undefined || agents === undefined || end === undefined) throw new Error('frames');
      const parts = ports.length === 0 ? [[]] : cut(service('web', ...ports).endpoints, pieces);
      const records = parts.map((endpoints): Frame => {
        return { type: 'services', epoch: 1, revision: 1, services: [{ name: 'web', endpoints }] };
      });
      expect(applyAll(table, [begin, ...records, agents, end]).at(-1)).toBe('applied');
      expect(contents(table).services[0]?.[1]).toEqual({
        name: 'web',
        endpoints: service('web', ...[...ports].sort((a, b) => (`web.${a}` < `web.${b}` ? -1 : 1))).endpoints,
      });

      const wanted = service('web', ...next).endpoints.map((row) =>
        draining ? { ...row, state: 'draining' as const } : row,
      );
      const unset = ports.filter((given) => !next.includes(given)).map((given) => `web.${given}`);
      for (const set of cut(wanted, pieces)) {
        table.apply(delta(table.revision, { patch: [{ service: 'web', set, unset: [] }] }));
        const digest = new TableDigest();
        for (const row of table.services()) digest.setService(row);
        for (const row of table.agents()) digest.setAgent(row);
        expect(table.digest()).toBe(digest.value());
      }
      for (const gone of cut(unset, pieces)) {
        table.apply(delta(table.revision, { patch: [{ service: 'web', set: [], unset: gone }] }));
      }
      const whole = new ServiceTable();
      applyAll(whole, snapshotFrames(1, 1, [{ name: 'web', endpoints: wanted }], [agent('a')]));
      expect(contents(table)).toEqual(contents(whole));
      expect(table.digest()).toBe(whole.digest());
    }),
  );
});

test('what was restored from disk is the table that was saved', () => {
  fc.assert(
    fc.property(someServices, someAgents, (services, agents) => {
      const table = new ServiceTable();
      table.restore({ revision: 7, services, agents, documents: [], filled: [] });
      const digest = new TableDigest();
      for (const row of services) digest.setService(row);
      for (const row of agents) digest.setAgent(row);
      expect([table.ready, table.revision, table.digest()]).toEqual([true, 7, digest.value()]);
    }),
  );
});
