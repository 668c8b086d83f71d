/** Names of services whose endpoints have not come (scope `bound`): they bind as if these were there, and their addresses wait. */
import { expect, test } from 'vitest';
import type { MeshDocument } from '../../../agent-proxy/control/contract.ts';
import { TableDigest } from '../../../agent-proxy/routing/digest.ts';
import { ExposedApps } from '../../../agent-proxy/routing/exposed-apps.ts';
import type { NamerLeaf } from '../../../agent-proxy/routing/names.ts';
import { ServiceTable, type TableFrame } from '../../../agent-proxy/routing/service-table.ts';
import { TableNamer } from '../../../agent-proxy/routing/table-names/table-namer.ts';
import { vipNamer } from '../../../agent-proxy/routing/table-names/vip.ts';
import { endpoint, snapshotFrames } from '../../fixtures/control-stream.ts';

const SETTINGS: MeshDocument = {
  kind: 'settings',
  name: 'web',
  settings: {
    off: false,
    vips: [
      { vip: '/web', vipPort: 80, port: 'http' },
      { vip: '/web', vipPort: 81, port: 'admin' },
    ],
    exposed: [{ host: 'www.example.com', path: '/', port: 'http', redirectToHttps: false, sticky: false }],
    policies: [],
    slowStartMs: 0,
  },
};
const OUTLINE: MeshDocument = {
  ...{ kind: 'outline', name: 'web', first: 'http' },
  ports: [{ name: 'http' }, { name: 'admin' }],
};

function useTable(): ServiceTable {
  const table = new ServiceTable();
  const services = ['web', 'idle'].map((name) => ({ name, endpoints: [] }));
  for (const frame of snapshotFrames(1, 1, services, [], [SETTINGS, OUTLINE])) table.apply(frame);
  return table;
}

function fill(instances: string[]): TableFrame {
  const endpoints = instances.map((instance) => endpoint({ service: 'web', instance, port: 80 }));
  const digest = new TableDigest();
  digest.setService({ name: 'web', endpoints });
  return {
    ...{ type: 'endpoints', epoch: 1, seq: 1, service: 'web', part: 0, last: true },
    ...{ digest: digest.value(), endpoints },
  };
}

function outline(base: number, isThere: boolean): TableFrame {
  const nothing = { upsert: [], remove: [], patch: [], agents: [], agentsRemoved: [] };
  const documents = isThere ? [OUTLINE] : [];
  const documentsRemoved = isThere ? [] : [{ kind: 'outline' as const, name: 'web' }];
  return { type: 'delta', epoch: 1, base, revision: base + 1, ...nothing, documents, documentsRemoved };
}

function leafOf(value: unknown): NamerLeaf | null {
  const state = value as { kind: string; value: { kind: string; value?: NamerLeaf } };
  return state.kind === 'ok' && state.value.kind === 'leaf' ? (state.value.value ?? null) : null;
}

test('virtual addresses and exposures mean the same ports', () => {
  const table = useTable();
  const vips = vipNamer(table);
  expect(leafOf(vips.lookup(['web']).state)).toEqual({ kind: 'path', path: ['marathonId', 'web'] });
  expect(leafOf(vips.lookup(['web:81']).state)).toEqual({ kind: 'path', path: ['marathonId', 'web:admin'] });
  expect(new ExposedApps(table).find('www.example.com', '/')?.port).toBe(null);
});

test('a name binds before its endpoints are there, waits for them, and is wanted as long as somebody follows it', () => {
  const table = useTable();
  const namer = new TableNamer(table);
  let told = 0;
  const idle = namer.lookup(['idle']);
  const web = namer.lookup(['web']);
  const stops = [idle, web].map((activity) => activity.observe(() => (told += 1)));
  expect(leafOf(idle.state)).toBe(null);
  const leaf = leafOf(web.state);
  if (leaf?.kind !== 'bound') throw new Error('the name is bound');
  const { addresses } = leaf.bound;
  expect([...table.wanted.names()]).toEqual([]);
  const kinds: string[] = [];
  const stop = addresses.observe(({ kind }) => kinds.push(`${kind} ${addresses.state.kind}`));
  expect([...table.wanted.names()]).toEqual(['web']);
  expect(addresses.state.kind).toBe('pending');

  table.apply(fill(['web.1']));
  table.apply(fill(['web.1', 'web.2']));
  expect([kinds, told]).toEqual([['reset bound', 'patch bound'], 0]);
  // The last instance goes, and the outline with it; then there is one again.
  table.apply(fill([]));
  expect([leafOf(web.state), told]).toEqual([null, 1]);
  table.apply(outline(1, false));
  table.apply(outline(2, true));
  expect(leafOf(web.state)).toBe(null);
  table.apply(fill(['web.3']));
  expect([leafOf(web.state)?.kind, told]).toEqual(['bound', 2]);

  for (const each of [stop, ...stops]) each();
  expect([...table.wanted.names()]).toEqual([]);
  table.apply({ type: 'forget', epoch: 1, seq: 2, service: 'web' });
  expect([table.isUnfilled('web'), addresses.state.kind]).toEqual([true, 'pending']);
});
