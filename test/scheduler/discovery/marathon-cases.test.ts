/** docs/marathon.md says where each case of the reference is tested: is it so? And what real definitions lead to. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readMarathonApp } from '../../../agent-proxy/routing/marathon-endpoints.ts';
import { readPod, readPodStatus } from '../../../scheduler/discovery/pods.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const SHARED = resolve(ROOT, '../shared');
const page = readFileSync(join(ROOT, 'docs/marathon.md'), 'utf8');

const cases = [...page.matchAll(/^\| ([DP]\d+) +\| (.*?) +\| (.*?) +\|$/gm)].map(
  ([, number = '', what = '', test = '']) => ({ number, what, path: /^`(.*)`$/.exec(test)?.[1] }),
);

describe('the list of cases', () => {
  test('names a test for each: one whose title has the number', () => {
    expect(cases.length).toBeGreaterThan(60);
    const missing = cases.filter(
      ({ number, path }) =>
        path !== undefined && !new RegExp(`['"(].*\\b${number}\\b`).test(readFileSync(join(ROOT, path), 'utf8')),
    );
    expect(missing).toEqual([]);
  });

  test('and a reason for each that has none', () => {
    const differences = readFileSync(join(ROOT, 'docs/differences.md'), 'utf8');
    const open = cases.filter(
      ({ number, path }) => path === undefined && !new RegExp(`\\b${number}\\b`).test(differences),
    );
    expect(open).toEqual([]);
  });

  test.runIf(existsSync(SHARED))('leaves out none of the reference', () => {
    const reference = readFileSync(join(SHARED, 'reference/mesos.md'), 'utf8');
    const numbers = [...reference.matchAll(/^\| ([DP]\d+) \|/gm)].map((match) => match[1]);
    expect(numbers.length).toBeGreaterThan(60);
    expect(numbers.filter((number) => !cases.some((each) => each.number === number))).toEqual([]);
  });
});

const fixtures = join(SHARED, 'fixtures/marathon');
describe.runIf(existsSync(fixtures))(
  "definitions of Marathon's own tests (not run: no ../shared, where absent)",
  () => {
    const document = (name: string): object => JSON.parse(readFileSync(join(fixtures, `${name}.json`), 'utf8'));
    const RUNNING = { id: 't.1', slaveId: 'S1', host: '10.0.0.1', state: 'TASK_RUNNING' };
    const V4 = { ipAddress: '9.0.0.5', protocol: 'IPv4' };
    const V6 = { ipAddress: 'fd01:d::5', protocol: 'IPv6' };

    test.each<[string, object, string | undefined]>([
      ['http-server', { ports: [31_000] }, '10.0.0.1 port0=31000'],
      ['docker-http-server', { ports: [31_000], ipAddresses: [{ ipAddress: '172.17.0.2' }] }, '10.0.0.1 port0=31000'],
      ['pinger-bridge-app', { ports: [7777] }, '10.0.0.1 http=7777'],
      ['pinger-container-app', { ports: [], ipAddresses: [V4] }, '9.0.0.5 my-port=7777'],
      ['pinger-container-app', { ports: [] }, undefined],
      ['ipv6-healthcheck', { ports: [31_000], ipAddresses: [V6] }, 'fd01:d::5 port0=8080'],
      ['ipv6-healthcheck', { ports: [31_000], ipAddresses: [V6, V4] }, '9.0.0.5 port0=8080'],
      ['readiness-and-health-app', { ports: [31_000] }, '10.0.0.1 api=31000'],
      ['app', { ports: [31_000] }, '10.0.0.1 http=31000'],
    ])('%s, as %j, is at %s', (name, task, expected) => {
      const [instance] = readMarathonApp({ ...document(name), tasks: [{ ...RUNNING, ...task }] })?.instances ?? [];
      const shown = instance?.ports.map((port) => `${port.name}=${port.port}`).join(' ');
      expect(instance && `${instance.address} ${shown}`).toBe(expected);
    });

    test.each([
      ['container-net-pod', 'nginx', 'web', '9.0.0.5 web=80'],
      ['container-bridge-pod', 'nginx', 'web', '10.0.0.1 web=31000'],
      ['ports-pod', 'health-app1', 'httpendpoint', '10.0.0.1 httpendpoint=31000'],
      ['pod', 'container1', 'httpendpoint', '9.0.0.5 httpendpoint=80'],
    ])('%s: container %s, endpoint %s is at %s', (name, container, endpoint, expected) => {
      const spec = document(name);
      const instance = {
        ...{ id: 'p.1', status: 'STABLE', agentHostname: '10.0.0.1', agentId: 'S1' },
        networks: [{ name: 'any', addresses: ['9.0.0.5'] }],
        containers: [{ name: container, endpoints: [{ name: endpoint, allocatedHostPort: 31_000 }] }],
      };
      const status = readPodStatus({ id: Reflect.get(spec, 'id'), spec, instances: [instance] });
      const [read] = status === null ? [] : readPod(status, new Map()).instances;
      expect(`${read?.address} ${read?.ports.map((port) => `${port.name}=${port.port}`).join(' ')}`).toBe(expected);
    });

    test('running tasks of a real list are found, and those that are staged are not', () => {
      const tasks: unknown = Reflect.get(document('tasks'), 'tasks');
      const staged: unknown = Reflect.get(document('app_tasks'), 'tasks');
      expect(readMarathonApp({ id: '/a', tasks })?.instances.map(({ host, port }) => `${host}:${port}`)).toEqual([
        'srv4.example.com:31292',
        'srv2.example.com:31721',
      ]);
      expect(readMarathonApp({ id: '/a', tasks: staged })?.instances).toEqual([]);
    });
  },
);
