/** Addresses, ports and health of pods: status and definition joined. */
import { describe, expect, test } from 'vitest';
import { missingSpecs, readPod, readPodSpec, readPodStatus } from '../../../scheduler/discovery/pods.ts';

const V1 = '2026-01-01T00:00:00.000Z';
const V2 = '2026-02-01T00:00:00.000Z';

const fe = (rest: object = {}, endpoint: object = {}) => ({
  name: 'fe',
  endpoints: [{ name: 'http', containerPort: 8000, hostPort: 0, protocol: ['tcp'], ...endpoint }],
  ...rest,
});
const spec = (network: object, containers: object[] = [fe()], version = V2) => ({
  id: '/web',
  version,
  labels: { team: 'w' },
  networks: [network],
  containers,
  scaling: { kind: 'fixed', instances: 1 },
});
const OVERLAY = { mode: 'container', name: 'dcos' };
const HOST = { mode: 'host' };
const CHECKED = fe({ healthCheck: { http: { endpoint: 'http', path: '/ok' } } });

const container = (rest: object = {}) => ({
  name: 'fe',
  status: 'TASK_RUNNING',
  containerId: 'web.instance-4.fe',
  endpoints: [{ name: 'http', allocatedHostPort: 31_000 }],
  conditions: [],
  ...rest,
});
const instance = (rest: object = {}) => ({
  id: 'web.instance-4',
  status: 'STABLE',
  agentHostname: '10.0.4.9',
  agentId: 'a-S4',
  networks: [{ name: 'dcos', addresses: ['9.0.3.9'] }],
  containers: [container()],
  specReference: `/v2/pods/web::versions/${V2}`,
  statusSince: V2,
  ...rest,
});

function pod(of: object, instances: object[], old: Record<string, object> = {}) {
  const status = readPodStatus({ id: '/web', spec: of, status: 'STABLE', instances }) ?? expect.fail();
  const specs = missingSpecs(status).flatMap((reference) => {
    const found = readPodSpec(old[reference]);
    return found === null ? [] : [[reference, found] as const];
  });
  return readPod(status, new Map(specs));
}

const shown = (...args: Parameters<typeof pod>) =>
  pod(...args).instances.map(({ address, ports, state }) =>
    [address, ...ports.map(({ name, port }) => `${name}=${port}`), state].join(' '),
  );

describe('D1: the address of a pod', () => {
  const two = [
    { name: 'side', endpoints: [{ name: 'stats', containerPort: 9000, protocol: ['udp'] }] },
    fe(),
    { name: 'admin', endpoints: [{ name: 'admin', containerPort: 9990, hostPort: 0 }] },
  ];
  test.each<[string, object, object, string[]]>([
    ['on a network of its own: its address and container ports', spec(OVERLAY), {}, ['9.0.3.9 http=8000 ready']],
    ['in host mode: the agent and its host ports', spec(HOST), {}, ['10.0.4.9 http=31000 ready']],
    ['on a bridge: as in host mode', spec({ mode: 'container/bridge' }), {}, ['10.0.4.9 http=31000 ready']],
    [
      'without an address yet: what has a host port',
      spec(OVERLAY),
      { networks: [{ name: 'dcos', addresses: [] }] },
      ['10.0.4.9 http=31000 ready'],
    ],
    [
      'IPv6, where there is nothing else',
      spec(OVERLAY),
      { networks: [{ addresses: ['fd01::9'] }] },
      ['fd01::9 http=8000 ready'],
    ],
    [
      'without a container port: the same number as the host port',
      spec(OVERLAY, [fe({}, { containerPort: null })]),
      {},
      ['9.0.3.9 http=31000 ready'],
    ],
    [
      'the network that its first endpoint names',
      spec(OVERLAY, [fe({}, { networkNames: ['blue'] })]),
      {
        networks: [
          { name: 'dcos', addresses: ['9.0.3.9'] },
          { name: 'blue', addresses: ['9.1.1.1'] },
        ],
      },
      ['9.1.1.1 http=8000 ready'],
    ],
    [
      'the endpoints of all containers, without those of UDP',
      spec(OVERLAY, two),
      { containers: [container()] },
      ['9.0.3.9 http=8000 admin=9990 ready'],
    ],
  ])('%s', (_name, of, rest, expected) => {
    expect(shown(of, [instance(rest)])).toEqual(expected);
  });

  test('the index of an endpoint is its position in the definition, over all containers', () => {
    const [only] = pod(spec(OVERLAY, two), [instance()]).instances;
    expect(only?.ports).toEqual([
      { name: 'http', port: 8000, index: 1 },
      { name: 'admin', port: 9990, index: 2 },
    ]);
  });

  test('an instance is read by the definition of its own version', () => {
    const reference = `/v2/pods/web::versions/${V1}`;
    const old = spec(OVERLAY, [fe({}, { containerPort: 7000 })], V1);
    const instances = [instance(), instance({ id: 'web.instance-3', specReference: reference })];
    expect(missingSpecs(readPodStatus({ id: '/web', spec: spec(OVERLAY), instances }) ?? expect.fail())).toEqual([
      reference,
    ]);
    expect(shown(spec(OVERLAY), instances, { [reference]: old })).toEqual([
      '9.0.3.9 http=7000 ready',
      '9.0.3.9 http=8000 ready',
    ]);
    const without = pod(spec(OVERLAY), instances);
    expect(without.instances).toHaveLength(1);
    expect(without.leftOut).toEqual([
      { taskId: 'web.instance-3', reason: 'has a definition that Marathon does not tell' },
    ]);
  });
});

