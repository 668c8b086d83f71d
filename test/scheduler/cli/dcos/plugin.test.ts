/** `dcos-nodemesh nodemesh …` as the DC/OS CLI runs it, against the scheduler's API behind Admin Router. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { AdminRouterWay } from '../../../../scheduler/cli/dcos/admin-router-way.ts';
import { main } from '../../../../scheduler/cli/dcos/main.ts';
import { main as command } from '../../../../scheduler/cli/main.ts';
import { Certificates } from '../../../agent-proxy/endpoint/certificates.ts';
import { AdminRouter } from '../../../fixtures/admin-router.ts';
import { fakePlan, taskId } from '../../support/fake-framework.ts';
import { useScheduler } from '../../support/use-scheduler.ts';

const use = useScheduler();
const encoded = Buffer.from('{"uid":"alice"}').toString('base64url');
const TOKEN = `e30.${encoded}.c2ln`;
let certificates: Certificates;
let directory: string;
let router: AdminRouter | null = null;
let out: string;
let err: string;

beforeAll(() => {
  certificates = new Certificates();
  certificates.make('authority', 'Authority of a cluster');
  certificates.make('localhost', 'localhost', 'authority');
  directory = mkdtempSync(join(tmpdir(), 'nodemesh-dcos-'));
});
afterAll(() => {
  certificates.remove();
  rmSync(directory, { recursive: true });
});
beforeEach(() => {
  out = '';
  err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    out += String(chunk);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    err += String(chunk);
    return true;
  });
  for (const name of Object.keys(process.env)) if (name.startsWith('DCOS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('DCOS_DIR', join(directory, 'none'));
  vi.stubEnv('DCOS_CLI_EXECUTABLE_PATH', join(directory, 'no-dcos'));
  // It is not for the plugin.
  vi.stubEnv('NODEMESH_SCHEDULER', 'http://127.0.0.1:1');
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await router?.stop();
  router = null;
});

const run = (...args: string[]) => main(args, { version: '1.2.3', dist: '/nowhere', relaunch: [] });
const pem = (name: string): Buffer => readFileSync(certificates.file(name));

/** A scheduler behind an Admin Router with TLS, and the environment that the DC/OS CLI gives. */
async function cluster({ judge = (token: string) => (token === TOKEN ? 200 : 401) as 200 | 401 | 403 } = {}) {
  const services = new Map<string, string>();
  const tls = { key: pem('localhost.key'), cert: pem('localhost.pem') };
  const adminRouter = await AdminRouter.start({ services, judge, tls });
  router = adminRouter;
  const scheduler = await use.start({
    nodes: {
      S1: { taskId: taskId('p1'), state: 'healthy', reason: null },
      S2: { state: 'unhealthy', reason: 'it is ill' },
    },
    args: [
      ...['--listen=0.0.0.0:0', '--advertise=http://127.0.0.1:1', `--admin-router=${adminRouter.url}`],
      `--mesos-ca-file=${certificates.file('authority.pem')}`,
    ],
  });
  scheduler.framework.plans.set('deploy', fakePlan('deploy', 'COMPLETE', 'IN_PROGRESS'));
  services.set('nodemesh', scheduler.running.url);
  vi.stubEnv('DCOS_URL', adminRouter.url);
  vi.stubEnv('DCOS_ACS_TOKEN', TOKEN);
  vi.stubEnv('DCOS_TLS_CA_PATH', certificates.file('authority.pem'));
  return { adminRouter, services, scheduler };
}

