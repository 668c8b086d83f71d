/** The scheduler's options: defaults, the environment, and every fault told at once. */
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
      master: 'http://127.0.0.1:5050',
      marathon: 'http://127.0.0.1:8080',
      state: { kind: 'file', directory: '/tmp/x' },
      listen: { host: '127.0.0.1', port: 4180 },
      advertise: null,
      name: 'nodemesh',
      role: 'nodemesh',
      user: expect.any(String),
      ports: { out: 4140, in: 4141, admin: 9990 },
      proxy: { archives: [], workers: 1, cpus: 1, cpusLimit: null, mem: 256, disk: 256, image: null },
      apiToken: null,
      logLevel: 'info',
    });
  });

  test('can come from the environment, and the command line wins', () => {
    vi.stubEnv('NODEMESH_MASTER', 'http://m:5050');
    vi.stubEnv('NODEMESH_MARATHON', 'http://wrong:1');
    vi.stubEnv('NODEMESH_STATE', 'file:state');
    vi.stubEnv('NODEMESH_PORTS', 'admin=1');
    expect(readConfig(['--marathon', 'https://marathon.mesos:8443/x/'])).toMatchObject({
      master: 'http://m:5050',
      marathon: 'https://marathon.mesos:8443/x',
      state: { directory: 'state' },
      ports: { out: 4140, in: 4141, admin: 1 },
    });
  });

  test("say what a proxy's task is: one cpu a worker, archives in their order, or an image", () => {
    const words = ['--proxy-workers=4', '--proxy-archive=/b.tar.gz', '--proxy-archive', 'host-node'];
    expect(readConfig([...REQUIRED, ...words]).proxy).toEqual({
      ...{
        archives: ['/b.tar.gz', 'host-node'],
        workers: 4,
        cpus: 4,
        cpusLimit: null,
        mem: 256,
        disk: 256,
        image: null,
      },
    });
    vi.stubEnv('NODEMESH_PROXY_ARCHIVE', '/of/the/environment.tar.gz');
    expect(readConfig(REQUIRED).proxy.archives).toEqual(['/of/the/environment.tar.gz']);
    const image = ['--proxy-image=example/proxy:1', '--containerizer=docker', '--proxy-cpus=0.25', '--proxy-mem=64'];
    expect(readConfig([...REQUIRED, ...image, '--proxy-cpus-limit=unlimited', '--proxy-disk=0']).proxy).toMatchObject({
      image: { name: 'example/proxy:1', containerizer: 'docker' },
      ...{ cpus: 0.25, cpusLimit: 'unlimited', mem: 64, disk: 0 },
    });
  });

  test('read the API token from its file', () => {
    const path = join(directory, 'token');
    writeFileSync(path, 'a-token-of-enough-length\n');
    expect(readConfig([...REQUIRED, `--api-token-file=${path}`]).apiToken).toBe('a-token-of-enough-length');
  });

  test('take an IPv6 listener', () => {
    expect(readConfig([...REQUIRED, '--listen=[::1]:80']).listen).toEqual({ host: '::1', port: 80 });
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
      "--master: 'ftp://x' is not a URL like http://10.0.0.1:5050",
      "--listen: 'localhost:4180' is not an address and a port like 127.0.0.1:4180",
      '--name: must be 1 to 63 of A-Z a-z 0-9 . _ -',
      '--role: must not be *: reservations need a role of their own',
      "--ports: 'out=1,in=1' uses a port twice; write out=4140,in=4141,admin=9990",
      '--log-level: must be one of trace, debug, info, warn, error, silent',
    ]);
  });

  test.each([
    ['--listen=127.0.0.1:70000', 'is not an address and a port'],
    ['--proxy-cpus=0', 'must be at least 0.01'],
    ['--proxy-cpus=lots', 'must be a number like 1 or 0.25'],
    ['--proxy-workers=65', 'must be a whole number from 1 to 64'],
    ['--proxy-mem=1', 'must be at least 32'],
    ['--containerizer=podman', 'must be one of mesos, docker'],
    ['--listen=4180', 'is not an address and a port'],
    ['--ports=out=0', "'out=0' is not a port from 1 to 65535"],
    ['--ports=outgoing=1', "'outgoing=1' names no port of the proxy"],
    ['--state=zk://x', 'is not a store like file:/var/lib/nodemesh'],
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
