/** Where the cluster and its token come from, over files and variables as the DC/OS CLI has them. */
import { describe, expect, test } from 'vitest';
import { findCluster, type Surroundings } from '../../../../scheduler/cli/dcos/cluster.ts';

const PROD =
  '[cluster]\nname = "prod"\n[core]\ndcos_url = "https://prod.example/"\ndcos_acs_token = "p"\nssl_verify = "dcos_ca.crt"\n';
const TEST =
  '[cluster]\nname = "test"\n[core]\ndcos_url = "http://test.example"\n[nodemesh]\nservice_name = "team/mesh"\n';

const HOME = '/home/me/.dcos/clusters';

function around(
  env: Record<string, string>,
  files: Record<string, string> = {},
  shown: Record<string, string> = {},
): Surroundings & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    env,
    home: '/home/me',
    asked,
    read: (path) => files[path] ?? null,
    list: (path) => {
      const below = Object.keys(files).filter((file) => file.startsWith(`${path}/`));
      return [...new Set(below.map((file) => file.slice(path.length + 1).split('/')[0] ?? ''))];
    },
    show: (key) => {
      asked.push(key);
      return shown[key] ?? null;
    },
  };
}

const TWO = { [`${HOME}/1/dcos.toml`]: PROD, [`${HOME}/2/dcos.toml`]: TEST, [`${HOME}/1/attached`]: '' };
const find = (...args: Parameters<typeof around>) => findCluster('nodemesh', around(...args));

describe('the environment', () => {
  test('that the DC/OS CLI gives to a plugin is enough', () => {
    const env = {
      DCOS_URL: 'https://dcos.example',
      DCOS_ACS_TOKEN: 'abc',
      DCOS_TLS_CA_PATH: '/ca.crt',
      DCOS_CLI_EXECUTABLE_PATH: '/bin/dcos',
      DCOS_NODEMESH_SERVICE_NAME: 'mesh',
    };
    const surroundings = around(env);
    expect(findCluster('nodemesh', surroundings)).toEqual({
      url: new URL('https://dcos.example/'),
      token: 'abc',
      trust: { kind: 'ca', path: '/ca.crt' },
      serviceName: 'mesh',
      notes: [],
    });
    expect(surroundings.asked).toEqual([]);
  });

  test.each<[Record<string, string>, object]>([
    [{ DCOS_SSL_VERIFY: 'false' }, { kind: 'anybody' }],
    [{ DCOS_SSL_VERIFY: 'True', DCOS_TLS_INSECURE: '1' }, { kind: 'system' }],
    [{ DCOS_SSL_VERIFY: 'certs/ca.crt' }, { kind: 'ca', path: 'certs/ca.crt' }],
    [{ DCOS_TLS_INSECURE: '1' }, { kind: 'anybody' }],
    [{}, { kind: 'system' }],
  ])('%j says whom to trust', (env, trust) => {
    expect(find({ DCOS_DCOS_URL: 'https://dcos.example', ...env }).trust).toEqual(trust);
  });

  test.each(['https://dcos.example/#/', 'https://dcos.example///', 'https://dcos.example'])('%s is trimmed', (url) => {
    expect(find({ DCOS_URL: url }).url.href).toBe('https://dcos.example/');
  });

  test('without a usable address is told', () => {
    expect(() => find({ DCOS_URL: 'dcos.example:443' })).toThrow(/'dcos.example:443', is not an http or https URL/);
    expect(() => find({})).toThrow(/no DC\/OS cluster is known: attach one/);
  });
});

describe('the file', () => {
  test('of the attached cluster is read', () => {
    expect(find({}, TWO)).toMatchObject({
      url: new URL('https://prod.example/'),
      token: 'p',
      trust: { kind: 'ca', path: `${HOME}/1/dcos_ca.crt` },
      serviceName: null,
    });
  });

  test.each(['test', '2'])('of the cluster that DCOS_CLUSTER=%s names is read', (name) => {
    expect(find({ DCOS_CLUSTER: name }, TWO)).toMatchObject({
      url: new URL('http://test.example/'),
      token: null,
      serviceName: 'team/mesh',
    });
  });

  test('is looked for where DCOS_DIR, DCOS_CONFIG and the first DC/OS CLI have it', () => {
    expect(find({ DCOS_DIR: '/d' }, { '/d/clusters/9/dcos.toml': PROD, '/d/clusters/9/attached': '' }).token).toBe('p');
    expect(find({ DCOS_CONFIG: '/c.toml' }, { ...TWO, '/c.toml': TEST }).serviceName).toBe('team/mesh');
    expect(find({}, { '/home/me/.dcos/dcos.toml': PROD }).token).toBe('p');
  });

  test('of a cluster that is not there, or of two of one name, is told', () => {
    expect(() => find({ DCOS_CLUSTER: 'stage' }, TWO)).toThrow(/'stage', and no cluster has this name or id/);
    const same = { [`${HOME}/1/dcos.toml`]: PROD, [`${HOME}/2/dcos.toml`]: PROD };
    expect(() => find({ DCOS_CLUSTER: 'prod' }, same)).toThrow(/2 clusters have/);
  });

  test('of one cluster gives its token to no other', () => {
    const cluster = find({ DCOS_URL: 'https://elsewhere.example' }, TWO, { 'core.dcos_acs_token': 'q' });
    expect(cluster).toMatchObject({ token: null, trust: { kind: 'system' } });
    expect(cluster.notes).toEqual([
      `${HOME}/1/dcos.toml is of https://prod.example/, and was not used for https://elsewhere.example/`,
    ]);
    expect(find({ DCOS_URL: 'https://prod.example/#/' }, TWO).token).toBe('p');
  });

  test('that is not understood is named', () => {
    const odd = { '/home/me/.dcos/dcos.toml': 'core = {dcos_url = "https://x"}\n' };
    expect(() => find({}, odd)).toThrow('(/home/me/.dcos/dcos.toml: not understood in line 1)');
  });
});

test('the CLI itself is asked last, for all that is not known', () => {
  const shown = { 'core.dcos_url': 'https://s.example', 'core.dcos_acs_token': 't', 'nodemesh.service_name': 'mesh' };
  expect(find({}, {}, shown)).toEqual({
    url: new URL('https://s.example/'),
    token: 't',
    trust: { kind: 'system' },
    serviceName: 'mesh',
    notes: [],
  });
});