describe('what the DC/OS CLI asks of a plugin', () => {
  test('is answered without a cluster', async () => {
    await run('nodemesh', '--info');
    expect(out).toMatch(/^[^\n]+\n$/);
    out = '';
    await run('nodemesh', '--version');
    expect(out).toBe('1.2.3\n');
    out = '';
    await run('nodemesh', '--config-schema');
    expect(JSON.parse(out)).toMatchObject({ type: 'object', properties: { service_name: { type: 'string' } } });
    for (const words of [['--help'], ['help'], ['help', 'status'], []]) {
      out = '';
      await run('nodemesh', ...words);
      expect(out).toMatch(/Usage: dcos nodemesh .*\n[\s\S]*Commands: .*status/);
    }
    out = '';
    await expect(run('nodemesh', 'plan', '--help')).rejects.toMatchObject({ exitCode: 0 });
    expect(out).toContain('Usage: dcos nodemesh plan');
  });

  test('permissions asks no cluster either, and is for the service of this name', async () => {
    await run('nodemesh', 'permissions', '--strict', '--name', 'mesh-2');
    expect(out).toContain('dcos:adminrouter:service:mesh-2 full');
    expect(err).toBe('');
  });

  test('without the name of a module, or with a command that there is not, is exit code 2', async () => {
    await expect(run()).rejects.toMatchObject({ exitCode: 2 });
    await expect(run('nodemesh', 'statsu')).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/'statsu'/),
    });
    await expect(run('nodemesh', '--name', 'a b', 'status')).rejects.toThrow(/no DC\/OS cluster is known/);
  });
});

describe('with the environment that the DC/OS CLI gives', () => {
  test('status says how the mesh is', async () => {
    await cluster();
    await run('nodemesh', 'status');
    expect(out).toMatch(/^nodemesh 0\.1\.0 at https:\/\/localhost:\d+\/service\/nodemesh\n/);
    expect(out).toMatch(/ mesos +subscribed as fake-0001\n/);
    expect(out).toMatch(/ nodes +2: 1 healthy, 1 unhealthy\n/);
    expect(out).toMatch(/ plans +deploy in progress \(1 of 2 steps\)\n/);
    expect(out).toMatch(/ warnings +.*S2.example is unhealthy: it is ill\n/s);
    out = '';
    await run('nodemesh', '-v', 'status', '--json');
    expect(JSON.parse(out)).toMatchObject({
      leading: true,
      nodes: { healthy: 1, unhealthy: 1 },
      plans: { deploy: { status: 'IN_PROGRESS', done: 1, all: 2 } },
    });
  });

  test('commands that change something are carried out, once', async () => {
    const { scheduler, adminRouter } = await cluster();
    adminRouter.failures.push(502);
    await run('nodemesh', 'freeze', 'help', 'is', 'near');
    expect(scheduler.framework.frozen).toBe(true);
    expect(adminRouter.log.filter((line) => line.startsWith('POST'))).toEqual([
      'POST /service/nodemesh/v1/freeze passed',
    ]);
    expect(err).toMatch(/does not reach 'nodemesh' yet \(502\); trying for a minute/);
  });

  test('the service may have another name: of the option, or of the configuration', async () => {
    const { services, scheduler } = await cluster();
    services.set('team/mesh', scheduler.running.url);
    await expect(run('nodemesh', '--name=other', 'nodes')).rejects.toThrow(
      /knows no service 'other': .* dcos config set nodemesh.service_name NAME/,
    );
    services.set('mesh', scheduler.running.url);
    vi.stubEnv('DCOS_NODEMESH_SERVICE_NAME', 'mesh');
    await run('nodemesh', 'status');
    expect(out).toContain('/service/mesh\n');
    out = '';
    await run('nodemesh', 'nodes', '--name', '/nodemesh');
    expect(out).toContain('S1.example');
  });
});

test('the file of the attached cluster does as well', async () => {
  const { adminRouter } = await cluster();
  for (const name of ['DCOS_URL', 'DCOS_ACS_TOKEN', 'DCOS_TLS_CA_PATH']) vi.stubEnv(name, undefined);
  const home = join(directory, 'dcos', 'clusters', 'one');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'attached'), '');
  writeFileSync(join(home, 'dcos_ca.crt'), pem('authority.pem'));
  const core = [`dcos_url = "${adminRouter.url}"`, `dcos_acs_token = "${TOKEN}"`, 'ssl_verify = "dcos_ca.crt"'];
  writeFileSync(join(home, 'dcos.toml'), ['[cluster]', 'name = "one"', '[core]', ...core].join('\n'));
  vi.stubEnv('DCOS_DIR', join(directory, 'dcos'));
  await run('nodemesh', 'services');
  expect(out).toContain('No services yet');
});

