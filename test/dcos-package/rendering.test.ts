/** The template with options of all kinds: the app is JSON, one that Marathon takes, and says to the scheduler what was asked. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { optionNames, variableOf } from '../../scheduler/config/options.ts';
import { readConfig, type SchedulerConfig } from '../../scheduler/config.ts';
import { split } from '../docs/markdown.ts';
import { BASE_URL, configSchema, isObject, type Json, type JsonObject, optionFaults, renderedApp } from './catalog.ts';
import { appFaults } from './marathon-rules.ts';

const groups = Object.entries(configSchema().properties);

/** What an operator may write, checked as a catalog does. */
function appOf(options: JsonObject): JsonObject {
  expect(optionFaults(options)).toEqual([]);
  const app = renderedApp(options);
  expect(appFaults(app)).toEqual([]);
  return app;
}

const envOf = (app: JsonObject): JsonObject => app['env'] as JsonObject;

describe('with default options', () => {
  const app = appOf({});

  it('it is one instance, which goes before the next one comes', () => {
    expect(app).toMatchObject({
      ...{ id: '/nodemesh', instances: 1, user: 'nobody', secrets: {} },
      upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
    });
  });

  it('AdminRouter finds it, Cosmos uninstalls it, and proxies have a VIP for it', () => {
    expect(app['labels']).toEqual({
      ...{ DCOS_SERVICE_NAME: 'nodemesh', DCOS_SERVICE_SCHEME: 'http', DCOS_SERVICE_PORT_INDEX: '0' },
      ...{ DCOS_PACKAGE_FRAMEWORK_NAME: 'nodemesh', DCOS_COMMONS_API_VERSION: 'v1', DCOS_COMMONS_UNINSTALL: 'true' },
      MARATHON_SINGLE_INSTANCE_APP: 'true',
    });
    expect(app['portDefinitions']).toMatchObject([{ port: 0, labels: { VIP_0: '/api.nodemesh:80' } }]);
    expect(envOf(app)['NODEMESH_ADVERTISE']).toBe('http://api.nodemesh.marathon.l4lb.thisdcos.directory:80');
  });

  it('it fetches what was published, and nothing else', () => {
    const [scheduler, proxy] = ['scheduler', 'proxy'].map(
      (name) => `${BASE_URL}/nodemesh-${name}-1.2.3-linux-x64.tar.gz`,
    );
    expect(app['fetch']).toEqual([
      { uri: scheduler, extract: true, cache: true },
      { uri: proxy, extract: false, cache: true, destPath: 'proxy.tar.gz' },
    ]);
  });
});

