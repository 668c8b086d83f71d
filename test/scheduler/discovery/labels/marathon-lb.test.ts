/** The labels of marathon-lb, and VIPs: the cases of its own suite that concern us. */
import { describe, expect, it } from 'vitest';
import { portFactsOf } from '../../../../agent-proxy/routing/marathon-ports.ts';
import { settingsOf } from '../../../../scheduler/discovery/labels/settings.ts';

const PORTS = { portDefinitions: [{ name: 'http' }, { name: 'admin' }] };

function read(labels: Record<string, string>, edge: readonly string[] = ['external'], document: object = PORTS) {
  return settingsOf({ labels, ...portFactsOf(document) }, edge);
}

const places = (labels: Record<string, string>, edge?: readonly string[]) =>
  read(labels, edge).settings.exposed.map(({ host, path, port }) => `${port} ${host}${path}`);

const VHOSTS = { HAPROXY_0_VHOST: 'a.b', HAPROXY_1_VHOST: 'c.d' };

describe('the groups of an app', () => {
  it('hide what names none where a group is asked for (P43)', () => {
    expect(places(VHOSTS)).toEqual([]);
    expect(read({ HAPROXY_0_VHOST: 'a.b' }).notes).toEqual([
      {
        label: 'HAPROXY_0_VHOST',
        message: 'is not exposed: it is in no group, and the edge serves external (--edge-groups)',
      },
    ]);
  });

  it('expose what names none where - is asked for, as by default', () => {
    expect(places(VHOSTS, ['external', '-'])).toEqual(['http a.b/', 'admin c.d/']);
    expect(places({ ...VHOSTS, HAPROXY_GROUP: 'internal' }, ['external', '-'])).toEqual([]);
  });

  it('of one port are that port only (P44)', () => {
    expect(places({ ...VHOSTS, HAPROXY_0_GROUP: 'external' }, ['external', '-'])).toEqual(['http a.b/']);
  });

  it('of a port win over those of the app (P45)', () => {
    expect(places({ ...VHOSTS, HAPROXY_GROUP: 'external', HAPROXY_1_GROUP: 'internal' })).toEqual(['http a.b/']);
    expect(places({ ...VHOSTS, HAPROXY_GROUP: 'internal', HAPROXY_1_GROUP: 'shop,external' })).toEqual(['admin c.d/']);
  });

  it('are of no account where all are asked for', () => {
    expect(places({ ...VHOSTS, HAPROXY_1_GROUP: 'internal' }, ['*'])).toEqual(['http a.b/', 'admin c.d/']);
  });

  it('need a host', () => {
    expect(read({ HAPROXY_GROUP: 'external' }).notes).toEqual([
      { label: 'HAPROXY_GROUP', message: 'exposes nothing without a host: add HAPROXY_0_VHOST' },
    ]);
  });
});

describe('hosts and paths', () => {
  const external = { HAPROXY_GROUP: 'external' };

  it('are every host with every path (P51)', () => {
    const labels = { ...external, HAPROXY_0_VHOST: 'a.b, C.d', HAPROXY_0_PATH: '/x /y' };
    expect(places(labels)).toEqual(['http a.b/x', 'http a.b/y', 'http c.d/x', 'http c.d/y']);
  });

  it('know redirects and cookies', () => {
    const labels = { HAPROXY_0_VHOST: 'a.b', HAPROXY_0_REDIRECT_TO_HTTPS: 'true', HAPROXY_0_STICKY: 'true' };
    expect(read({ ...external, ...labels }).settings.exposed).toEqual([
      { host: 'a.b', path: '/', port: 'http', redirectToHttps: true, sticky: true },
    ]);
  });

  it('are not exposed where ENABLED says so, or cannot be read, or a path cannot', () => {
    expect(places({ ...external, ...VHOSTS, HAPROXY_0_ENABLED: 'false' })).toEqual(['admin c.d/']);
    expect(places({ ...external, ...VHOSTS, HAPROXY_0_ENABLED: 'maybe' })).toEqual(['admin c.d/']);
    expect(places({ ...external, ...VHOSTS, HAPROXY_1_PATH: '-i /x' })).toEqual(['http a.b/']);
  });

  it('of a port that is not there are told so (D3)', () => {
    const { settings, notes } = read({ ...external, HAPROXY_2_VHOST: 'a.b', HAPROXY_0_VHOST: 'c.d' });
    expect(settings.exposed).toHaveLength(1);
    expect(notes).toEqual([
      { label: 'HAPROXY_2_VHOST', message: 'the app has no port 2: its ports are 0 to 1; the label is ignored' },
    ]);
  });

  it('count mappings, also where a name is missing', () => {
    const mappings = { container: { portMappings: [{ containerPort: 80 }, { containerPort: 81, name: 'x' }] } };
    expect(read({ ...external, ...VHOSTS }, ['external'], mappings).settings.exposed.map(({ port }) => port)).toEqual([
      'port0',
      'x',
    ]);
  });
});

