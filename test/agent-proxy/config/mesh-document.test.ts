/** What a mesh's configuration leaves out is as the defaults say; what is wrong with one is told with its place. */
import { describe, expect, test } from 'vitest';
import type { ProxyConfig } from '../../../agent-proxy/config/load.ts';
import { MESH_ADMIN, meshRouters } from '../../../agent-proxy/config/mesh-config.ts';
import { checkMeshDocument } from '../../../agent-proxy/config/mesh-document.ts';
import type { MeshListen } from '../../../agent-proxy/config/spec.ts';
import { validateMeshConfig } from '../../../agent-proxy/config/validate-mesh.ts';

const LISTEN: MeshListen = {
  ip: '10.0.0.1',
  isFixed: true,
  ports: { outgoing: 4140, incoming: 4141, admin: 9990, edge: null },
};
const PUBLIC: MeshListen = { ...LISTEN, ports: { ...LISTEN.ports, edge: 4143 } };

function configOf(document: unknown, listen = LISTEN): ProxyConfig {
  const checked = checkMeshDocument(document, listen);
  if (checked.kind === 'bad') throw new Error(checked.faults.join('\n'));
  return checked.config;
}

function routerOf(document: unknown, label = 'outgoing', listen = LISTEN) {
  const router = configOf(document, listen).routers.find((one) => one.label === label);
  if (router === undefined) throw new Error(`no router ${label}`);
  return router;
}

describe('layers', () => {
  test('an empty document is the defaults', () => {
    const { admin, routers, namers, telemetry } = configOf({});
    expect(routers).toEqual(meshRouters(LISTEN));
    expect(admin).toMatchObject({ ...MESH_ADMIN, ip: '10.0.0.1', port: 9990 });
    expect([namers, telemetry]).toEqual([[], []]);
  });

  test('the defaults written out in full are the defaults', () => {
    const { routers } = configOf({});
    const again = configOf({
      routers: routers.map(({ servers: _servers, client: _client, service: _service, ...kept }) => kept),
    });
    expect(again.routers).toEqual(routers);
  });

  test('a key of a block changes that key alone', () => {
    const router = routerOf({ routers: [{ label: 'outgoing', nodemesh: { shedding: { maxPendingRequests: 7 } } }] });
    const [before] = meshRouters(LISTEN);
    expect(router).toEqual({
      ...before,
      nodemesh: { ...before?.nodemesh, shedding: { ...before?.nodemesh.shedding, maxPendingRequests: 7 } },
    });
  });

  test.each([
    ['the global form', { requestAttemptTimeoutMs: 20 }, [{ prefix: '/', requestAttemptTimeoutMs: 20 }]],
    [
      'layers',
      { kind: 'io.l5d.static', configs: [{ prefix: '/#/io.l5d.marathon/web', requestAttemptTimeoutMs: 20 }] },
      [{ prefix: '/#/io.l5d.marathon/web', requestAttemptTimeoutMs: 20 }],
    ],
  ])('%s of clients comes after the default layer', (_what, client, layers) => {
    const { configs } = routerOf({ routers: [{ label: 'outgoing', client }] }).client;
    expect(configs).toEqual([{ prefix: '/', requestAttemptTimeoutMs: 60_000 }, ...layers]);
  });

  test('another kind takes the place of a block, and a list that of a list', () => {
    const router = routerOf({
      routers: [{ label: 'outgoing', interpreter: { kind: 'default' }, nodemesh: { upgrades: ['h2c'] } }],
    });
    expect(router.interpreter).toEqual({ kind: 'default', transformers: [] });
    expect(router.nodemesh.upgrades).toEqual(['h2c']);
  });

  test('a router that is left out is as the defaults say, and one that moves is warned of', () => {
    expect(configOf({ routers: [{ label: 'outgoing' }] }).routers.map(({ label }) => label)).toEqual([
      'outgoing',
      'incoming',
    ]);
    const checked = checkMeshDocument({ routers: [{ label: 'incoming', servers: [{ port: 7 }] }] }, LISTEN);
    expect(checked).toMatchObject({ kind: 'ok', warnings: [expect.stringContaining('incoming does not listen')] });
  });

  test('the edge is for nodes that have a port for it', () => {
    const document = { routers: [{ label: 'edge', nodemesh: { maxRetries: 0 } }] };
    const edge = { ...LISTEN, ports: { ...LISTEN.ports, edge: 4143 } };
    const router = routerOf(document, 'edge', edge);
    expect(router).toMatchObject({ dstPrefix: '/marathonId', nodemesh: { maxRetries: 0, localDtab: 'ignore' } });
    expect(router.servers).toMatchObject([{ port: 4143, clearContext: true }]);
    expect(configOf(document).routers.map(({ label }) => label)).toEqual(['outgoing', 'incoming']);
  });

  test('servers have the port of the task unless they name one; their address only where the task lets them', () => {
    const document = {
      routers: [{ label: 'outgoing', servers: [{ maxConcurrentRequests: 9 }, { ip: '10.9.9.9', port: 7 }] }],
    };
    expect(routerOf(document).servers).toMatchObject([
      { ip: '10.0.0.1', port: 4140, maxConcurrentRequests: 9, serverSession: { idleTimeMs: 60_000 } },
      { ip: '10.0.0.1', port: 7, serverSession: { idleTimeMs: 60_000 } },
    ]);
    const free = { ...LISTEN, ip: '0.0.0.0', isFixed: false };
    expect(routerOf(document, 'outgoing', free).servers.map(({ ip }) => ip)).toEqual(['0.0.0.0', '10.9.9.9']);
  });

  test('another router has the defaults of the first, and ports of its own', () => {
    const extra = routerOf(
      { routers: [{ label: 'outgoing' }, { label: 'extra', servers: [{ port: 8000 }] }] },
      'extra',
    );
    expect(extra).toMatchObject({ interpreter: { kind: 'io.nodemesh.scheduler' }, servers: [{ port: 8000 }] });
  });
});