describe('D29: which instances get traffic', () => {
  const condition = (value: string) => ({ conditions: [{ name: 'healthy', value }] });
  test.each<[string, object, object[], string[]]>([
    ['STABLE', {}, [fe()], ['ready']],
    ['PENDING', { status: 'PENDING' }, [fe()], []],
    ['STAGING', { status: 'STAGING' }, [fe()], []],
    ['TERMINAL', { status: 'TERMINAL', containers: [container({ status: 'TASK_FINISHED' })] }, [fe()], []],
    ['TERMINAL while it is killed', { status: 'TERMINAL' }, [fe()], ['draining']],
    ['DEGRADED', { status: 'DEGRADED' }, [fe()], ['unhealthy']],
    [
      'out of sight',
      { status: 'DEGRADED', containers: [container({ status: 'TASK_UNREACHABLE' })] },
      [fe()],
      ['suspect'],
    ],
    ['checked and well', { containers: [container(condition('true'))] }, [CHECKED], ['ready']],
    ['checked and not well', { containers: [container(condition('false'))] }, [CHECKED], ['unhealthy']],
    ['checked without a result', {}, [CHECKED], ['unhealthy']],
    [
      'checked, with the result at its endpoint',
      { containers: [container({ endpoints: [{ name: 'http', allocatedHostPort: 31_000, healthy: true }] })] },
      [CHECKED],
      ['ready'],
    ],
  ])('%s', (_name, rest, containers, expected) => {
    expect(pod(spec(HOST, containers), [instance(rest)]).instances.map(({ state }) => state)).toEqual(expected);
  });

  test('of a DEGRADED pod that says so: those whose containers with endpoints run and are healthy', () => {
    const helper = { name: 'helper', status: 'TASK_FAILED' };
    const stateOf = (serving: object, definition: object = fe()): string[] => {
      const serves = { ...spec(HOST, [definition, { name: 'helper' }]), labels: { NODEMESH_DEGRADED: 'serve' } };
      const containers = [container(serving), helper];
      return pod(serves, [instance({ status: 'DEGRADED', containers })]).instances.map(({ state }) => state);
    };
    expect(stateOf({})).toEqual(['ready']);
    expect(stateOf({ status: 'TASK_FAILED' })).toEqual(['unhealthy']);
    expect(stateOf(condition('true'), CHECKED)).toEqual(['ready']);
    expect(stateOf(condition('false'), CHECKED)).toEqual(['unhealthy']);
    expect(stateOf({}, CHECKED)).toEqual(['unhealthy']);
  });

  test('what is told besides', () => {
    const read = pod(spec(HOST), [instance(), instance({ id: 'web.instance-5', agentId: null })]);
    expect(read).toMatchObject({ kind: 'pod', name: 'web', version: V2, wanted: 1, labels: { team: 'w' } });
    expect(read.instances[0]).toMatchObject({
      taskId: 'web.instance-4',
      mesosTaskId: 'web.instance-4.fe',
      agentId: 'a-S4',
      startedAt: Date.parse(V2),
    });
    expect(read.leftOut).toEqual([{ taskId: 'web.instance-5', reason: 'names no agent' }]);
  });

  test('the labels of its endpoints are told with their ports, in the order of the definition', () => {
    const containers = [fe({}, { labels: { VIP_0: '/web:80', n: 7 } }), fe({ name: 'be' }, { name: null })];
    expect(pod(spec(HOST, containers), [instance()]).definedPorts).toEqual([
      { name: 'http', labels: { VIP_0: '/web:80', n: '7' } },
      { name: 'port1', labels: {} },
    ]);
  });

  test.each([null, 'x', {}, { id: '' }, { id: 7 }])('%j is no pod', (document) => {
    expect(readPodStatus(document)).toBeNull();
  });
});
