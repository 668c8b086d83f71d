import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { checkConfig, loadConfig, parseConfig } from '../../../agent-proxy/config/load.ts';

const everything = join(import.meta.dirname, 'fixtures/everything.yaml');

function routerOf(block: string) {
  const { config } = parseConfig(`routers:\n- protocol: http\n${block}`, 'linkerd.yaml');
  const [router] = config.routers;
  if (router === undefined) throw new Error('no router');
  return router;
}

describe('a configuration that is right', () => {
  it('is plain JSON with every default in place, and is read back as the same', () => {
    const { config } = loadConfig(everything);
    const json = JSON.stringify(config);
    expect(JSON.parse(json)).toEqual(config);
    expect(parseConfig(json, 'again').config).toEqual(config);
    expect(parseConfig(stringify(config), 'again').config).toEqual(config);
  });

  it('means the same as YAML and as JSON', () => {
    const { config } = loadConfig(everything);
    const document: unknown = JSON.parse(JSON.stringify(config));
    expect(parseConfig(`\n\t${JSON.stringify(document, null, '\t')}`, 'json').config).toEqual(config);
    expect(checkConfig(document, 'control stream').config).toEqual(config);
  });

  it('warns once of each key that has no effect, and of the port of Scribe', () => {
    const lines = loadConfig(everything).warnings.map((line) => line.replace(/(has no effect|port of Scribe).*/, '$1'));
    expect(lines.toSorted()).toEqual([
      'admin.workerThreads: has no effect',
      'routers[0].servers[0].socketOptions.reusePort: has no effect',
      'routers[0].streamAfterContentLengthKB: has no effect',
      'telemetry[1].experimental: has no effect',
      'telemetry[4].port: 9410 is the port of Scribe',
      'usage: has no effect',
    ]);
  });

  it('says nothing where there is nothing to say', () => {
    expect(parseConfig('routers: [{protocol: http}]', 'linkerd.yaml').warnings).toEqual([]);
  });

  it('names files, directories and hosts that are not there without looking for them', () => {
    expect(readFileSync(everything, 'utf8')).toContain('/not/there');
    expect(loadConfig(everything).config.namers).toHaveLength(3);
  });
});

describe('values are read as linkerd reads them', () => {
  it.each([
    ['127.1', '127.0.0.1'],
    ['10.1', '10.0.0.1'],
    ['10.10', '10.0.0.10'],
    ['"127.0.1"', '127.0.0.1'],
    ['localhost', '127.0.0.1'],
    ['"::1"', '::1'],
  ])('the address %s is %s', (written, address) => {
    expect(routerOf(`  servers: [{ip: ${written}, port: "4144"}]`).servers).toMatchObject([
      { ip: address, port: 4144 },
    ]);
  });

  it('a key without a value is a key that is not there', () => {
    const router = routerOf('  dtab:\n  client:\n  service:\n  identifier:\n  label:\n  servers:\n');
    expect(router).toEqual(routerOf(''));
  });

  it('but null as a limit means none', () => {
    expect(routerOf('  nodemesh: {maxRetries: null}').nodemesh.maxRetries).toBeNull();
    expect(
      routerOf('  servers: [{serverSession: {idleTimeMs: null}}]').servers[0]?.serverSession.idleTimeMs,
    ).toBeNull();
  });

  it('one identifier is a list of one', () => {
    expect(routerOf('  identifier: {kind: io.l5d.path, segments: 2}').identifier).toEqual([
      { kind: 'io.l5d.path', segments: 2, consume: false },
    ]);
  });

  it('the prefix of a namer may begin with a slash or not', () => {
    const text = (prefix: string) =>
      `namers: [{kind: io.l5d.fs, rootDir: a, prefix: ${prefix}}]\nrouters: [{protocol: http}]`;
    for (const prefix of ['disco', '/disco']) {
      expect(parseConfig(text(prefix), 'linkerd.yaml').config.namers).toMatchObject([{ prefix: '/disco' }]);
    }
  });

  it('empty lists of announcers and authorizers ask for nothing', () => {
    expect(routerOf('  announcers: []\n  client: {requestAuthorizers: []}\n  servers: [{announce: []}]')).toEqual(
      routerOf(''),
    );
  });
});

describe('defaults', () => {
  it('are bounded where those of linkerd are not', () => {
    expect(routerOf('')).toMatchObject({
      label: 'http',
      dstPrefix: '/svc',
      identifier: [{ kind: 'io.l5d.header.token', header: 'Host' }],
      interpreter: { kind: 'default' },
      compressionLevel: 0,
      servers: [{ ip: '127.0.0.1', port: 4140, maxCallDepth: 20, serverSession: { idleTimeMs: 60_000 } }],
      nodemesh: { linkerdCompat: false, maxRetries: 2, enforceDeadlines: true, upgrades: [], connect: false },
    });
  });

  it('are those of linkerd with linkerdCompat, but for what is written', () => {
    expect(routerOf('  nodemesh: {linkerdCompat: true}')).toMatchObject({
      compressionLevel: -1,
      servers: [{ maxCallDepth: 1000, serverSession: { idleTimeMs: null }, nodemesh: { headTimeoutMs: null } }],
      nodemesh: {
        linkerdCompat: true,
        maxRetries: null,
        retryAtEachHop: true,
        enforceDeadlines: false,
        shedding: { maxPendingRequests: null, maxLoopDelayMs: null },
      },
    });
    expect(routerOf('  compressionLevel: 0\n  nodemesh: {linkerdCompat: true, maxRetries: 3}')).toMatchObject({
      compressionLevel: 0,
      nodemesh: { maxRetries: 3 },
    });
  });

  it('of the Marathon namer are those of linkerd where all routers are', () => {
    const namerOf = (second: boolean) =>
      checkConfig(
        {
          namers: [{ kind: 'io.l5d.marathon' }],
          routers: [
            { protocol: 'http', nodemesh: { linkerdCompat: true } },
            { protocol: 'http', label: 'b', servers: [{ port: 0 }], nodemesh: { linkerdCompat: second } },
          ],
        },
        'test',
      ).config.namers;
    expect(namerOf(true)).toMatchObject([{ nodemesh: { shortestPrefix: true } }]);
    expect(namerOf(false)).toMatchObject([{ nodemesh: { shortestPrefix: false } }]);
  });
});

it('listeners on port 0, or on two addresses, do not meet', () => {
  const servers = '[{port: 0}, {port: 0}, {ip: 127.0.0.1, port: 1}, {ip: 127.0.0.2, port: 1}]';
  expect(routerOf(`  servers: ${servers}`).servers).toHaveLength(4);
});
