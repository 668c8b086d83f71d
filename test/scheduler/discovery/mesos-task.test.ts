/** Where a task is reached, in every way that it can be on a network; who is meant to find it; how it is. */
import { describe, expect, test } from 'vitest';
import { operatorTaskSchema, taskStatusSchema } from '../../../framework/mesos-http-client/messages.ts';
import {
  afterStatus,
  conditionOf,
  discoverableOf,
  endpointState,
  hasEnded,
  locate,
  serviceName,
} from '../../../scheduler/discovery/mesos-task.ts';
import { status, task } from './mesos-tasks.ts';

const AGENT = '10.0.0.1';

function located(json: object) {
  const read = operatorTaskSchema.parse(json);
  const discoverable = discoverableOf(read);
  if (discoverable === null) return null;
  return locate(discoverable, conditionOf(read), AGENT);
}

const discovery = (ports: object[], rest: object = {}): object => ({
  discovery: { visibility: 'CLUSTER', name: 'node', ports: { ports }, ...rest },
});
const scoped = (scope: string): object => ({ labels: { labels: [{ key: 'network-scope', value: scope }] } });
const onNetwork = (name: string | undefined, ...ips: string[]): object => ({
  container_status: {
    network_infos: [
      { ...(name === undefined ? {} : { name }), ip_addresses: ips.map((ip_address) => ({ ip_address })) },
    ],
  },
});
const running = (rest: object): object => ({ statuses: [status('t', 'TASK_RUNNING', { ...rest })] });

describe('a task is reached', () => {
  const two = [
    { number: 31_000, name: 'http', protocol: 'tcp' },
    { number: 31_001, protocol: 'tcp' },
  ];

  test('at its agent, on the network of its agent', () => {
    const at = located(task('t', { ...discovery(two), ...running(onNetwork(undefined, '10.9.9.9')) }));
    expect(at).toEqual({
      address: AGENT,
      ports: [
        { name: 'http', port: 31_000 },
        { name: 'port1', port: 31_001 },
      ],
    });
  });

  test('at its own address, on a network of its own (UCR)', () => {
    const container = { type: 'MESOS', network_infos: [{ name: 'dcos' }] };
    expect(
      located(task('t', { ...discovery(two), container, ...running(onNetwork('dcos', '9.0.2.7')) })),
    ).toMatchObject({
      address: '9.0.2.7',
      ports: [{ port: 31_000 }, { port: 31_001 }],
    });
    // Not before the address is known.
    expect(located(task('t', { ...discovery(two), container }))).toBeNull();
  });

  test('at its own address, on a user network of Docker; IPv4 before IPv6, and never at loopback', () => {
    const container = { type: 'DOCKER', docker: { network: 'USER' }, network_infos: [{ name: 'dcos' }] };
    const both = running(onNetwork(undefined, '127.0.0.1', 'fd01::7', '9.0.2.8'));
    expect(located(task('t', { ...discovery(two), container, ...both }))?.address).toBe('9.0.2.8');
    const six = running(onNetwork(undefined, '::1', 'fd01::7'));
    expect(located(task('t', { ...discovery(two), container, ...six }))?.address).toBe('fd01::7');
  });

  test('through the mapped port of its agent, behind a bridge', () => {
    const ports = [{ number: 8080, name: 'http' }];
    const mapped = { port_mappings: [{ host_port: 31_500, container_port: 8080 }] };
    const expected = { address: AGENT, ports: [{ name: 'http', port: 31_500 }] };
    const docker = { type: 'DOCKER', docker: { network: 'BRIDGE', ...mapped } };
    expect(
      located(task('t', { ...discovery(ports), container: docker, ...running(onNetwork(undefined, '172.17.0.2')) })),
    ).toEqual(expected);
    const ucr = { type: 'MESOS', network_infos: [{ name: 'mesos-bridge', ...mapped }] };
    expect(
      located(
        task('t', { ...discovery(ports), container: ucr, ...running(onNetwork('mesos-bridge', '172.31.254.2')) }),
      ),
    ).toEqual(expected);
    // Where the port that is named is the agent's already.
    const host = [{ number: 31_500, name: 'http', ...scoped('host') }];
    expect(located(task('t', { ...discovery(host), container: ucr }))).toEqual(expected);
  });

  test('by the ports of the side that its address is on', () => {
    const ports = [
      { number: 31_000, name: 'host', ...scoped('host') },
      { number: 8080, name: 'container', ...scoped('container') },
    ];
    const container = { type: 'MESOS', network_infos: [{ name: 'dcos' }] };
    const own = running(onNetwork('dcos', '9.0.2.7'));
    expect(located(task('t', { ...discovery(ports), container, ...own }))).toEqual({
      address: '9.0.2.7',
      ports: [{ name: 'container', port: 8080, index: 1 }],
    });
    const hostOnly = ports.slice(0, 1);
    expect(located(task('t', { ...discovery(hostOnly), container, ...own }))).toEqual({
      address: AGENT,
      ports: [{ name: 'host', port: 31_000 }],
    });
  });

  test('where its updates say, when it is one of a group', () => {
    expect(located(task('t', { ...discovery(two), ...running(onNetwork('dcos', '9.0.2.7')) }))?.address).toBe(
      '9.0.2.7',
    );
    expect(
      located(task('t', { ...discovery(two), ...running(onNetwork('mesos-bridge', '172.31.254.2')) }))?.address,
    ).toBe(AGENT);
  });

  test('by the ports that it holds, where it names none', () => {
    const ports = { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31_005, end: 31_006 }] } };
    expect(located(task('t', { discovery: { visibility: 'CLUSTER' }, resources: [ports] }))?.ports).toEqual([
      { name: 'port0', port: 31_005 },
      { name: 'port1', port: 31_006 },
    ]);
  });
});

