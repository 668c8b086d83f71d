import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Endpoint } from '../../../agent-proxy/control/contract.ts';
import { LocalInstances } from '../../../agent-proxy/health/local-instances.ts';
import { ServiceTable, type TableFrame } from '../../../agent-proxy/routing/service-table.ts';
import { endpoint, snapshotFrames } from '../../fixtures/control-stream.ts';

const HERE = 'agent-1';

const row = fc
  .tuple(fc.constantFrom('web', 'api'), fc.nat(4), fc.constantFrom(HERE, 'agent-2'), fc.integer({ min: 1, max: 2 }))
  .map(([service, index, agentId, port]) => endpoint({ service, instance: `${service}.${index}`, agentId, port }));
const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), row }),
  fc.record({ kind: fc.constant('unset' as const), row }),
  fc.record({ kind: fc.constant('remove' as const), row }),
  fc.record({
    kind: fc.constant('snapshot' as const),
    rows: fc.uniqueArray(row, { selector: (each) => each.instance }),
  }),
);

test('D33: the local instances are those of the table on this node, whatever led there', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const table = new ServiceTable();
      const locals = new LocalInstances(table, HERE);
      const apply = (frames: readonly unknown[]): void => {
        for (const frame of frames) expect(table.apply(frame as TableFrame).kind).not.toBe('gap');
      };
      const servicesOf = (rows: readonly Endpoint[]) =>
        ['web', 'api'].map((name) => ({ name, endpoints: rows.filter(({ service }) => service === name) }));
      apply(snapshotFrames(1, 1, servicesOf([])));
      for (const each of steps) {
        if (each.kind === 'snapshot') {
          apply(snapshotFrames(1, table.revision + 1, servicesOf(each.rows)));
        } else {
          const { service, instance } = each.row;
          const known = table.service(service) !== undefined;
          const patch = { service, set: each.kind === 'set' ? [each.row] : [], unset: [instance] };
          apply([
            {
              type: 'delta',
              epoch: 1,
              base: table.revision,
              revision: table.revision + 1,
              upsert: known || each.kind !== 'set' ? [] : [{ name: service, endpoints: [each.row] }],
              remove: each.kind === 'remove' ? [service] : [],
              patch:
                known && each.kind !== 'remove' ? [{ ...patch, unset: each.kind === 'set' ? [] : patch.unset }] : [],
              agents: [],
              agentsRemoved: [],
              documents: [],
              documentsRemoved: [],
            },
          ]);
        }
        const wanted = [...table.services()].flatMap(({ endpoints }) => endpoints).filter((e) => e.agentId === HERE);
        const told = locals.report().map(({ instance }) => instance);
        expect(told.sort()).toEqual(wanted.map(({ instance }) => instance).sort());
        for (const e of wanted) expect(locals.find(e.instance)?.endpoint).toEqual(e);
      }
    }),
  );
});

test('an instance keeps what is thought of it when its endpoint changes', () => {
  const table = new ServiceTable();
  const locals = new LocalInstances(table, HERE);
  const at = endpoint({ service: 'web', instance: 'web.1', agentId: HERE, port: 1 });
  for (const frame of snapshotFrames(1, 1, [{ name: 'web', endpoints: [at] }])) table.apply(frame as TableFrame);
  locals.find('web.1')?.judged(false);
  for (const frame of snapshotFrames(1, 2, [{ name: 'web', endpoints: [{ ...at, port: 2 }] }])) {
    table.apply(frame as TableFrame);
  }
  expect(locals.report()).toEqual([{ service: 'web', instance: 'web.1', inflight: 0, health: 0.95 }]);
});
