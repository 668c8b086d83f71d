/** A linkerd that runs as an app of Marathon, field by field. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configOfApp } from '../../../scheduler/migrate/app-config.ts';
import { moveApp } from '../../../scheduler/migrate/linkerd-app.ts';
import { expectUsable, moved, renderedWith, told, untold } from './moving.ts';

const CONFIG = {
  admin: { ip: '0.0.0.0', port: 9990 },
  namers: [{ kind: 'io.l5d.marathon', host: 'marathon.mesos', port: 8080 }],
  routers: [
    {
      protocol: 'http',
      label: 'outgoing',
      servers: [{ port: 4140, ip: '0.0.0.0' }],
      dtab: '/marathonId => /#/io.l5d.marathon; /svc => /$/io.buoyant.http.domainToPathPfx/marathonId;',
    },
  ],
};

/** As examples for DC/OS have it: the configuration is in the command, escaped for the shell. */
const APP = {
  id: '/linkerd',
  cmd: `echo "${JSON.stringify(CONFIG).replace(/["$\\]/g, '\\$&')}" | /linkerd/bundle-exec -- -`,
  instances: 7,
  ...{ cpus: 0.25, mem: 256, disk: 0 },
  constraints: [
    ['hostname', 'UNIQUE'],
    ['rack', 'LIKE', 'r[1-3]'],
    ['zone', 'GROUP_BY', '3'],
  ],
  acceptedResourceRoles: ['*', 'slave_public'],
  container: {
    type: 'DOCKER',
    docker: { image: 'buoyantio/linkerd:1.4.6', network: 'HOST', privileged: true },
    volumes: [{ containerPath: '/certs', hostPath: '/etc/certs', mode: 'RO' }],
  },
  env: {
    JVM_HEAP_MAX: '512M',
    COLOUR: 'hunter2',
    DCOS_SERVICE_ACCOUNT_CREDENTIAL: { secret: 'account' },
    MARATHON_HTTP_AUTH_CREDENTIAL: 'aHVudGVyMjpodW50ZXIy',
  },
  secrets: { account: { source: 'linkerd/sa' } },
  portDefinitions: [
    { port: 9990, name: 'admin' },
    { port: 4140, name: 'outgoing', labels: { VIP_0: '/linkerd:4140' } },
    { port: 7777, name: 'odd' },
  ],
  requirePorts: true,
  healthChecks: [{ protocol: 'HTTP', path: '/admin/ping', portIndex: 0 }],
  upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
  labels: { DCOS_PACKAGE_NAME: 'linkerd', DCOS_SERVICE_NAME: 'linkerd', owner: 'team' },
  user: 'root',
  version: '2026-01-01T00:00:00.000Z',
  tasks: [{ id: 'linkerd.1' }],
};

describe('an app with its configuration in the command', () => {
  const migration = moved((draft) => moveApp(APP, null, draft));

  it('becomes options that render, and the default configuration', () => {
    expect(migration.options).toMatchObject({
      proxies: {
        ...{ cpus: 0.25, mem: 256, outgoing_port: 4140, admin_port: 9990, public_agents: true, user: 'root' },
        constraints: ['rack:LIKE:r[1-3]'],
      },
      service: { service_account_secret: 'linkerd/sa' },
      discovery: { marathons: ['http://marathon.mesos:8080'] },
    });
    expect(renderedWith(migration)['env']).toMatchObject({ NODEMESH_CONSTRAINT: 'rack:LIKE:r[1-3]\n' });
    expect(migration.config).toBeNull();
  });

  it('each field is told, and no value of a variable', () => {
    expect(told(migration, 'app.constraints')).toEqual([
      'changed app.constraints[0] → one on every agent',
      'taken app.constraints[1] → proxies.constraints: rack:LIKE:r[1-3]',
      'not-understood app.constraints[2]',
    ]);
    expect(told(migration, 'app.portDefinitions')).toEqual([
      'taken app.portDefinitions[0] → proxies.admin_port',
      'taken app.portDefinitions[1] → proxies.outgoing_port',
      'left-out app.portDefinitions[1].labels',
      'left-out app.portDefinitions[2]',
    ]);
    expect(told(migration, 'app.cmd')).toEqual(['changed app.cmd → config']);
    expect(told(migration, 'app.instances')).toEqual(['left-out app.instances']);
    expect(JSON.stringify(migration)).not.toMatch(/hunter2|aHVudGVy/);
    const { version: _version, tasks: _tasks, ...settings } = APP;
    expect(untold(settings, 'app', migration.findings)).toEqual([]);
    expect(untold(CONFIG, 'config', migration.findings)).toEqual([]);
  });
});