/** A value that differs from the default, for each option: one that is not here fails its test. */
const OTHERWISE: Readonly<Record<string, Json>> = {
  'service.name': 'mesh-2',
  'service.user': 'mesh',
  'service.service_account': 'nodemesh-principal',
  'service.service_account_secret': 'nodemesh/sa',
  'service.api_token_secret': 'nodemesh/token',
  'service.admin_router': 'https://leader.mesos',
  'service.log_level': 'debug',
  'service.role': 'mesh-role',
  'service.constraints': '[["hostname", "UNLIKE", "10.0.0.[12]"], ["rack", "UNIQUE"]]',
  'service.cpus': 0.5,
  'service.mem': 2048,
  'service.api_port': '4180',
  'service.use_vip': false,
  'service.image': 'registry.example.com:5000/nodemesh/scheduler:1.2.3',
  'proxies.cpus': 0.25,
  'proxies.cpus_limit': 'unlimited',
  'proxies.mem': 512,
  'proxies.disk': 1024,
  'proxies.workers': 2,
  'proxies.outgoing_port': 5140,
  'proxies.incoming_port': 5141,
  'proxies.admin_port': 5990,
  'proxies.public_agents': false,
  'proxies.edge': false,
  'proxies.edge_port': 80,
  'proxies.edge_groups': 'external,internal',
  'proxies.public_listeners': 'all',
  'proxies.bind': 'node',
  'proxies.user': 'mesh-proxy',
  'proxies.constraints': ['@zone:IS:z2', 'rack:LIKE:r[1-3]'],
  'proxies.reserve': false,
  'proxies.version': '1.2.2',
  'proxies.version_base_url': 'https://mirror.example.com/n',
  'proxies.image': 'nodemesh/proxy:1.2.3',
  'proxies.containerizer': 'docker',
  'mesh.config': 'cm91dGVyczogW10K',
  'mesh.config_url': 'https://example.com/linkerd.yaml?a=1&b=2',
  'rollout.strategy': 'percentages:10,50,100',
  'rollout.max_unavailable': 3,
  'rollout.gate': '500ms',
  'rollout.window': '2m',
  'rollout.min_requests': 500,
  'rollout.step_timeout': '10m',
  'rollout.dtab_check': false,
  'discovery.marathons': ['https://marathon.mesos:8443', 'eu=http://10.1.0.1:8080'],
  'discovery.marathon_credential_secret': 'nodemesh/marathon',
  'discovery.mesos': false,
  'discovery.scope': 'bound',
  'mesos.master': 'https://leader.mesos:5050',
  'mesos.public_role': 'edge',
  'zookeeper.servers': '10.0.0.1:2181,10.0.0.2:2181',
  'zookeeper.path': '/mesh/one',
  'zookeeper.auth_secret': 'nodemesh/zk',
  'tls.ca_file': '.ssl/ca-bundle.crt',
};

/** What is of use together with another option alone. */
const TOGETHER: Readonly<Record<string, JsonObject>> = {
  'proxies.version_base_url': { proxies: { version: '1.2.2' } },
};

function withOption(path: string, value: Json, base: JsonObject = {}): JsonObject {
  const [group = '', name = ''] = path.split('.');
  const before = base[group];
  return { ...base, [group]: { ...(isObject(before) ? before : {}), [name]: value } };
}

describe('every option', () => {
  const paths = groups.flatMap(([group, { properties }]) => Object.keys(properties).map((name) => `${group}.${name}`));

  it.each(paths)('%s makes another app', (path) => {
    const base = TOGETHER[path] ?? {};
    expect(appOf(withOption(path, OTHERWISE[path] ?? null, base))).not.toEqual(appOf(base));
  });

  it('goes by a variable that the scheduler reads', () => {
    const all = paths.reduce((options, path) => withOption(path, OTHERWISE[path] ?? null, options), {} as JsonObject);
    const read = optionNames().map(variableOf);
    const own = Object.keys(envOf(appOf(all))).filter((name) => name.startsWith('NODEMESH_') && !read.includes(name));
    expect(own).toEqual([]);
  });

  it('of the scheduler has one of the package, but those that are not for DC/OS', () => {
    const all = paths.reduce((options, path) => withOption(path, OTHERWISE[path] ?? null, options), {} as JsonObject);
    const app = appOf(all);
    const told = `${JSON.stringify(app['env'])} ${String(app['cmd'])}`;
    // The VIP is its address where there is one; Cosmos sets the alias of --uninstall; Mesos of DC/OS knows no shared secrets.
    const others = ['NODEMESH_SECRET_FILE', 'NODEMESH_UNINSTALL'];
    const absent = optionNames()
      .map(variableOf)
      .filter((name) => !new RegExp(`\\b${name}\\b`).test(told));
    expect(absent).toEqual(others);
  });

  it('may be set together with all others', () => {
    const all = paths.reduce((options, path) => withOption(path, OTHERWISE[path] ?? null, options), {} as JsonObject);
    expect(envOf(appOf(all))['NODEMESH_PORTS']).toBe('out=5140,in=5141,admin=5990,edge=none');
  });
});

/** Options files that the documents show. */
const SHOWN = ['install-on-dcos.md', 'package-options.md'].flatMap((page) => {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8');
  return split(text).blocks.flatMap(({ language, line, lines }) =>
    language === 'json' ? [[`${page}:${line}`, JSON.parse(lines.join('\n')) as JsonObject] as const] : [],
  );
});

