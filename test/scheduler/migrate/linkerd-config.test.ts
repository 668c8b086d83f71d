/** A linkerd.yaml becomes the configuration of a mesh's proxies, which their own validator takes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { expectUsable, movedConfig, told, untold } from './moving.ts';

const DTAB = '/marathonId => /#/io.l5d.marathon; /svc => /$/io.buoyant.http.domainToPathPfx/marathonId;';

/** As a site has it that runs linkerd on every agent, from proxy to proxy. */
const LINKER_TO_LINKER = `
admin: { ip: 0.0.0.0, port: 9991 }
namers:
  - kind: io.l5d.marathon
    host: leader.mesos
    port: 443
    uriPrefix: /marathon
    ttlMs: 3000
    tls: { commonName: master.mesos, trustCerts: [/mnt/mesos/sandbox/.ssl/ca.crt] }
routers:
  - protocol: http
    label: in
    servers: [{ port: 5141, ip: 0.0.0.0 }]
    dtab: ${DTAB}
    interpreter: { kind: default, transformers: [{ kind: io.l5d.localhost }] }
  - protocol: http
    label: out
    servers: [{ port: 5140, ip: 0.0.0.0, maxConcurrentRequests: 900 }]
    dtab: ${DTAB}
    interpreter: { kind: default, transformers: [{ kind: io.l5d.port, port: 5141 }] }
    client:
      kind: io.l5d.static
      configs:
        - prefix: /%/io.l5d.port/5141/#/io.l5d.marathon/web
          failureAccrual: { kind: io.l5d.consecutiveFailures, failures: 7 }
          tls: { commonName: mesh }
    service: { totalTimeoutMs: 4000 }
usage: { orgId: site }
`;

describe('two routers from proxy to proxy', () => {
  const migration = movedConfig(LINKER_TO_LINKER);

  it('are the two routers of a mesh, whichever stands first', () => {
    expect(migration.options).toMatchObject({
      proxies: { admin_port: 9991, outgoing_port: 5140, incoming_port: 5141 },
      discovery: { marathons: ['https://master.mesos:443/marathon'] },
      tls: { ca_file: '.ssl/ca.crt' },
    });
    expect(parse(migration.config ?? '')).toEqual({
      routers: [
        {
          label: 'outgoing',
          servers: [{ maxConcurrentRequests: 900 }],
          client: {
            kind: 'io.l5d.static',
            configs: [
              { prefix: '/#/io.l5d.marathon/web', failureAccrual: { kind: 'io.l5d.consecutiveFailures', failures: 7 } },
            ],
          },
          service: { totalTimeoutMs: 4000 },
        },
      ],
    });
    expect(migration.dtabs).toEqual([]);
    expectUsable(migration);
  });

  it('what a mesh does by itself is told, and what it does not do', () => {
    expect(told(migration, 'config.routers[1].interpreter.transformers[0]')).toEqual([
      'changed config.routers[1].interpreter.transformers[0] → proxies.incoming_port',
    ]);
    expect(told(migration, 'config.routers[1].client.configs[0].tls')).toEqual([
      'left-out config.routers[1].client.configs[0].tls',
    ]);
    expect(told(migration, 'config.namers[0].ttlMs')).toEqual(['left-out config.namers[0].ttlMs']);
    expect(untold(parse(LINKER_TO_LINKER), 'config', migration.findings)).toEqual([]);
  });
});

