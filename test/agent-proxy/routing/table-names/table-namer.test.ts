/** io.l5d.marathon over the table of the control stream, and who is told of which change. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint, Frame, Service } from '../../../../agent-proxy/control/contract.ts';
import type { Activity } from '../../../../agent-proxy/routing/activity.ts';
import type { NameTree } from '../../../../agent-proxy/routing/name-tree.ts';
import type { AddressChange, AddressSet, BoundName, NamerLeaf } from '../../../../agent-proxy/routing/names.ts';
import { ServiceTable, type TableFrame } from '../../../../agent-proxy/routing/service-table.ts';
import { otherSourcesNamer, TableNamer } from '../../../../agent-proxy/routing/table-names/table-namer.ts';
import { endpoint, snapshotFrames } from '../../../fixtures/control-stream.ts';

function service(name: string, ...ports: number[]): Service {
  return { name, endpoints: ports.map((port) => at(name, port)) };
}

function at(name: string, port: number): Endpoint {
  return endpoint({ service: name, instance: `${name}.${port}`, port, ports: [{ name: 'admin', port: port + 1 }] });
}

function boundOf(lookup: Activity<NameTree<NamerLeaf>>): BoundName | null {
  const { state } = lookup;
  if (state.kind !== 'ok' || state.value.kind !== 'leaf' || state.value.value.kind !== 'bound') return null;
  return state.value.value.bound;
}

function shown(lookup: Activity<NameTree<NamerLeaf>>): string {
  const { state } = lookup;
  if (state.kind !== 'ok') return state.kind;
  if (state.value.kind !== 'leaf') return state.value.kind;
  const to = state.value.value;
  if (to.kind === 'path') return `path /${to.path.join('/')}`;
  return `/${to.bound.id.join('/')} + /${to.bound.residual.join('/')} = ${ports(to.bound.addresses)}`;
}

function ports({ state }: AddressSet): string {
  return state.kind === 'bound' ? state.endpoints.map(({ port }) => port).join(' ') : state.kind;
}

describe('names of the table', () => {
  let table: ServiceTable;
  let apps: TableNamer;

  beforeEach(() => {
    table = new ServiceTable();
    apps = new TableNamer(table);
  });

  const snapshot = (revision: number, ...services: Service[]) => {
    for (const frame of snapshotFrames(1, revision, services)) table.apply(frame as TableFrame);
  };
  const delta = (given: Partial<Extract<Frame, { type: 'delta' }>>) => {
    const base = table.revision;
    const none = {
      upsert: [],
      remove: [],
      patch: [],
      agents: [],
      agentsRemoved: [],
      documents: [],
      documentsRemoved: [],
    };
    expect(table.apply({ type: 'delta', epoch: 1, base, revision: base + 1, ...none, ...given }).kind).toBe('applied');
  };

  describe('by app', () => {
    it('are pending until there is a table', () => {
      const lookup = apps.lookup(['web']);
      let told = 0;
      lookup.observe(() => {
        told += 1;
      });
      expect(shown(lookup)).toBe('pending');
      snapshot(1);
      expect(shown(lookup)).toBe('neg');
      expect(told).toBe(1);
    });

    it.each([
      [['web'], '/#/io.l5d.marathon/web + / = 1'],
      [['WEB', 'Rest', 'x'], '/#/io.l5d.marathon/web + /Rest/x = 1'],
      [['team', 'api', 'v1'], '/#/io.l5d.marathon/team/api + /v1 = 2 3'],
      [['team', 'other'], '/#/io.l5d.marathon/team + /other = 4'],
      [['team', 'none', 'x'], 'neg'],
      [['web:admin', 'x'], '/#/io.l5d.marathon/web:admin + /x = 2'],
      [['web:0'], '/#/io.l5d.marathon/web:0 + / = 2'],
      [['web:8080'], '/#/io.l5d.marathon/web:8080 + / = neg'],
      [['nothing'], 'neg'],
      [[], 'neg'],
    ])('%j is %s', (rest, expected) => {
      snapshot(1, service('web', 1), service('team/api', 2, 3), service('team', 4), service('team/none'));
      const lookup = apps.lookup(rest);
      expect(shown(lookup)).toBe(expected);
      lookup.observe(() => undefined);
      expect(shown(lookup)).toBe(expected);
    });

    it.each([
      ['P19: an index', 'api:1', '3'],
      ['a name', 'api:stats', '4'],
      ['an index behind a port that is missing', 'api:3', '4'],
      ['the index of the port that is missing', 'api:2', 'neg'],
      ['P20: an index beyond the last', 'api:9', 'neg'],
      ['P21, P23: a name that there is not', 'api:aaaa', 'neg'],
      ['no port: the first', 'api', '1'],
    ])('may name a port: %s', (_name, segment, expected) => {
      const named = [
        { name: 'http', port: 2 },
        { name: 'port1', port: 3 },
        { name: 'stats', port: 4, index: 3 },
      ];
      snapshot(1, {
        name: 'api',
        endpoints: [endpoint({ service: 'api', instance: 'api.1', port: 1, ports: named })],
      });
      expect(shown(apps.lookup([segment])).split(' = ')[1] ?? 'neg').toBe(expected);
    });

    it.each([
      [['eu', 'web'], '/#/eu/web + / = 2'],
      [['eu', 'web:admin', 'x'], '/#/eu/web:admin + /x = 3'],
      [['eu', 'Team', 'api', 'v1'], '/#/eu/team/api + /v1 = 4'],
      [['us', 'web'], 'neg'],
      [['eu', 'none'], 'neg'],
      [['eu'], 'neg'],
      [[], 'neg'],
    ])('of other sources stand behind the name of the source: %j is %s', (rest, expected) => {
      snapshot(1, service('web', 1), service('#eu/web', 2), service('#eu/team/api', 4));
      const others = otherSourcesNamer(table);
      const lookup = others.lookup(rest);
      expect(shown(lookup)).toBe(expected);
      lookup.observe(() => undefined);
      expect(shown(lookup)).toBe(expected);
      expect(shown(apps.lookup(rest))).toBe('neg');
    });

    it('come back when the app does', () => {
      snapshot(1, service('web', 1));
      const lookup = apps.lookup(['web']);
      const seen: string[] = [];
      lookup.observe(() => seen.push(shown(lookup)));
      delta({ remove: ['web'] });
      delta({ upsert: [service('web')] });
      delta({ patch: [{ service: 'web', set: [at('web', 7)], unset: [] }] });
      delta({ patch: [{ service: 'web', set: [], unset: ['web.7'] }] });
      snapshot(9, service('web', 8));
      expect(seen).toEqual(['neg', '/#/io.l5d.marathon/web + / = 7', 'neg', '/#/io.l5d.marathon/web + / = 8']);
    });

    it('move to a longer id when it appears, and back', () => {
      snapshot(1, service('team', 1));
      const lookup = apps.lookup(['team', 'api']);
      const seen: string[] = [];
      lookup.observe(() => seen.push(shown(lookup)));
      delta({ upsert: [service('team/api', 2)] });
      delta({ remove: ['team/api'] });
      expect(seen).toEqual(['/#/io.l5d.marathon/team/api + / = 2', '/#/io.l5d.marathon/team + /api = 1']);
    });

    it('lead nowhere while a label of the app says so, and not to the app of a shorter id either', () => {
      snapshot(1, service('team', 1), service('team/api', 2));
      const settings = { off: true, vips: [], exposed: [], policies: [], slowStartMs: 0 };
      const lookup = apps.lookup(['team', 'api']);
      const seen: string[] = [];
      lookup.observe(() => seen.push(shown(lookup)));
      delta({ documents: [{ kind: 'settings', name: 'team/api', settings }] });
      delta({ documents: [{ kind: 'settings', name: 'team', settings }] });
      delta({ documentsRemoved: [{ kind: 'settings', name: 'team/api' }] });
      expect(seen).toEqual(['neg', '/#/io.l5d.marathon/team/api + / = 2']);
      expect(shown(apps.lookup(['team', 'x']))).toBe('neg');
    });

    it('hear of endpoints as patches, and look-ups do not', () => {
      snapshot(1, service('web', 1, 2), service('other', 1));
      const lookup = apps.lookup(['web']);
      const told: string[] = [];
      const changes: AddressChange[] = [];
      lookup.observe(() => told.push('look-up'));
      boundOf(lookup)?.addresses.observe((change) => changes.push(change));
      const added = at('web', 3);
      delta({ patch: [{ service: 'web', set: [added], unset: ['web.1'] }] });
      delta({ patch: [{ service: 'other', set: [at('other', 5)], unset: [] }] });
      expect(changes).toEqual([{ kind: 'patch', set: [added], unset: ['web.1'], size: 2 }]);
      expect(told).toEqual([]);
      expect(shown(lookup)).toBe('/#/io.l5d.marathon/web + / = 2 3');
    });

    it('are read anew when their service went and came back', () => {
      snapshot(1, service('web', 1));
      const lookup = apps.lookup(['web']);
      const changes: AddressChange[] = [];
      lookup.observe(() => undefined);
      boundOf(lookup)?.addresses.observe((change) => changes.push(change));
      delta({ remove: ['web'] });
      delta({ upsert: [service('web', 2)] });
      expect(changes).toEqual([{ kind: 'reset' }, { kind: 'reset' }]);
    });

    it('of one port hear of changed endpoints with that port', () => {
      snapshot(1, service('web', 1));
      const lookup = apps.lookup(['web:admin']);
      const changes: AddressChange[] = [];
      lookup.observe(() => undefined);
      boundOf(lookup)?.addresses.observe((change) => changes.push(change));
      const without = endpoint({ service: 'web', instance: 'web.9', port: 9, ports: [] });
      delta({ patch: [{ service: 'web', set: [at('web', 3), without], unset: [] }] });
      expect(changes).toEqual([{ kind: 'patch', set: [{ ...at('web', 3), port: 4 }], unset: [], size: 2 }]);
    });

    it('are let go of by the last observer', () => {
      snapshot(1, service('web', 1));
      const lookup = apps.lookup(['web', 'a', 'b']);
      const stopLookup = lookup.observe(() => undefined);
      const addresses = boundOf(lookup)?.addresses;
      const stopAddresses = addresses?.observe(() => undefined);
      expect(apps.size).toBe(3);
      stopLookup();
      expect(apps.size).toBe(1);
      const changes: AddressChange[] = [];
      apps.lookup(['web']).observe(() => undefined);
      stopAddresses?.();
      addresses?.observe((change) => changes.push(change));
      delta({ remove: ['web'] });
      expect(changes).toEqual([{ kind: 'reset' }]);
      expect(addresses?.state.kind).toBe('neg');
    });
  });

  it('a change tells only those whom it concerns, among thousands', () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `s${index}`);
    snapshot(1, ...names.map((name) => service(name, 1, 2, 3, 4, 5)));
    let told = 0;
    for (const name of names) {
      for (const suffix of ['a', 'b', 'c']) {
        const lookup = apps.lookup([name, suffix]);
        lookup.observe(() => {
          told += 1;
        });
      }
    }
    delta({ remove: ['s7'] });
    expect(told).toBe(3);
  });
});