describe('the options files that the documents show', () => {
  it('are there', () => {
    expect(SHOWN.length).toBeGreaterThanOrEqual(3);
  });
  it.each(SHOWN)('%s makes an app', (_, options) => {
    expect(appOf(options)).not.toEqual(appOf({}));
  });
});

const SECRETS = [
  'service.service_account_secret',
  'service.api_token_secret',
  'discovery.marathon_credential_secret',
  'zookeeper.auth_secret',
];
it('any of the secrets, and none of the others, are declared and used', () => {
  for (let which = 0; which < 2 ** SECRETS.length; which++) {
    const chosen = SECRETS.filter((_, index) => which & (1 << index));
    const options = chosen.reduce((all, path) => withOption(path, 'nodemesh/one', all), {} as JsonObject);
    expect(Object.keys(appOf(options)['secrets'] as JsonObject)).toHaveLength(chosen.length);
  }
});

describe('text of all kinds', () => {
  it('a linkerd.yaml with quotes, line ends, mustaches and other scripts comes through in base64', () => {
    const yaml =
      'routers:\n- label: "outgoing"\n  dtab: |\n    /svc/{{name}} => /#/io.l5d.marathon/caf\u00e9 ; # \u4f60\u597d \\\r\n\t\'{{{x}}}\'';
    const config = Buffer.from(yaml).toString('base64');
    const told = envOf(appOf({ mesh: { config } }))['NODEMESH_MESH_CONFIG'];
    expect(Buffer.from(String(told), 'base64').toString()).toBe(yaml);
    // As it stands it would break the template, so that it is refused before it is rendered.
    expect(optionFaults({ mesh: { config: yaml } })).not.toEqual([]);
    expect(() => renderedApp({ mesh: { config: yaml } })).toThrow(SyntaxError);
  });

  it('a configuration of the greatest length fits, with all else, into the one variable that Mesos hands a task on in', () => {
    const { maxLength = 0 } = { ...groups.find(([name]) => name === 'mesh')?.[1].properties['config'] };
    const config = Buffer.alloc((maxLength * 3) / 4, '# a comment of a linkerd.yaml\n').toString('base64');
    expect(config).toHaveLength(maxLength);
    const app = appOf({ mesh: { config } });
    const variables = Object.entries(envOf(app)).map(([name, value]) => ({ name, type: 'VALUE', value }));
    const launch = { command: { shell: true, value: app['cmd'] }, environment: { variables } };
    // src/slave/containerizer/mesos/containerizer.cpp: MESOS_CONTAINERIZER_LAUNCH_INFO, as JSON in which a slash is two characters.
    const handedOn = `MESOS_CONTAINERIZER_LAUNCH_INFO=${JSON.stringify(launch).replaceAll('/', '\\/')}`;
    // Linux takes no longer one (execve(2), MAX_ARG_STRLEN). Marathon, Mesos and the agent add variables of their own.
    expect(handedOn.length).toBeLessThan(131_072 - 16_384);
  });

  it('whatever an option allows comes through as it is', () => {
    const texts = groups.flatMap(([group, { properties }]) =>
      Object.entries(properties).flatMap(([name, { type, pattern, enum: words }]) =>
        type === 'string' && pattern !== undefined && words === undefined
          ? [[`${group}.${name}`, pattern] as const]
          : [],
      ),
    );
    for (const [path, pattern] of texts) {
      fc.assert(
        fc.property(fc.stringMatching(new RegExp(pattern)), (value) => {
          const options = withOption(path, value, TOGETHER[path]);
          // Its length has bounds too.
          if (optionFaults(options).length > 0) return;
          const app = renderedApp(options);
          // Not all that looks like a URL is one.
          expect(appFaults(app).filter((fault) => !fault.startsWith('fetch:'))).toEqual([]);
          if (path === 'service.constraints') expect(app['constraints']).toEqual(JSON.parse(value));
          else expect(JSON.stringify(app)).toContain(JSON.stringify(value).slice(1, -1));
        }),
        { numRuns: 10 },
      );
    }
  });

  it('constraints of proxies hold any character but those of JSON', () => {
    const { pattern = '' } = { ...groups.find(([name]) => name === 'proxies')?.[1].properties['constraints']?.items };
    fc.assert(
      fc.property(fc.array(fc.stringMatching(new RegExp(pattern)), { maxLength: 5 }), (constraints) => {
        const told = envOf(renderedApp({ proxies: { constraints } }))['NODEMESH_CONSTRAINT'];
        expect(told).toBe(constraints.map((each) => `${each}\n`).join(''));
      }),
    );
  });
});