describe('dtabs', () => {
  const router = (label: string, port: number, dtab: string): string =>
    `  - { protocol: http, label: ${label}, servers: [{ port: ${port} }], dtab: '${dtab}' }\n`;

  it('the one of the outgoing router is the namespace default, another router has one of its own', () => {
    const migration = movedConfig(
      `routers:\n${router('proxy', 4140, `${DTAB} /svc/old => /#/io.l5d.marathon/new`)}${router('external', 4242, '/svc/* => /#/io.l5d.marathon/webapp')}`,
    );
    expect(migration.dtabs.map(({ namespace }) => namespace)).toEqual(['default', 'external']);
    const [ofAll, ofExternal] = migration.dtabs;
    expect(ofAll?.text).toMatch(
      /^\/marathonId => \/#\/io\.l5d\.marathon ;\n.*mesos-dns(.|\n)*\n\/svc\/old => \/#\/io\.l5d\.marathon\/new ;\n$/,
    );
    expect(ofExternal?.text).toBe('/svc/* => /#/io.l5d.marathon/webapp ;\n');
    expect(parse(migration.config ?? '')).toEqual({
      routers: [
        {
          label: 'external',
          servers: [{ port: 4242 }],
          interpreter: { kind: 'io.nodemesh.scheduler', namespace: 'external' },
        },
      ],
    });
    expectUsable(migration);
  });

  it('a namer that there is not is told, also one that was left out', () => {
    const migration = movedConfig(
      `namers: [{ kind: io.l5d.consul }]\nrouters:\n${router('http', 4140, '/svc => /#/io.l5d.consul/dc1')}`,
    );
    expect(told(migration, 'config.namers')).toEqual(['left-out config.namers[0]']);
    expect(told(migration, 'config.routers[0].dtab (/#/io.l5d.consul/dc1)')).toHaveLength(1);
    expectUsable(migration);
  });

  it('two Marathons keep apart, and the first has the bare names', () => {
    const migration = movedConfig(`
namers:
  - { kind: io.l5d.marathon, prefix: /eu, host: eu.example.com, port: 8080 }
  - { kind: io.l5d.marathon, prefix: /us, host: us.example.com, port: 8080 }
routers:
${router('http', 4140, '/svc => /#/eu | /#/us')}`);
    expect(migration.options['discovery']).toEqual({
      marathons: ['http://eu.example.com:8080', 'us=http://us.example.com:8080'],
    });
    expect(migration.dtabs[0]?.text).toContain('/svc => /#/io.l5d.marathon | /#/us ;');
    expectUsable(migration);
  });

  it('one that cannot be read is told with its place in it', () => {
    const migration = movedConfig(`routers:\n${router('http', 4140, '/svc => ')}`);
    expect(told(migration, 'config.routers[0].dtab')).toEqual(['not-understood config.routers[0].dtab']);
    expect(migration.findings.find(({ place }) => place.endsWith('dtab'))?.why).toMatch(/line 1, column/);
  });
});

it('a namerd is the scheduler, by its namespace', () => {
  const migration = movedConfig(`
routers:
  - protocol: http
    dtab: /svc => /blue
    interpreter: { kind: io.l5d.namerd, dst: /$/inet/namerd/4100, namespace: blue, retry: { baseSeconds: 1 } }
`);
  expect(parse(migration.config ?? '')).toEqual({
    routers: [
      {
        label: 'outgoing',
        interpreter: { kind: 'io.nodemesh.scheduler', namespace: 'blue' },
        dtab: '/svc => /blue',
      },
    ],
  });
  expect(told(migration, 'config.routers[0].interpreter')).toContain('left-out config.routers[0].interpreter.dst');
  expectUsable(migration);
});

it('listeners of linkerd keep their ports, and those that it did not have get others', () => {
  const migration = movedConfig(`
routers:
  - { protocol: http, label: a, servers: [{ port: 4140 }] }
  - { protocol: http, label: b, servers: [{ port: 4141 }, { port: 4143 }] }
`);
  expect(migration.options['proxies']).toEqual({ outgoing_port: 4140, incoming_port: 4144, edge_port: 4145 });
  expectUsable(migration);
});

it('what the proxies do not take is left out with their own reason, and the rest stays', () => {
  const migration = movedConfig(`
routers:
  - protocol: http
    servers: [{ port: 4140, tls: { certPath: /c, keyPath: /k } }]
    identifier: [{ kind: io.l5d.ingress }, { kind: io.l5d.path, segments: 2 }]
    maxHeadersKB: 16
    streamingEnabled: true
  - protocol: h2
telemetry: [{ kind: io.l5d.influxdb }, { kind: io.l5d.prometheus }]
colour: blue
`);
  expect(parse(migration.config ?? '')).toEqual({
    routers: [
      { label: 'outgoing', servers: [{}], identifier: [{ kind: 'io.l5d.path', segments: 2 }], maxHeadersKB: 16 },
    ],
    telemetry: [{ kind: 'io.l5d.prometheus' }],
  });
  const reasons = migration.findings
    .filter(({ verdict }) => verdict === 'left-out')
    .map(({ place, why }) => `${place}: ${why}`);
  expect(reasons).toEqual(
    expect.arrayContaining([
      'config.routers[0].servers[0].tls: server TLS is not supported yet',
      'config.routers[1]: the protocol h2 is not supported yet',
      'config.telemetry[0]: io.l5d.influxdb is not supported yet',
      'config.routers[0].streamingEnabled: has no effect: bodies of any length are streamed',
    ]),
  );
  expect(told(migration, 'config.colour')).toEqual(['not-understood config.colour']);
  expectUsable(migration);
});

