/** How a host becomes an app, by the default namespace and what the scheduler's table says: the whole of it, bound. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { MeshDocument, Service, ServiceSettings } from '../../../../agent-proxy/control/contract.ts';
import { makeInterpreter } from '../../../../agent-proxy/interpreter/make-interpreter.ts';
import { DirectoryWatches } from '../../../../agent-proxy/namers/directory-watches.ts';
import type { Activity } from '../../../../agent-proxy/routing/activity.ts';
import type { Interpreter } from '../../../../agent-proxy/routing/binding.ts';
import { readDtab } from '../../../../agent-proxy/routing/dtab.ts';
import type { BoundTree } from '../../../../agent-proxy/routing/evaluation.ts';
import { readPath, showPath } from '../../../../agent-proxy/routing/path.ts';
import { ServiceTable, type TableFrame } from '../../../../agent-proxy/routing/service-table.ts';
import { ambiguousNames } from '../../../../agent-proxy/routing/table-names/ambiguous-names.ts';
import { DEFAULT_NAMESPACE } from '../../../../agent-proxy/routing/table-names/namespace.ts';
import { type TableNamers, tableNamers } from '../../../../agent-proxy/routing/table-names/table-namers.ts';
import { endpoint, snapshotFrames } from '../../../fixtures/control-stream.ts';
import { standInInet } from '../stand-in-namer.ts';

function app(name: string): Service {
  const ports = [
    { name: 'http', port: 8_000 },
    { name: 'admin', port: 8_001 },
  ];
  return { name, endpoints: [endpoint({ service: name, instance: `${name}.1`, port: 8_000, ports })] };
}

function settings(name: string, ...vips: string[]): MeshDocument {
  const parsed = vips.map((text) => {
    const [, vip = '', vipPort = '', port = 'http'] = /^(.*):(\d+)(?: to (.*))?$/.exec(text) ?? [];
    return { vip, vipPort: Number(vipPort), port };
  });
  const nothing: ServiceSettings = { off: false, vips: [], exposed: [], policies: [], slowStartMs: 0 };
  return { kind: 'settings', name, settings: { ...nothing, vips: parsed } };
}

function dtabDocument(dtab: string, version = '1', name = 'default'): MeshDocument {
  return { kind: 'dtab', name, version, dtab };
}

function shown({ state }: Activity<BoundTree>): string {
  if (state.kind === 'failed') return `failed: ${state.reason}`;
  if (state.kind !== 'ok') return state.kind;
  if (state.value.kind !== 'leaf') return state.value.kind;
  const { id, residual } = state.value.value;
  return residual.length === 0 ? showPath(id) : `${showPath(id)} + ${showPath(residual)}`;
}

let table: ServiceTable;
let names: TableNamers;
let warnings: string[];
let revision: number;

beforeEach(() => {
  table = new ServiceTable();
  names = tableNamers(table);
  warnings = [];
  revision = 0;
});

function snapshot(services: readonly string[], documents: readonly MeshDocument[] = []): void {
  revision += 1;
  for (const frame of snapshotFrames(1, revision, services.map(app), [], documents)) table.apply(frame as TableFrame);
}

function delta(given: Partial<Extract<TableFrame, { type: 'delta' }>>): void {
  const none = {
    upsert: [],
    remove: [],
    patch: [],
    agents: [],
    agentsRemoved: [],
    documents: [],
    documentsRemoved: [],
  };
  const base = revision;
  revision += 1;
  expect(table.apply({ type: 'delta', epoch: 1, base, revision, ...none, ...given }).kind).toBe('applied');
}

function interpreter(namespace = 'default'): Interpreter {
  return makeInterpreter(
    { kind: 'io.nodemesh.scheduler', namespace, transformers: [] },
    {
      namers: [],
      scheduler: { table, namers: names.namers },
      inet: standInInet,
      transformers: [],
      watches: new DirectoryWatches(),
      localMayNameAddresses: false,
      warn: (message) => warnings.push(message),
    },
  );
}

function bind(name: string, { router = '', local = '' } = {}): Activity<BoundTree> {
  const bound = interpreter().bind(readDtab(router), readDtab(local), readPath(name));
  bound.observe(() => undefined);
  return bound;
}

const host = (name: string, dtabs: { router?: string; local?: string } = {}) =>
  shown(bind(showPath(['svc', name]), dtabs));

describe('a host', () => {
  it.each([
    ['web', '/#/io.l5d.marathon/web'],
    ['WEB', '/#/io.l5d.marathon/web'],
    ['web.:4140', '/#/io.l5d.marathon/web'],
    ['web.marathon.mesos', '/#/io.l5d.marathon/web'],
    ['Web.Marathon.Mesos.:80', '/#/io.l5d.marathon/web'],
    ['api.team', '/#/io.l5d.marathon/team/api'],
    ['api.team.marathon.mesos', '/#/io.l5d.marathon/team/api'],
    ['api-team.marathon.mesos', '/#/io.l5d.marathon/team/api'],
    ['API-TEAM.marathon.mesos:8080', '/#/io.l5d.marathon/team/api'],
    ['api-v1-2.marathon.mesos', '/#/io.l5d.marathon/v1.2/api'],
    ['both-x.marathon.mesos', '/#/io.l5d.marathon/both-x'],
    ['shop.marathon.l4lb.thisdcos.directory', '/#/io.l5d.marathon/team/api'],
    ['SHOP.marathon.l4lb.thisdcos.directory.:80', '/#/io.l5d.marathon/team/api'],
    ['ops.marathon.l4lb.thisdcos.directory', '/#/io.l5d.marathon/team/api:admin'],
    ['two.names.marathon.l4lb.thisdcos.directory', '/#/io.l5d.marathon/web'],
    // An app's name is taken where there is no such address.
    ['web.marathon.l4lb.thisdcos.directory', '/#/io.l5d.marathon/web'],
    // What stands before a known name is left over, as linkerd has it.
    ['x.web', '/#/io.l5d.marathon/web + /x'],
    ['api-team', 'neg'],
    ['team.api', 'neg'],
    ['nothing.marathon.mesos', 'neg'],
    ['nothing.marathon.l4lb.thisdcos.directory', 'neg'],
    ['web.example.org', 'neg'],
    ['127.0.0.1:4140', 'neg'],
    ['[::1]:4140', 'neg'],
    ['#io.nodemesh.mesos', 'neg'],
    ['web-x.marathon.mesos', 'neg'],
  ])('%s means %s', (name, expected) => {
    snapshot(
      ['web', 'team/api', 'v1.2/api', 'both-x', 'x/both', '#x/web'],
      [settings('team/api', 'shop:80', 'shop:443 to admin', 'ops:9000 to admin'), settings('web', 'names/two:80')],
    );
    expect(host(name)).toBe(expected);
  });

  it('is pending until there is a table', () => {
    const bound = bind('/svc/web.marathon.mesos');
    expect(shown(bound)).toBe('pending');
    snapshot(['web']);
    expect(shown(bound)).toBe('/#/io.l5d.marathon/web');
  });

  it('of a long id is cut as Mesos-DNS cuts it', () => {
    const long = `${'a'.repeat(61)}/b`;
    snapshot([long, `c/${'d'.repeat(62)}`]);
    expect(host(`b-${'a'.repeat(61)}.marathon.mesos`)).toBe(`/#/io.l5d.marathon/${long}`);
    expect(host(`${'d'.repeat(62)}.marathon.mesos`)).toBe(`/#/io.l5d.marathon/c/${'d'.repeat(62)}`);
  });

  it('follows the apps and labels that come and go, and no other look-up is told', () => {
    snapshot(['web']);
    const dns = bind('/svc/api-team.marathon.mesos');
    const vip = bind('/svc/shop.marathon.l4lb.thisdcos.directory');
    const [seenDns, seenVip]: [string[], string[]] = [[], []];
    dns.observe(() => seenDns.push(shown(dns)));
    vip.observe(() => seenVip.push(shown(vip)));
    delta({ upsert: [app('team/api')] });
    delta({ documents: [settings('team/api', 'shop:80')] });
    delta({ documents: [settings('team/api', 'shop:80 to admin')] });
    delta({ documents: [settings('web', 'unrelated:80')] });
    delta({ remove: ['team/api'], documentsRemoved: [{ kind: 'settings', name: 'team/api' }] });
    expect(seenDns).toEqual(['/#/io.l5d.marathon/team/api', 'neg']);
    expect(seenVip).toEqual(['/#/io.l5d.marathon/team/api', '/#/io.l5d.marathon/team/api:admin', 'neg']);
  });
});

describe('an override of an app holds for every spelling of its name', () => {
  const spellings = ['api.team', 'API.team.', 'api.team.marathon.mesos', 'api-team.marathon.mesos:80'];

  it.each([...spellings, 'shop.marathon.l4lb.thisdcos.directory:80'])('%s', (name) => {
    snapshot(['web', 'team/api'], [settings('team/api', 'shop:80')]);
    expect(host(name, { local: '/marathonId/team/api => /#/io.l5d.marathon/web' })).toBe('/#/io.l5d.marathon/web');
  });
});

describe('the namespace', () => {
  it("overrides the router's dtab, and the request's overrides both", () => {
    snapshot(['web', 'gen', 'gen-growthhack']);
    expect(host('web', { router: '/svc => /#/io.l5d.marathon/gen' })).toBe('/#/io.l5d.marathon/web');
    expect(shown(bind('/other', { router: '/other => /marathonId/gen' }))).toBe('/#/io.l5d.marathon/gen');
    expect(host('gen', { local: '/marathonId/gen => /#/io.l5d.marathon/gen-growthhack' })).toBe(
      '/#/io.l5d.marathon/gen-growthhack',
    );
  });

  it('has its own text while the scheduler tells none, then that of the scheduler, from the next change on', () => {
    snapshot(['web', 'gen']);
    const bound = bind('/svc/gen');
    const seen: string[] = [];
    bound.observe(() => seen.push(shown(bound)));
    delta({ documents: [dtabDocument(DEFAULT_NAMESPACE.dtab)] });
    delta({ documents: [dtabDocument(`${DEFAULT_NAMESPACE.dtab} ; /marathonId/gen => /#/io.l5d.marathon/web`, '2')] });
    delta({ documents: [dtabDocument('/svc => /$/nil', '1', 'another')] });
    delta({ documentsRemoved: [{ kind: 'dtab', name: 'default' }] });
    expect(seen).toEqual(['/#/io.l5d.marathon/web', '/#/io.l5d.marathon/gen']);
  });

  it('stays in force where a later text cannot be read', () => {
    snapshot(['web', 'gen'], [dtabDocument('/svc => /#/io.l5d.marathon')]);
    const bound = bind('/svc/web');
    delta({ documents: [dtabDocument('/svc => ???', '7')] });
    expect(shown(bound)).toBe('/#/io.l5d.marathon/web');
    expect(warnings).toEqual([
      expect.stringMatching(/^dtab namespace 'default', version 7: line 1, column 9: .*; the dtab before it stays/),
    ]);
  });

  it('of another name is that of the scheduler, or fails by name', () => {
    snapshot(['web'], [dtabDocument('/web => /#/io.l5d.marathon/web', '1', 'blue')]);
    const of = (namespace: string) => {
      const bound = interpreter(namespace).bind([], [], ['web']);
      bound.observe(() => undefined);
      return shown(bound);
    };
    expect(of('blue')).toBe('/#/io.l5d.marathon/web');
    expect(of('green')).toBe("failed: the scheduler has no dtab namespace 'green'");
  });
});

describe('of several that claim a name', () => {
  it('an exact id has it, then the shorter, then the first of the alphabet; all are listed', () => {
    snapshot(['c-a/b', 'a/b-c', 'b/c/x', 'x-c-b', 'web', 'other']);
    expect(host('b-c-a.marathon.mesos')).toBe('/#/io.l5d.marathon/a/b-c');
    expect(host('x-c-b.marathon.mesos')).toBe('/#/io.l5d.marathon/x-c-b');
    expect(ambiguousNames(table)).toEqual([
      { kind: 'mesos-dns', name: 'b-c-a', services: ['a/b-c', 'c-a/b'] },
      { kind: 'mesos-dns', name: 'x-c-b', services: ['x-c-b', 'b/c/x'] },
    ]);
  });

  it('is independent of the order in which they came', () => {
    snapshot(['c-a/b']);
    const bound = bind('/svc/b-c-a.marathon.mesos');
    expect(shown(bound)).toBe('/#/io.l5d.marathon/c-a/b');
    delta({ upsert: [app('a/b-c')] });
    expect(shown(bound)).toBe('/#/io.l5d.marathon/a/b-c');
    delta({ remove: ['a/b-c'] });
    expect(shown(bound)).toBe('/#/io.l5d.marathon/c-a/b');
  });

  it('HTTP’s port goes before others, then the exact id; only rivals for one address are listed', () => {
    snapshot(
      ['web', 'a', 'b'],
      [settings('web', 'web:8080'), settings('a', 'web:80', 'x:1'), settings('b', 'web:80', 'web:8080', 'x:2')],
    );
    expect(host('web.marathon.l4lb.thisdcos.directory:8080')).toBe('/#/io.l5d.marathon/a');
    expect(shown(bind('/#/io.nodemesh.vip/web:8080/rest'))).toBe('/#/io.l5d.marathon/web + /rest');
    expect(shown(bind('/#/io.nodemesh.vip/web:9'))).toBe('neg');
    expect(host('x.marathon.l4lb.thisdcos.directory')).toBe('/#/io.l5d.marathon/a');
    expect(ambiguousNames(table)).toEqual([
      { kind: 'vip', name: 'web:80', services: ['a', 'b'] },
      { kind: 'vip', name: 'web:8080', services: ['web', 'b'] },
    ]);
  });
});

it('look-ups that nobody observes any more are forgotten', () => {
  snapshot(['team/api'], [settings('team/api', 'shop:80')]);
  const paths = ['/#/io.nodemesh.mesos-dns/api-team', '/#/io.nodemesh.vip/shop/a/b'];
  const stops = paths.map((path) =>
    interpreter()
      .bind([], [], readPath(path))
      .observe(() => undefined),
  );
  const sizes = () => names.namers.map((namer) => ('size' in namer ? namer.size : null));
  expect(sizes()).toEqual([0, 4, 1, 3]);
  for (const stop of stops) stop();
  expect(sizes()).toEqual([0, 0, 0, 0]);
});