describe('faults', () => {
  test.each([
    [
      'routers:\n- label: outgoing\n  client:\n    requestAttemptTimeoutMs: soon\n',
      'routers[0].client.requestAttemptTimeoutMs',
      4,
      5,
    ],
    ['routers:\n- label: outgoing\n  clinet: {}\n', 'routers[0].clinet', 3, 3],
    ['admin:\n  port: 1\n', 'admin.port', 2, 3],
    ['routers:\n- label: mine\n', 'routers[0].servers', 2, 3],
    ['routers:\n- {}\n', 'routers[0].label', 2, 3],
    ['routers: []\n', 'routers', 1, 1],
    [
      '{"routers": [\n {"label": "outgoing", "servers": [{"port": 4141}]},\n {"label": "incoming"}]}',
      'routers[1].servers[0].port',
      3,
      2,
    ],
    ['routers:\n- label: outgoing\n  label: incoming\n', 'routers[0].label', 3, 3],
  ])('%j: %s at line %i, column %i', (text, path, line, column) => {
    const { errors, effective } = validateMeshConfig(text);
    expect(errors).toEqual([{ path, line, column, message: expect.stringMatching(/./) }]);
    expect(effective).toBeUndefined();
  });

  test('what is neither YAML nor JSON is told with its place', () => {
    const [error] = validateMeshConfig('routers: [\n').errors;
    expect(error).toMatchObject({ path: '', message: expect.stringContaining('neither YAML nor JSON') });
    expect(error?.line).toBeGreaterThan(0);
  });

  test('a text, a list, and what is too long for the control stream', () => {
    expect(validateMeshConfig('hello').errors).toMatchObject([{ path: '', message: 'is not a block of keys' }]);
    expect(validateMeshConfig('[1]').errors).toHaveLength(1);
    const long = JSON.stringify({ routers: [{ label: 'outgoing', dtab: `/a => /${'b'.repeat(60_000)}` }] });
    expect(validateMeshConfig(long).errors).toMatchObject([{ message: expect.stringContaining('can be sent') }]);
  });

  test('an empty text says nothing, and all is well', () => {
    expect(validateMeshConfig('')).toMatchObject({ document: {}, errors: [], warnings: [] });
  });
});

describe('the edge router', () => {
  const document = { routers: [{ label: 'outgoing' }, { label: 'incoming' }, { label: 'edge', bindingTimeoutMs: 7 }] };

  test('is there on public agents, and what is said of it is nothing elsewhere', () => {
    expect(configOf({}, PUBLIC).routers.map(({ label }) => label)).toEqual(['outgoing', 'incoming', 'edge']);
    const edge = routerOf(document, 'edge', PUBLIC);
    expect(edge).toMatchObject({ dstPrefix: '/marathonId', bindingTimeoutMs: 7, nodemesh: { localDtab: 'ignore' } });
    expect(edge.servers).toMatchObject([{ port: 4143, clearContext: true }]);
    expect(configOf(document).routers.map(({ label }) => label)).toEqual(['outgoing', 'incoming']);
    const served = { routers: [{ label: 'edge', servers: [{ maxCallDepth: 9 }] }] };
    expect(configOf(served).routers.map(({ label }) => label)).toEqual(['outgoing', 'incoming']);
    const silent = { routers: [{ label: 'outgoing' }, { label: 'incoming' }] };
    expect(configOf(silent, PUBLIC).routers.at(-1)).toEqual(configOf({}, PUBLIC).routers.at(-1));
  });

  test('names apps by their labels, and believes no client, whatever is written', () => {
    const loose = { servers: [{ clearContext: false }], dstPrefix: '/svc', identifier: { kind: 'io.l5d.path' } };
    const checked = checkMeshDocument({ routers: [{ label: 'edge', ...loose }] }, PUBLIC);
    expect(checked).toEqual({
      kind: 'bad',
      faults: [
        'routers[0].dstPrefix: apps at the edge are named by their labels; leave it out',
        'routers[0].identifier: apps at the edge are named by their labels; leave it out',
        'routers[0].servers[0].clearContext: the edge router believes no client; leave it out',
      ],
    });
    const { routers } = configOf({}, PUBLIC);
    const again = configOf(
      { routers: routers.map(({ servers: _, client: _c, service: _s, ...kept }) => kept) },
      PUBLIC,
    );
    expect(again.routers).toEqual(routers);
  });
});

describe('on a node that serves the outside at its edge alone', () => {
  const INNER: MeshListen = { ...PUBLIC, innerIp: '127.0.0.1' };
  const servers = [{ port: 4140, ip: '0.0.0.0' }, { port: 5140 }];

  test.each([true, false])(
    'no server of another router listens elsewhere, whatever is written (fixed: %s)',
    (isFixed) => {
      const listen = { ...INNER, isFixed };
      const document = {
        routers: [
          { label: 'outgoing', servers },
          { label: 'more', servers: [{ port: 6140, ip: '10.0.0.1' }] },
        ],
      };
      const { admin, routers } = configOf(document, listen);
      const ips = Object.fromEntries(routers.map(({ label, servers }) => [label, servers.map(({ ip }) => ip)]));
      expect({ ...ips, admin: admin.ip }).toEqual({
        outgoing: ['127.0.0.1', '127.0.0.1'],
        more: ['127.0.0.1'],
        incoming: ['127.0.0.1'],
        edge: ['10.0.0.1'],
        admin: '127.0.0.1',
      });
    },
  );
});