describe('what the scheduler is told', () => {
  let sandbox = '';
  afterEach(() => {
    vi.unstubAllEnvs();
    if (sandbox !== '') rmSync(sandbox, { recursive: true });
    sandbox = '';
  });

  /** Runs the app's command as Marathon has it run, with a scheduler that tells of its environment alone. */
  function started(options: JsonObject, more: Record<string, string> = {}): Record<string, string> {
    const app = appOf(options);
    sandbox = mkdtempSync(join(tmpdir(), 'nodemesh-package-'));
    const bin = join(sandbox, 'nodemesh-scheduler', 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'nodemesh'), '#!/bin/sh\n[ "$*" = scheduler ] && exec env -0\n');
    chmodSync(join(bin, 'nodemesh'), 0o755);
    const own = Object.entries(envOf(app)).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : [],
    );
    const run = spawnSync('/bin/sh', ['-c', String(app['cmd'])], {
      cwd: sandbox,
      env: {
        ...{ PATH: '', LD_LIBRARY_PATH: '/opt/mesosphere/lib', HOST: '10.0.0.7', PORT_API: '31007' },
        ...{ MARATHON_APP_RESOURCE_MEM: `${String(app['mem'])}.0`, ...Object.fromEntries(own), ...more },
      },
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    return Object.fromEntries(
      run.stdout
        .split('\0')
        .filter((line) => line !== '')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  function configOf(options: JsonObject, files: Readonly<Record<string, string>> = {}): SchedulerConfig {
    const told = started(options);
    mkdirSync(join(sandbox, 'secrets'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(sandbox, name), text);
    for (const [name, value] of Object.entries(told)) {
      if (name.startsWith('NODEMESH_')) vi.stubEnv(name, Object.hasOwn(files, value) ? join(sandbox, value) : value);
    }
    return readConfig([]);
  }

  it('by default: where it is on DC/OS, with a heap of three quarters of its memory', () => {
    const told = started({});
    expect(told).toMatchObject({
      ...{ PATH: '/usr/bin:/bin', NODEMESH_LISTEN: '0.0.0.0:31007', NODEMESH_STATE: 'zk://master.mesos:2181' },
      NODE_OPTIONS: '--max-old-space-size=768 --max-semi-space-size=4',
    });
    expect(told).not.toHaveProperty('LD_LIBRARY_PATH');
    for (const [name, value] of Object.entries(told)) if (name.startsWith('NODEMESH_')) vi.stubEnv(name, value);
    expect(readConfig([])).toMatchObject({
      master: { kind: 'zookeeper', ensemble: { servers: [{ host: 'master.mesos', port: 2181 }], path: '/mesos' } },
      state: { kind: 'zookeeper', ensemble: { path: null } },
      marathons: [{ url: 'http://marathon.mesos:8080' }],
      ...{ name: 'nodemesh', role: 'nodemesh', publicRole: 'slave_public', user: 'nobody', principal: null },
      ...{ bind: 'config', ports: { out: 4140, in: 4141, admin: 9990, edge: 4143 }, constraints: [], reserve: true },
      rollout: { strategy: { kind: 'gate', canary: 1, steps: [10, 50, 100] }, maxUnavailable: 1, gateMs: 10_000 },
      adminRouter: 'http://leader.mesos',
      proxy: { archives: ['proxy.tar.gz'], workers: 1, cpus: 1, cpusLimit: null, mem: 256, disk: 256, image: null },
      ...{
        discoveryScope: 'all',
        mesosDiscovery: true,
        dtabCheck: true,
        uninstall: false,
        apiToken: null,
        mesosCa: null,
      },
    });
  });

  it('without a VIP: proxies are told its own address', () => {
    expect(started({ service: { use_vip: false } })).toMatchObject({ NODEMESH_ADVERTISE: 'http://10.0.0.7:31007' });
  });

  it('the credentials of ZooKeeper stand in its URL, and nowhere else', () => {
    const options = { zookeeper: { auth_secret: 'nodemesh/zk', path: '/mesh' } };
    const told = started(options, { ZOOKEEPER_AUTH: 'mesh:p@ss$"w' });
    expect(told['NODEMESH_STATE']).toBe('zk://mesh:p@ss$"w@master.mesos:2181/mesh');
    expect(told).not.toHaveProperty('ZOOKEEPER_AUTH');
  });

  it('all that an operator sets', () => {
    const config = configOf(
      {
        service: {
          name: 'mesh-2',
          role: 'mesh-role',
          api_token_secret: 't',
          log_level: 'debug',
          service_account: 'it',
        },
        proxies: {
          ...{
            cpus: 0.25,
            cpus_limit: '2.5',
            mem: 512,
            disk: 1024,
            workers: 2,
            user: '',
            bind: 'node',
            reserve: false,
          },
          ...{ outgoing_port: 5140, incoming_port: 5141, admin_port: 5990, edge_port: 80, edge_groups: '*' },
          ...{
            constraints: ['@zone:IS:z2', 'rack:LIKE:r[1-3]'],
            version: '1.2.2',
            image: 'a/b:1',
            containerizer: 'docker',
          },
          public_agents: false,
        },
        rollout: { strategy: 'canary:3', max_unavailable: 2, gate: '1m', step_timeout: '2h', dtab_check: false },
        discovery: {
          ...{ marathons: ['https://marathon.mesos:8443', 'eu=http://10.1.0.1:8080'], scope: 'bound', mesos: false },
          marathon_credential_secret: 'm',
        },
        mesos: { master: 'https://leader.mesos:5050' },
        zookeeper: { servers: '10.0.0.1,10.0.0.2:2182', path: '/mesh/one' },
      },
      { 'secrets/api-token': '0123456789abcdef\n', 'secrets/marathon-credential': 'mesh:secret' },
    );
    expect(config).toMatchObject({
      ...{ name: 'mesh-2', role: 'mesh-role', logLevel: 'debug', principal: 'it', apiToken: '0123456789abcdef' },
      ...{ bind: 'node', reserve: false, edgeGroups: ['*'], publicRole: null },
      ports: { out: 5140, in: 5141, admin: 5990, edge: 80 },
      proxy: {
        ...{ archives: ['proxy-wanted.tar.gz', 'proxy.tar.gz'], workers: 2, cpus: 0.25, cpusLimit: 2.5, mem: 512 },
        ...{ disk: 1024, image: { name: 'a/b:1', containerizer: 'docker' } },
      },
      rollout: { strategy: { kind: 'canary', nodes: 3 }, maxUnavailable: 2, gateMs: 60_000, stepTimeoutMs: 7_200_000 },
      marathons: [{ url: 'https://marathon.mesos:8443' }, { url: 'http://10.1.0.1:8080', prefix: 'eu' }],
      ...{ marathonCredential: 'bWVzaDpzZWNyZXQ=', discoveryScope: 'bound', mesosDiscovery: false, dtabCheck: false },
      master: { kind: 'urls', urls: ['https://leader.mesos:5050'] },
      state: { ensemble: { servers: [{ host: '10.0.0.1' }, { host: '10.0.0.2', port: 2182 }], path: '/mesh/one' } },
    });
    expect(config.constraints).toHaveLength(2);
  });
});
