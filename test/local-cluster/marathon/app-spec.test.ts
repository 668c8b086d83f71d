import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isConfigChange } from '../../../local-cluster/marathon/app-service.ts';
import { type AppSpec, parseApp, portWishes, updatedApp } from '../../../local-cluster/marathon/app-spec.ts';

function valid(input: unknown): AppSpec {
  const result = parseApp(input);
  if (!result.ok) throw new Error(JSON.stringify(result.details));
  return result.spec;
}

function faults(input: unknown): Record<string, string[]> {
  const result = parseApp(input);
  return result.ok ? {} : Object.fromEntries(result.details.map(({ path, errors }) => [path, errors]));
}

const app = (fields: Record<string, unknown>) => ({ id: '/app', cmd: 'run', ...fields });

describe('ids', () => {
  test('are absolute, lower case and DNS-like', () => {
    expect(valid(app({ id: 'a/b' })).id).toBe('/a/b');
    expect(valid(app({ id: '/a.b-c/d1' })).id).toBe('/a.b-c/d1');
    for (const id of ['/A', '/a_b', '/-a', '/a/b-', '/a b'])
      expect(faults(app({ id }))['/id']?.[0]).toContain('must fully match');
    expect(faults(app({ id: '/' }))['/id']).toEqual(['must not be empty']);
    expect(faults(app({ id: '/a/tasks' }))['/id']?.[0]).toContain('reserved keywords');
  });
});

describe('what an app must say', () => {
  test('a command, arguments or an image', () => {
    expect(faults({ id: '/app' })['/']?.[0]).toContain("'cmd' or 'args'");
    expect(valid({ id: '/app', args: ['sleep', '1'] }).args).toEqual(['sleep', '1']);
    expect(faults(app({ args: ['x'] }))['/']?.[0]).toContain('not both');
  });

  test('checks that point at ports which exist, one by Mesos at most', () => {
    expect(faults(app({ healthChecks: [{ protocol: 'HTTP', portIndex: 1 }] }))).toHaveProperty(['/healthChecks(0)']);
    expect(faults(app({ healthChecks: [{ protocol: 'MESOS_TCP' }, { protocol: 'MESOS_HTTP' }] }))).toHaveProperty([
      '/healthChecks',
    ]);
    expect(faults(app({ healthChecks: [{ protocol: 'COMMAND' }] }))).toHaveProperty(['/healthChecks(0)/command']);
    expect(faults(app({ healthChecks: [{ protocol: 'SMOKE' }] }))).toHaveProperty(['/healthChecks(0)/protocol']);
  });

  test('one readiness check, whose answer is not waited for until the next one is due', () => {
    const check = (fields: object) => faults(app({ readinessChecks: [fields] }));
    expect(check({ intervalSeconds: 5, timeoutSeconds: 4 })).toEqual({});
    expect(check({})).toEqual({});
    expect(check({ intervalSeconds: 5, timeoutSeconds: 5 })).toEqual({
      '/readinessChecks(0)/timeoutSeconds': ['got 5, expected less than 5'],
    });
    // Ten seconds are the default.
    expect(check({ intervalSeconds: 5 })).toHaveProperty(['/readinessChecks(0)/timeoutSeconds']);
    expect(faults(app({ readinessChecks: [{}, {}] }))).toHaveProperty(['/readinessChecks']);
  });

  test('a check gets its defaults', () => {
    expect(valid(app({ healthChecks: [{ protocol: 'MESOS_HTTP' }] })).healthChecks).toEqual([
      {
        ...{ protocol: 'MESOS_HTTP', path: '/', portIndex: 0, gracePeriodSeconds: 300, intervalSeconds: 60 },
        ...{ timeoutSeconds: 20, maxConsecutiveFailures: 3, delaySeconds: 15 },
      },
    ]);
    const command = { protocol: 'COMMAND', command: { value: 'true' } };
    expect(valid(app({ healthChecks: [command] })).healthChecks).toMatchObject([{ delaySeconds: 15 }]);
    for (const protocol of ['HTTP', 'HTTPS', 'TCP']) {
      expect(valid(app({ healthChecks: [{ protocol }] })).healthChecks[0]?.delaySeconds).toBeUndefined();
    }
  });
});

describe('ports', () => {
  test('of the host network are free unless they are required', () => {
    const portDefinitions = [{ port: 7_000, name: 'http' }];
    expect(portWishes(valid(app({ portDefinitions })))).toMatchObject([
      { hostPort: 0, servicePort: 7_000, name: 'http' },
    ]);
    expect(portWishes(valid(app({ portDefinitions, requirePorts: true })))).toMatchObject([{ hostPort: 7_000 }]);
    expect(portWishes(valid(app({ portDefinitions: [] })))).toEqual([]);
  });

  test('of a bridge are host ports, and of a container network only those that ask', () => {
    const container = { portMappings: [{ containerPort: 80 }, { containerPort: 81, hostPort: 9_000, name: 'b' }] };
    expect(portWishes(valid(app({ networks: [{ mode: 'container/bridge' }], container })))).toMatchObject([
      { hostPort: 0 },
      { hostPort: 9_000 },
    ]);
    expect(portWishes(valid(app({ networks: [{ mode: 'container', name: 'dcos' }], container })))).toMatchObject([
      { hostPort: 9_000, name: 'b' },
    ]);
  });

  test('and fetches may be said in the older way', () => {
    expect(valid(app({ ports: [0, 81] })).portDefinitions).toMatchObject([{ port: 0 }, { port: 81 }]);
    expect(valid(app({ uris: ['http://x/y.tgz'] })).fetch).toEqual([
      { uri: 'http://x/y.tgz', extract: true, executable: false, cache: false },
    ]);
  });
});

describe('an update', () => {
  const old = valid(app({ instances: 2, env: { A: '1', B: '2' } }));

  test('replaces the fields that it names, as a whole', () => {
    const result = updatedApp(old, { env: { C: '3' } });
    expect(result).toMatchObject({ ok: true, spec: { env: { C: '3' }, instances: 2, cmd: 'run' } });
    expect(updatedApp(old, { args: ['x'] })).toMatchObject({ ok: true, spec: { args: ['x'] } });
  });

  test('of the number of instances is no reason to replace any', () => {
    expect(isConfigChange(old, { ...old, instances: 9 })).toBe(false);
    expect(isConfigChange(old, { ...old, env: { B: '2', A: '1' } })).toBe(false);
    expect(isConfigChange(old, { ...old, env: { A: '1' } })).toBe(true);
  });

  test('of a normalised definition with itself changes nothing', () => {
    const again = updatedApp(old, { ...old });
    expect(again.ok && isConfigChange(old, again.spec)).toBe(false);
  });
});

const fixtures = resolve(import.meta.dirname, '../../../../shared/fixtures/marathon');
describe.runIf(existsSync(fixtures))(
  "definitions of Marathon's own tests (not run: no ../shared, where absent)",
  () => {
    test.each([
      'http-server',
      'docker-http-server',
      'pinger-bridge-app',
      'pinger-container-app',
      'readiness-and-health-app',
      'ipv6-healthcheck',
    ])('%s is accepted', (name) => {
      expect(parseApp(JSON.parse(readFileSync(join(fixtures, `${name}.json`), 'utf8')))).toMatchObject({ ok: true });
    });
  },
);