describe('what goes wrong is told with what to do', () => {
  test.each<[string, () => void, RegExp]>([
    [
      'no token',
      () => vi.stubEnv('DCOS_ACS_TOKEN', undefined),
      /needs a login, and there is no token: dcos auth login/,
    ],
    [
      'an old token',
      () => vi.stubEnv('DCOS_ACS_TOKEN', 'old'),
      /does not take the token \(any more\): dcos auth login/,
    ],
    ['no authority', () => vi.stubEnv('DCOS_TLS_CA_PATH', undefined), /certificate.*core\.ssl_verify/],
    ['no file of it', () => vi.stubEnv('DCOS_TLS_CA_PATH', '/none'), /\/none, cannot be read \(ENOENT\)/],
    ['nobody there', () => vi.stubEnv('DCOS_URL', 'https://127.0.0.1:1'), /connection refused.*dcos cluster list/],
  ])('%s', async (_what, change, message) => {
    await cluster();
    change();
    await expect(run('nodemesh', 'nodes')).rejects.toThrow(message);
  });

  test('the command by itself, which has no login', async () => {
    const plain = await AdminRouter.start({ services: new Map(), judge: () => 401 });
    try {
      const scheduler = `${plain.url}/service/nodemesh/`;
      const context = { version: '1.2.3', dist: '/nowhere', relaunch: [] };
      await expect(command(['nodes', '--scheduler', scheduler], context)).rejects.toThrow(
        /answered 401 to v1\/nodes: .*Then: dcos nodemesh/,
      );
    } finally {
      await plain.stop();
    }
  });

  test('a user who may not', async () => {
    await cluster({ judge: () => 403 });
    await expect(run('nodemesh', 'nodes')).rejects.toThrow(
      /may not use 'nodemesh'.*grant USER dcos:adminrouter:service:nodemesh full/,
    );
  });

  test('whoever answers is believed where the configuration says so', async () => {
    await cluster();
    vi.stubEnv('DCOS_TLS_CA_PATH', undefined);
    vi.stubEnv('DCOS_TLS_INSECURE', '1');
    await run('nodemesh', 'nodes');
    expect(out).toContain('S1.example');
  });
});

describe('while Admin Router does not reach the scheduler', () => {
  test('it is asked again for a minute, and no longer', async () => {
    const { adminRouter } = await cluster();
    const waits: number[] = [];
    let now = 0;
    const way = new AdminRouterWay({
      cluster: {
        url: new URL(adminRouter.url),
        token: TOKEN,
        trust: { kind: 'anybody' },
        serviceName: null,
        notes: [],
      },
      service: 'nodemesh',
      waiting: () => undefined,
      now: () => now,
      pause: async (ms) => {
        waits.push(ms);
        now += ms;
      },
    });
    const ask = () => way.send({ url: new URL('v1/health', way.scheduler), method: 'GET', headers: {} });
    adminRouter.failures.push(502, 503, 504);
    expect((await ask()).status).toBe(200);
    expect(waits).toEqual([500, 1_000, 2_000]);
    adminRouter.failures.push(...Array<number>(100).fill(502));
    await expect(ask()).rejects.toThrow(/has answered 502 for a minute.*dcos task log nodemesh/s);
    expect(now).toBeGreaterThan(55_000);
    expect(now).toBeLessThan(65_000);
    await expect(way.send({ url: new URL('v1/freeze', way.scheduler), method: 'POST', headers: {} })).rejects.toThrow(
      /502: whether it was done is not known/,
    );
    await way.close();
  });
});