describe('a task is not to be found', () => {
  test.each([
    ['without DiscoveryInfo', { discovery: undefined }],
    ['for its framework only', discovery([{ number: 1 }], { visibility: 'FRAMEWORK' })],
    ['without a port', discovery([])],
    ['with ports of UDP only', discovery([{ number: 53, protocol: 'udp' }])],
    ['with ports for its framework only', discovery([{ number: 53, visibility: 'FRAMEWORK' }])],
    ['with a port that is none', discovery([{ number: 0 }, { number: 70_000 }])],
  ])('%s', (_name, rest) => {
    expect(discoverableOf(operatorTaskSchema.parse(task('t', rest)))).toBeNull();
  });

  test('a port that is left out does not give its name to the next', () => {
    const ports = [
      { number: 53, protocol: 'udp' },
      { number: 80, protocol: 'tcp' },
    ];
    expect(located(task('t', discovery(ports)))?.ports).toEqual([{ name: 'port1', port: 80, index: 1 }]);
  });
});

test.each([
  ['hello-world', 'node-0-server', '#io.nodemesh.mesos/hello-world/node-0-server'],
  ['/data/Kafka', 'broker-0', '#io.nodemesh.mesos/data/kafka/broker-0'],
  ['Aurora', 'www-data.prod.hello', '#io.nodemesh.mesos/aurora/www-data.prod.hello'],
  ['My Framework (EU)', 'a:b', '#io.nodemesh.mesos/my-framework-eu/a-b'],
  ['???', 'a', null],
  ['f', '/', null],
])('the name of %s and %s is %s', (of, name, expected) => {
  expect(serviceName(of, name)).toBe(expected);
});

describe('how a task is', () => {
  const checked = { health_check: { type: 'HTTP' } };
  const stateOf = (json: object): string | null => {
    const read = operatorTaskSchema.parse(json);
    const discoverable = discoverableOf(read);
    return discoverable === null ? 'not found' : endpointState(discoverable, conditionOf(read));
  };

  test.each([
    ['running, without a check', task('t'), 'ready'],
    ['running, not checked yet', task('t', checked), 'unhealthy'],
    ['running, its check passed', task('t', { ...checked, ...running({ healthy: true }) }), 'ready'],
    ['running, its check failed', task('t', running({ healthy: false })), 'unhealthy'],
    ['staging', task('t', { state: 'TASK_STAGING' }), null],
    ['starting', task('t', { state: 'TASK_STARTING' }), null],
    ['being killed', task('t', { state: 'TASK_KILLING' }), 'draining'],
    ['unreachable', task('t', { state: 'TASK_UNREACHABLE' }), 'suspect'],
    [
      'lost with its agent',
      task('t', { state: 'TASK_LOST', statuses: [status('t', 'TASK_LOST', { unreachable_time: { nanoseconds: 1 } })] }),
      'suspect',
    ],
    ['lost', task('t', { state: 'TASK_LOST' }), null],
  ])('%s', (_name, json, expected) => {
    expect(stateOf(json)).toBe(expected);
  });

  test('has ended with a final state, unless it may come back with its agent', () => {
    const ended = (state: string, rest: object = {}): boolean =>
      hasEnded(
        conditionOf(operatorTaskSchema.parse(task('t', { state, statuses: [status('t', state, rest as never)] }))),
      );
    expect(
      ['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED', 'TASK_ERROR', 'TASK_LOST', 'TASK_GONE_BY_OPERATOR'].map((s) =>
        ended(s),
      ),
    ).not.toContain(false);
    expect(['TASK_RUNNING', 'TASK_KILLING', 'TASK_UNREACHABLE', 'TASK_UNKNOWN'].map((s) => ended(s))).not.toContain(
      true,
    );
    expect(ended('TASK_LOST', { unreachable_time: { nanoseconds: 5 } })).toBe(false);
  });

  test('keeps its health, its address and its beginning through updates that say nothing of them', () => {
    const first = conditionOf(
      operatorTaskSchema.parse(task('t', running({ healthy: true, ...onNetwork('dcos', '9.0.2.7') }))),
    );
    const later = taskStatusSchema.parse(status('t', 'TASK_RUNNING', { timestamp: 1_795_192_999 }));
    expect(afterStatus(first, later, 'TASK_RUNNING')).toEqual({
      state: 'TASK_RUNNING',
      lost: false,
      healthy: true,
      own: { ip: '9.0.2.7', named: true },
      startedAt: 1_795_192_464_500,
    });
  });
});