it('every label of marathon-lb that is not understood is listed, with what to do instead', () => {
  const labels = {
    HAPROXY_0_MODE: 'http',
    HAPROXY_0_BALANCE: 'leastconn',
    HAPROXY_DEPLOYMENT_GROUP: 'web',
    HAPROXY_0_VHOTS: 'a.b',
    HAPROXY_VHOST: 'a.b',
    HAPROXY_0_BACKEND_HTTP_OPTIONS: 'option x',
    HAPROXY_: '',
  };
  expect(Object.fromEntries(read(labels).notes.map(({ label, message }) => [label, message]))).toEqual({
    HAPROXY_0_MODE: expect.stringContaining('without an effect here: what has a host is served as HTTP'),
    HAPROXY_0_BALANCE: expect.stringContaining('use NODEMESH_BALANCER'),
    HAPROXY_DEPLOYMENT_GROUP: expect.stringContaining('nodemesh shift'),
    HAPROXY_0_VHOTS: 'is no label of marathon-lb; did you mean HAPROXY_0_VHOST?',
    HAPROXY_VHOST: expect.stringContaining('HAPROXY_0_VHOST'),
    HAPROXY_0_BACKEND_HTTP_OPTIONS: expect.stringContaining('template'),
    HAPROXY_: expect.stringContaining('not understood'),
  });
});

describe('a VIP', () => {
  const vips = (document: object) => read({}, ['external'], document);

  it('stands on port definitions, mappings and the endpoints of pods', () => {
    const expected = [{ vip: 'web', vipPort: 80, port: 'http' }];
    const port = { name: 'http', labels: { VIP_0: '/web:80' } };
    expect(vips({ portDefinitions: [port] }).settings.vips).toEqual(expected);
    expect(vips({ container: { portMappings: [port] } }).settings.vips).toEqual(expected);
    expect(vips({ container: { docker: { portMappings: [port] } } }).settings.vips).toEqual(expected);
    expect(vips({ containers: [{ endpoints: [{ name: 'x' }] }, { endpoints: [port] }] }).settings.vips).toEqual(
      expected,
    );
  });

  it('may be several of a port, in lower case and without slashes', () => {
    const labels = { VIP_0: '/Team/Web:80', VIP_1: 'web:8080' };
    expect(vips({ portDefinitions: [{ labels }] }).settings.vips).toEqual([
      { vip: 'teamweb', vipPort: 80, port: 'port0' },
      { vip: 'web', vipPort: 8_080, port: 'port0' },
    ]);
  });

  it('that is none is told, and so is one at the app', () => {
    const document = {
      portDefinitions: [{ name: 'http', labels: { VIP_0: '1.2.3.4:80', VIP_1: '/web', VIP_2: 7, x: 'y' } }],
    };
    const { settings, notes } = settingsOf({ labels: { VIP_0: '/web:80' }, ...portFactsOf(document) }, []);
    expect(settings.vips).toEqual([]);
    expect(notes.map(({ label, message }) => `${label} ${message}`)).toEqual([
      'VIP_0 says nothing of an app: it belongs to the labels of a port',
      "VIP_0 of port http: '1.2.3.4:80' is an address, and only names are served here, as /web:80; the label is ignored",
      "VIP_1 of port http: '/web' has no port, as /web:80 has; the label is ignored",
    ]);
  });
});

it('an odd definition has no ports', () => {
  for (const odd of [null, 7, 'x', [], {}, { portDefinitions: null, container: 7, containers: [7], ipAddress: 'x' }]) {
    expect(portFactsOf(odd).configuredAt).toBe(null);
  }
  expect(portFactsOf({ portDefinitions: null, ports: [10_000, 10_001] }).definedPorts.map(({ name }) => name)).toEqual([
    'port0',
    'port1',
  ]);
});