it('secrets are not printed', () => {
  const migration = movedConfig(
    'routers: [{ protocol: http }]\nnamers: [{ kind: io.l5d.consul, token: s3cret }]\ntoken: s3cret',
  );
  expect(JSON.stringify(migration.findings)).not.toContain('s3cret');
});

it.each(['', 'a: [', '- 1', 'routers: 5', 'routers: [5]', 'admin: 1\nrouters: [{protocol: http}]'])(
  '%j is told of',
  (text) => {
    const migration = movedConfig(text);
    expect(migration.findings.some(({ verdict }) => verdict === 'not-understood')).toBe(true);
    expectUsable(migration);
  },
);

const EXAMPLES = resolve(import.meta.dirname, '../../../../shared/fixtures/linkerd-configs');
describe.runIf(existsSync(EXAMPLES))('examples of linkerd (not run: no ../shared, where absent)', () => {
  const files = existsSync(EXAMPLES) ? readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml')) : [];
  it.each(files)('%s', (name) => {
    const text = readFileSync(join(EXAMPLES, name), 'utf8');
    const migration = movedConfig(text);
    expect(untold(parse(text), 'config', migration.findings)).toEqual([]);
    expectUsable(migration);
  });
});

it('whatever is in it is told of, and what comes of it is taken', () => {
  const scalar = fc.oneof(
    fc.integer({ min: -1, max: 70_000 }),
    fc.boolean(),
    fc.constantFrom('x', '/a', '0.0.0.0', 'io.l5d.static'),
  );
  const word = fc.stringMatching(/^[a-z][a-zA-Z]{0,9}$/);
  const block = fc.dictionary(word, scalar, { maxKeys: 3 });
  const some = <T>(record: Record<string, fc.Arbitrary<T>>) => fc.record(record, { requiredKeys: [] });
  const router = some<unknown>({
    protocol: fc.constantFrom('http', 'http', 'http', 'h2'),
    label: fc.constantFrom('outgoing', 'incoming', 'edge', 'x y', 'http', 5),
    servers: fc.array(
      some<unknown>({
        port: fc.constantFrom(4140, 4141, 4143, 0, 'x'),
        ip: fc.constantFrom('0.0.0.0', '127.0.0.1', 'no'),
        odd: scalar,
      }),
      { maxLength: 2 },
    ),
    dtab: fc.constantFrom(DTAB, '/svc => /#/io.l5d.marathon', '/svc =>', '/svc => /#/odd/x', 5),
    interpreter: some<unknown>({
      kind: fc.constantFrom('default', 'io.l5d.namerd', 'io.l5d.mesh', 'io.l5d.fs', 'odd'),
      transformers: fc.array(
        fc.constantFrom({ kind: 'io.l5d.port', port: 4141 }, { kind: 'io.l5d.localhost' }, { kind: 'odd' }, 5),
        { maxLength: 2 },
      ),
      namespace: fc.constantFrom('blue', 'default'),
    }),
    client: fc.oneof(
      block,
      some<unknown>({
        kind: fc.constant('io.l5d.static'),
        configs: fc.array(
          some<unknown>({
            prefix: fc.constantFrom('/', '/%/io.l5d.port/4141/#/x', 5),
            tls: block,
            failFast: fc.boolean(),
          }),
          { maxLength: 2 },
        ),
      }),
    ),
    service: block,
    identifier: fc.oneof(block, fc.array(block, { maxLength: 2 })),
    extra: block,
  });
  const document = some<unknown>({
    admin: fc.oneof(block, fc.record({ port: fc.constantFrom(9990, 4140, -1), ip: fc.constant('::') })),
    routers: fc.oneof(fc.array(fc.oneof({ weight: 9, arbitrary: router }, scalar), { maxLength: 4 }), scalar),
    namers: fc.array(
      fc.oneof(
        block,
        some<unknown>({
          kind: fc.constantFrom('io.l5d.marathon', 'io.l5d.fs', 'io.l5d.consul'),
          prefix: fc.constantFrom('/a', '/a/b', '/io.l5d.marathon'),
          host: fc.constantFrom('m', 'm.example.com'),
          tls: block,
          rootDir: fc.constant('/x'),
        }),
      ),
      { maxLength: 3 },
    ),
    telemetry: fc.array(block, { maxLength: 2 }),
    usage: block,
    extra: scalar,
  });
  fc.assert(
    fc.property(document, (config) => {
      const migration = movedConfig(JSON.stringify(config));
      expect(untold(config, 'config', migration.findings)).toEqual([]);
      expectUsable(migration);
    }),
    { numRuns: 20 },
  );
});
