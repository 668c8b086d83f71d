/** The scheduler's options: defaults, the environment, and every fault told at once. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readConfig, UsageError } from '../../scheduler/config.ts';

const REQUIRED = ['--master=http://127.0.0.1:5050/', '--marathon=http://127.0.0.1:8080', '--state=file:/tmp/x'];

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nodemesh-config-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
  vi.unstubAllEnvs();
});

function faults(...args: string[]): string[] {
  try {
    readConfig(args);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message.split('\n');
  }
  return [];
}

describe('options', () => {
  test('have defaults for all but master, Marathon and state', () => {
    expect(readConfig(REQUIRED)).toEqual({
      master: { kind: 'urls', urls: ['http://127.0.0.1:5050'] },
      marathons: [{ url: 'http://127.0.0.1:8080', prefix: 'io.l5d.marathon', place: null, login: null, ca: null }],
      marathonCredential: null,
      mesosDiscovery: true,
      state: { kind: 'file', directory: '/tmp/x' },
      listen: { host: '127.0.0.1', port: 4180 },
      advertise: null,
      name: 'nodemesh',
      role: 'nodemesh',
      publicRole: 'slave_public',
      user: expect.any(String),
      principal: null,
      credential: { kind: 'none' },
      mesosCa: null,
      constraints: [],
      ports: { out: 4140, in: 4141, admin: 9990, edge: 4143 },
      bind: 'node',
      publicListeners: 'edge',
      edgeGroups: ['external', '-'],
      reserve: true,
      proxy: { archives: [], workers: 1, cpus: 1, cpusLimit: null, mem: 256, disk: 256, image: null },
      rollout: {
        strategy: { kind: 'gate', canary: 1, steps: [10, 50, 100] },
        ...{ maxUnavailable: 1, gateMs: 10_000, stepTimeoutMs: 300_000 },
      },
      versionGate: { windowMs: 30_000, minRequests: 100 },
      discoveryScope: 'all',
      dtabCheck: true,
      uninstall: false,
      apiToken: null,
      adminRouter: null,
      meshConfig: null,
      logLevel: 'info',
    });
  });

  test('can come from the environment, and the command line wins', () => {
    vi.stubEnv('NODEMESH_MASTER', 'http://m:5050');
    vi.stubEnv('NODEMESH_MARATHON', 'http://wrong:1');
    vi.stubEnv('NODEMESH_STATE', 'file:state');
    vi.stubEnv('NODEMESH_PORTS', 'admin=1');
    expect(readConfig(['--marathon', 'https://marathon.mesos:8443/x/'])).toMatchObject({
      master: { urls: ['http://m:5050'] },
      marathons: [{ url: 'https://marathon.mesos:8443/x' }],
      state: { directory: 'state' },
      ports: { out: 4140, in: 4141, admin: 1, edge: 4143 },
    });
  });

  test.each([
    ['edge=80', { out: 4140, in: 4141, admin: 9990, edge: 80 }],
    ['edge=none', { out: 4140, in: 4141, admin: 9990, edge: null }],
  ])('may name the port of the edge router, or say that there is none: %s', (text, ports) => {
    const needed = ['--master', 'http://m:5050', '--marathon', 'http://m:8080', '--state', 'file:state'];
    expect(readConfig([...needed, '--ports', text])).toMatchObject({ ports });
  });

  test('read the API token from its file', () => {
    const path = join(directory, 'token');
    writeFileSync(path, 'a-token-of-enough-length\n');
    expect(readConfig([...REQUIRED, `--api-token-file=${path}`]).apiToken).toBe('a-token-of-enough-length');
  });

  test('take a configuration of the proxies in base64, or where it is', () => {
    const yaml = 'usage: {orgId: "{{ü"}\n';
    const encoded = Buffer.from(yaml).toString('base64');
    expect(readConfig([...REQUIRED, `--mesh-config=${encoded}`]).meshConfig).toEqual({ kind: 'text', text: yaml });
    const url = 'https://git.example/linkerd.yaml?ref=main';
    expect(readConfig([...REQUIRED, `--mesh-config-url=${url}`]).meshConfig).toEqual({ kind: 'url', url });
    expect(() => readConfig([...REQUIRED, `--mesh-config-url=${url}`, `--mesh-config=${encoded}`])).toThrow('keep one');
    expect(() => readConfig([...REQUIRED, '--mesh-config=routers: []'])).toThrow('is not base64');
    expect(() => readConfig([...REQUIRED, '--mesh-config=/w=='])).toThrow('not text in UTF-8');
    expect(() => readConfig([...REQUIRED, '--mesh-config-url=linkerd.yaml'])).toThrow('is not a URL');
  });

  test('take an IPv6 listener', () => {
    expect(readConfig([...REQUIRED, '--listen=[::1]:80']).listen).toEqual({ host: '::1', port: 80 });
  });
});

describe('where Mesos and the state are', () => {
  const read = (...args: string[]) => readConfig(['--marathon=http://m:8080', ...args]);

  test('may be several masters', () => {
    expect(read('--master=https://a:5050, b:5050/', '--state=file:x').master).toEqual({
      kind: 'urls',
      urls: ['https://a:5050', 'https://b:5050'],
    });
  });

  test('may be ZooKeeper, with a password that may hold anything but a slash', () => {
    const config = read('--master=zk://u:p@:w,@h1,[fd00::1]:2182/mesos/', '--state=zk://h1:2181/nodemesh/a');
    expect(config.master).toEqual({
      kind: 'zookeeper',
      ensemble: {
        servers: [
          { host: 'h1', port: 2181 },
          { host: 'fd00::1', port: 2182 },
        ],
        auth: 'u:p@:w,',
        path: '/mesos',
      },
    });
    expect(config.state).toMatchObject({ kind: 'zookeeper', ensemble: { auth: null, path: '/nodemesh/a' } });
  });
});

describe('credentials', () => {
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const account = (): string => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const login = 'https://leader.mesos/acs/api/v1/auth/login';
    return JSON.stringify({ login_endpoint: login, private_key: key, scheme: 'RS256', uid: 'mesh' });
  };

  test('are a principal and its secret', () => {
    const secret = file('secret', 's e=cret\n');
    expect(readConfig([...REQUIRED, '--principal=p', `--secret-file=${secret}`])).toMatchObject({
      principal: 'p',
      credential: { kind: 'basic', principal: 'p', secret: 's e=cret' },
    });
    expect(readConfig([...REQUIRED, '--principal=p'])).toMatchObject({ principal: 'p', credential: { kind: 'none' } });
  });

  test('are a service account, whose uid is the principal', () => {
    const path = file('account.json', account());
    expect(readConfig([...REQUIRED, `--service-account-file=${path}`])).toMatchObject({
      principal: 'mesh',
      credential: { kind: 'service-account', account: { uid: 'mesh' } },
    });
  });

  test('that do not fit together are refused, and what is in a file is never told', () => {
    const secret = file('secret', 'hidden-secret');
    const broken = file('broken.json', '{"private_key": "hidden-key"');
    const certificates = file('ca.pem', '-----BEGIN CERTIFICATE-----\nhidden\n-----END CERTIFICATE-----\n');
    const told = [
      ...faults(...REQUIRED, `--secret-file=${secret}`),
      ...faults(
        ...REQUIRED,
        '--principal=p',
        `--secret-file=${secret}`,
        `--service-account-file=${file('a', account())}`,
      ),
      ...faults(...REQUIRED, '--principal=a:b', `--secret-file=${secret}`),
      ...faults(...REQUIRED, `--service-account-file=${broken}`),
      ...faults(...REQUIRED, `--mesos-ca-file=${certificates}`),
      ...faults(...REQUIRED, `--mesos-ca-file=${secret}`),
      ...faults('--master=zk://u:hidden@h', ...REQUIRED.slice(1)),
    ];
    expect(told).toEqual([
      '--secret-file: is the secret of a principal; name it with --principal',
      '--secret-file: there is a service account too (--service-account-file); keep one',
      '--principal: must not have a colon in it where it has a secret',
      expect.stringContaining('it is not JSON'),
      expect.stringContaining('certificate 1 of 1 cannot be read'),
      expect.stringContaining('holds no certificate in PEM form'),
      expect.stringContaining('has no path'),
    ]);
    expect(told.join()).not.toContain('hidden');
  });
});

describe('faults', () => {
  test('are told all at once, each with its option', () => {
    expect(
      faults(
        '--master=ftp://x',
        '--listen=localhost:4180',
        '--ports=out=1,in=1',
        '--role=*',
        '--log-level=loud',
        '--name=',
      ),
    ).toEqual([
      '--marathon is missing (or set NODEMESH_MARATHON)',
      '--state is missing (or set NODEMESH_STATE)',
      "--master: 'ftp://x' is not a URL like http://10.0.0.1:5050 (or zk://10.0.0.1:2181/mesos)",
      "--listen: 'localhost:4180' is not an address and a port like 127.0.0.1:4180",
      '--name: must be 1 to 63 of A-Z a-z 0-9 . _ -',
      '--role: must not be *: reservations need a role of their own',
      "--ports: 'out=1,in=1' uses a port twice; write out=4140,in=4141,admin=9990,edge=4143",
      '--log-level: must be one of trace, debug, info, warn, error, silent',
    ]);
  });

  test.each([
    ['--listen=127.0.0.1:70000', 'is not an address and a port'],
    ['--listen=4180', 'is not an address and a port'],
    ['--edge-groups=a,,b', "'' is no group; write names between commas"],
    ['--ports=out=0', "'out=0' is not a port from 1 to 65535"],
    ['--ports=out=none', "'out=none' is not a port from 1 to 65535"],
    ['--ports=edge=4140', "'edge=4140' uses a port twice"],
    ['--ports=outgoing=1', "'outgoing=1' names no port of the proxy"],
    ['--state=etcd://x', 'is not a store like file:/var/lib/nodemesh or zk://'],
    ['--master=zk://x', 'the ZooKeeper URL of the masters has no path'],
    ['--state=zk://user@x/y', 'the credentials of a ZooKeeper URL are user:password'],
    ['--master=zk://a,,b/mesos', "'' is no server of a ZooKeeper URL"],
    ['--master=zk://a//mesos', "'//mesos' is no path of a ZooKeeper node"],
    ['--master=http://a:5050,ftp://b', "'ftp://b' is not a URL like http://10.0.0.1:5050"],
    ['--master=http://u:hidden@a:5050', '--master: must not hold a name or a password'],
    ['--marathon=eu=http://u:hidden@m:8080', '--marathon.1: must not hold a name or a password: give them in a file'],
    ['--marathon=u:hidden@m:8080', '--marathon.1: must not hold a name or a password'],
    ['--marathon=http://u:hid/den@m:8080', '--marathon.1: must not hold a name or a password'],
    ['--mesh-config-url=https://u:hidden@git/x.yaml', '--mesh-config-url: must not hold a name or a password'],
    ['--admin-router=http://hidden@l', '--admin-router: must not hold a name or a password'],
    ['--state=zk://u:hid/den@x:2181/y', 'the password of a ZooKeeper URL must not have a slash in it'],
    ['--constraint=rack', "'rack' is not FIELD:OPERATOR"],
    ['--public-role=nodemesh', '--role: is the public role as well'],
    ['--strategy=canary:0', 'is none of gate, gate:N, gate:N:10,50,100, serial'],
    ['--strategy=gate:x', 'is none of gate'],
    ['--strategy=gate:1:50,10', 'the percentages are numbers that grow, up to 100'],
    ['--strategy=percentages:50,10', 'the percentages are numbers that grow, up to 100'],
    ['--strategy=percentages:50,101', 'the percentages are numbers that grow, up to 100'],
    ['--rollout-gate=10', "'10' is not a time like 500ms, 30s, 10m or 1h"],
    ['--rollout-gate=25d', 'is not a time like'],
    ['--rollout-gate=1000h', 'is not a time like'],
    ['--rollout-step-timeout=0', 'must be longer than nothing'],
    ['--max-unavailable=0', "'0' is not a whole number from 1 on"],
    ['--max-unavailable=1.5', 'is not a whole number'],
    ['--proxy-cpus=0.1234', 'three decimals at most'],
    ['--proxy-mem=-1', 'is not a whole number of megabytes'],
    ['--proxy-workers=0', 'is not a whole number from 1 on'],
    ['--containerizer=podman', 'must be one of mesos, docker'],
    ['--secret-file=/nonexistent', 'the file /nonexistent cannot be read (ENOENT)'],
    ['--bind=here', 'must be one of node, config'],
    ['--role=-x', 'is not a role name that Mesos accepts'],
    ['--api-token-file=/nonexistent/token', 'cannot be read (ENOENT)'],
  ])('%s', (arg, sentence) => {
    expect(faults(...REQUIRED, arg)).toEqual([expect.stringContaining(sentence)]);
  });

  test('a token that is too short to be one is refused', () => {
    const path = join(directory, 'token');
    writeFileSync(path, 'short');
    expect(faults(...REQUIRED, `--api-token-file=${path}`)[0]).toContain('at least 16 characters');
  });

  test.each([['--unknown'], ['--listen'], ['excess']])('%s is an error of commander', (arg) => {
    expect(() => readConfig([...REQUIRED, arg])).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^commander\./), exitCode: 1 }),
    );
  });
});