describe('where the configuration is', () => {
  const yaml = 'routers:\n- protocol: http\n  dtab: /svc => /$/inet/$HOST/80\n';
  const base64 = Buffer.from(yaml).toString('base64');

  it.each<[string, object]>([
    ['in single quotes', { cmd: `echo '${yaml}' | linkerd -` }],
    ['with printf', { cmd: `cd /linkerd && printf '%s' '${yaml}' > c.yaml; ./linkerd c.yaml` }],
    ['in a here-document', { cmd: `cat <<'EOF' > c.yaml\n${yaml}EOF\nexec ./linkerd c.yaml` }],
    ['in base64', { cmd: `echo ${base64} | base64 -d | linkerd -` }],
    ['in an argument', { args: ['--', yaml] }],
    ['in a variable', { cmd: 'echo "$CONFIG" | linkerd -', env: { CONFIG: yaml } }],
    ['in a variable, in base64', { cmd: 'linkerd', env: { CONFIG: base64 } }],
  ])('%s', (_where, app) => {
    expect(configOfApp({ ...app })).toMatchObject({ kind: 'text', text: expect.stringContaining('protocol: http') });
  });

  it('a variable of the shell in it is told, and names of a dtab are none', () => {
    const found = configOfApp({ cmd: `echo "${yaml}" | linkerd -` });
    expect(found).toMatchObject({ variables: ['HOST'] });
    const migration = moved((draft) => moveApp({ cmd: `echo "${yaml}" | linkerd -` }, null, draft));
    expect(told(migration, 'app.cmd ($HOST)')).toEqual(['not-understood app.cmd ($HOST)']);
  });

  it('a file that is fetched is named, the one that the command names first', () => {
    const fetch = [{ uri: 'http://a/other.json' }, { uri: 'http://a/b/site.yaml' }, { uri: 'http://a/linkerd.tgz' }];
    expect(configOfApp({ cmd: './linkerd site.yaml', fetch })).toEqual({
      kind: 'url',
      place: 'app.fetch[1]',
      url: 'http://a/b/site.yaml',
    });
    expect(configOfApp({ cmd: './linkerd', uris: ['http://a/c.yml'] })).toMatchObject({ url: 'http://a/c.yml' });
  });

  it('without one the ports are those of the names, and a person is asked for it', () => {
    const portDefinitions = [{ port: 5140, name: 'proxy' }, { port: 5000 }];
    const migration = moved((draft) => moveApp({ cmd: './linkerd', portDefinitions }, null, draft));
    expect(migration.options).toMatchObject({ proxies: { outgoing_port: 5140 } });
    expect(told(migration, 'app.cmd')).toEqual(['not-understood app.cmd']);
    expect(told(migration, 'app.portDefinitions[1]')).toEqual(['not-understood app.portDefinitions[1]']);
    expectUsable(migration);
  });
});

it('an app on public agents alone stays there', () => {
  const migration = moved((draft) => moveApp({ acceptedResourceRoles: ['slave_public'] }, null, draft));
  expect(migration.options['proxies']).toEqual({
    public_agents: true,
    public_listeners: 'all',
    constraints: ['@public:IS:true'],
  });
  expectUsable(migration);
});

it('whatever an app has is told of, and what comes of it renders', () => {
  const anything = fc.jsonValue({ maxDepth: 2 });
  const field = fc.constantFrom(...Object.keys(APP), 'uris', 'args', 'gpus', 'networks', 'colour', 'ports');
  fc.assert(
    fc.property(fc.dictionary(field, anything, { maxKeys: 5 }), fc.array(field, { maxLength: 4 }), (odd, real) => {
      const all: Record<string, unknown> = { ...APP };
      const app = { ...Object.fromEntries(real.filter((key) => key in all).map((key) => [key, all[key]])), ...odd };
      const { version: _version, tasks: _tasks, ...settings } = app as Record<string, unknown>;
      const migration = moved((draft) => moveApp(app, null, draft));
      expect(untold(settings, 'app', migration.findings)).toEqual([]);
      expectUsable(migration);
    }),
    { numRuns: 20 },
  );
});
