/** Addresses, ports and health of Marathon's instances, by networking mode; the samples are those of real Marathons. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readMarathonApp } from '../../../agent-proxy/routing/marathon-endpoints.ts';

const RUNNING = { state: 'TASK_RUNNING', slaveId: 'a-S3', host: '10.0.4.7' };

/** Each instance as `address:port (name) address:port (name)`. */
function addresses(app: object): string[] {
  const read = readMarathonApp(app);
  return (read?.instances ?? []).map((instance) => {
    expect(instance.ports[0]?.port).toBe(instance.port);
    return instance.ports.map(({ name, port }) => `${instance.address}:${port} (${name})`).join(' ');
  });
}

const hostMode = {
  id: '/shop/cart',
  networks: [{ mode: 'host' }],
  portDefinitions: [{ port: 10110, name: 'http', protocol: 'tcp', labels: { VIP_0: '/cart:80' } }],
  labels: { HAPROXY_GROUP: 'external' },
  deployments: [],
  tasks: [
    {
      ...RUNNING,
      id: 'shop_cart.instance-1c1._app.1',
      appId: '/shop/cart',
      ports: [21877],
      ipAddresses: [{ ipAddress: '10.0.4.7', protocol: 'IPv4' }],
      servicePorts: [],
    },
  ],
};

const overlayMappings = [
  { containerPort: 5432, servicePort: 10130, name: 'pg', labels: { VIP_0: '/db:5432' } },
  { containerPort: 9187, hostPort: 0, servicePort: 10131, name: 'exp' },
];

const bridge = {
  id: '/api',
  networks: [{ mode: 'container/bridge' }],
  container: {
    type: 'MESOS',
    portMappings: [
      { containerPort: 8080, hostPort: 0, servicePort: 10120, name: 'http' },
      { containerPort: 9102, hostPort: 0, servicePort: 10121, name: 'metrics' },
    ],
  },
  tasks: [
    { ...RUNNING, id: 'api.1', ports: [9411, 9412], ipAddresses: [{ ipAddress: '172.31.254.3', protocol: 'IPv4' }] },
  ],
};

function overlay(
  task: object,
  mappings: object[] = overlayMappings,
  networks: object[] = [{ mode: 'container', name: 'dcos' }],
) {
  return { id: '/db', networks, container: { portMappings: mappings }, tasks: [{ ...RUNNING, id: 'db.1', ...task }] };
}

const IP = [{ ipAddress: '9.0.3.4', protocol: 'IPv4' }];

describe('the address of an instance', () => {
  test.each<[string, object, string[]]>([
    ['D1: host mode: the agent and its host port', hostMode, ['10.0.4.7:21877 (http)']],
    ['no networks at all is host mode', { ...hostMode, networks: undefined }, ['10.0.4.7:21877 (http)']],
    ['an empty list of networks is host mode', { ...hostMode, networks: [] }, ['10.0.4.7:21877 (http)']],
    ['bridge: the agent, never the node-local address', bridge, ['10.0.4.7:9411 (http) 10.0.4.7:9412 (metrics)']],
    [
      'overlay: the task and its container ports; ports[0] belongs to the second mapping',
      overlay({ ports: [1201], ipAddresses: IP }),
      ['9.0.3.4:5432 (pg) 9.0.3.4:9187 (exp)'],
    ],
    [
      'a network without a mode is a container network',
      overlay({ ipAddresses: IP }, overlayMappings, [{ name: 'dcos' }]),
      ['9.0.3.4:5432 (pg) 9.0.3.4:9187 (exp)'],
    ],
    [
      'overlay without an address yet: what has a host port, by the index trap',
      overlay({ ports: [1201] }),
      ['10.0.4.7:1201 (exp)'],
    ],
    ['overlay without an address and host ports: not routable', overlay({ ports: [] }), []],
    [
      'container port 0 is the number of the host port',
      overlay({ ports: [1201, 1300], ipAddresses: IP }, [
        { containerPort: 80, name: 'a' },
        { containerPort: 0, hostPort: 0, name: 'b' },
        { containerPort: 0, hostPort: 0, name: 'c' },
      ]),
      ['9.0.3.4:80 (a) 9.0.3.4:1201 (b) 9.0.3.4:1300 (c)'],
    ],
    [
      'several networks: the one that the first mapping names, and only its mappings',
      overlay(
        {
          ipAddresses: [
            { ipAddress: '9.0.1.1', protocol: 'IPv4' },
            { ipAddress: '9.0.2.2', protocol: 'IPv4' },
          ],
        },
        [
          { containerPort: 80, name: 'web', networkNames: ['blue'] },
          { containerPort: 81, name: 'other', networkNames: ['red'] },
          { containerPort: 82, name: 'any' },
        ],
        [
          { mode: 'container', name: 'red' },
          { mode: 'container', name: 'blue' },
        ],
      ),
      ['9.0.2.2:80 (web) 9.0.2.2:82 (any)'],
    ],
    [
      'IPv6 and loopback are passed over',
      overlay({
        ipAddresses: [
          { ipAddress: 'fd01:b::1', protocol: 'IPv6' },
          { ipAddress: '127.0.0.1', protocol: 'IPv4' },
          { ipAddress: '', protocol: 'IPv4' },
          ...IP,
        ],
      }),
      ['9.0.3.4:5432 (pg) 9.0.3.4:9187 (exp)'],
    ],
    [
      'legacy ip-per-task',
      {
        id: '/ip',
        ipAddress: { networkName: 'dcos', discovery: { ports: [{ number: 8080, name: 'http', protocol: 'tcp' }] } },
        tasks: [{ ...RUNNING, id: 'ip.1', ipAddresses: IP, ports: [] }],
      },
      ['9.0.3.4:8080 (http)'],
    ],
    [
      'legacy docker BRIDGE',
      {
        id: '/old',
        container: { docker: { network: 'BRIDGE', portMappings: [{ containerPort: 80, hostPort: 0, name: 'http' }] } },
        tasks: [{ ...RUNNING, id: 'old.1', ports: [31000] }],
      },
      ['10.0.4.7:31000 (http)'],
    ],
    [
      'legacy docker USER',
      {
        id: '/old',
        ipAddress: { networkName: 'dcos' },
        container: { docker: { network: 'USER', portMappings: [{ containerPort: 80, name: 'http' }] } },
        tasks: [{ ...RUNNING, id: 'old.1', ports: [], ipAddresses: IP }],
      },
      ['9.0.3.4:80 (http)'],
    ],
    [
      'legacy docker HOST without definitions: ports without names',
      {
        id: '/old',
        container: { docker: { network: 'HOST' } },
        tasks: [{ ...RUNNING, id: 'old.1', ports: [31000, 31001] }],
      },
      ['10.0.4.7:31000 (port0) 10.0.4.7:31001 (port1)'],
    ],
    [
      'fewer ports than definitions: as many as there are',
      { ...hostMode, portDefinitions: [{ name: 'a' }, { name: 'b' }] },
      ['10.0.4.7:21877 (a)'],
    ],
    [
      'more ports than definitions: as many as are defined',
      { ...hostMode, tasks: [{ ...hostMode.tasks[0], ports: [1, 2] }] },
      ['10.0.4.7:1 (http)'],
    ],
    ['no definitions: no ports', { ...hostMode, portDefinitions: [] }, []],
    [
      'P1: no networks and no definitions: every port',
      { id: '/p', tasks: [{ ...RUNNING, id: 'p.1', ports: [234, 345, 567] }] },
      ['10.0.4.7:234 (port0) 10.0.4.7:345 (port1) 10.0.4.7:567 (port2)'],
    ],
    [
      'P3: a task that tells no ports: those of the definitions where they are required',
      { ...hostMode, requirePorts: true, tasks: [{ ...hostMode.tasks[0], ports: [] }] },
      ['10.0.4.7:10110 (http)'],
    ],
    ['P3: and none where they are not', { ...hostMode, tasks: [{ ...hostMode.tasks[0], ports: [] }] }, []],
    [
      'P4: ports of a discovery',
      {
        id: '/p',
        ipAddress: { discovery: { ports: [{ number: 123, name: 'a' }, { number: 234 }] } },
        tasks: [{ ...RUNNING, id: 'p.1', ports: [], ipAddresses: IP }],
      },
      ['9.0.3.4:123 (a) 9.0.3.4:234 (port1)'],
    ],
    [
      'P5: and no address',
      { id: '/p', ipAddress: { discovery: { ports: [{ number: 123 }] } }, tasks: [{ ...RUNNING, id: 'p.1' }] },
      [],
    ],
    [
      'P7: container ports',
      overlay({ ipAddresses: IP }, [{ containerPort: 80 }, { containerPort: 81 }]),
      ['9.0.3.4:80 (port0) 9.0.3.4:81 (port1)'],
    ],
    ['P8, P15: and no address yet', overlay({}, [{ containerPort: 80 }, { containerPort: 81 }]), []],
    [
      'P9: a mapping without anything in it',
      {
        ...overlay({ ipAddresses: IP }, []),
        networks: [],
        container: { docker: { network: 'USER', portMappings: [{}] } },
      },
      [],
    ],
    [
      'P11: host ports of a task on a network of its own, without mappings',
      overlay({ ports: [80, 81], ipAddresses: IP }, []),
      [],
    ],
    [
      'P12, P13: the first of several addresses',
      overlay({ ipAddresses: [{ ipAddress: '9.0.1.1' }, { ipAddress: '9.0.2.2' }] }, [{ containerPort: 80 }]),
      ['9.0.1.1:80 (port0)'],
    ],
    [
      'P55: as many ports as each task has',
      {
        ...hostMode,
        portDefinitions: [{ name: 'a' }, { name: 'b' }],
        tasks: [
          { ...RUNNING, id: 't.1', ports: [1] },
          { ...RUNNING, id: 't.2', ports: [2, 3] },
        ],
      },
      ['10.0.4.7:1 (a)', '10.0.4.7:2 (a) 10.0.4.7:3 (b)'],
    ],
    [
      'IPv6 where there is nothing else',
      overlay({
        ipAddresses: [
          { ipAddress: 'fe80::1', protocol: 'IPv6' },
          { ipAddress: 'fd01:b::1', protocol: 'IPv6' },
        ],
      }),
      ['fd01:b::1:5432 (pg) fd01:b::1:9187 (exp)'],
    ],
    [
      'several dual-stack networks: positions count within a family',
      overlay(
        { ipAddresses: ['9.0.1.1', 'fd01::1', '9.0.2.2', 'fd02::2'].map((ipAddress) => ({ ipAddress })) },
        [{ containerPort: 80, networkNames: ['blue'] }],
        [{ name: 'red' }, { name: 'blue' }],
      ),
      ['9.0.2.2:80 (port0)'],
    ],
    [
      'a port of UDP alone is none for HTTP',
      overlay({ ipAddresses: IP }, [
        { containerPort: 53, name: 'dns', protocol: 'udp' },
        { containerPort: 80, name: 'http', protocol: 'udp,tcp' },
      ]),
      ['9.0.3.4:80 (http)'],
    ],
    [
      'D4: host ports fewer than mappings',
      { ...bridge, tasks: [{ ...bridge.tasks[0], ports: [9411] }] },
      ['10.0.4.7:9411 (http)'],
    ],
    ['D5: no mappings', { ...bridge, container: { portMappings: [] } }, []],
    [
      'P56: a task without a host',
      {
        ...hostMode,
        tasks: [
          { ...hostMode.tasks[0], host: null },
          { ...RUNNING, id: 'x', ports: [5] },
        ],
      },
      ['10.0.4.7:5 (http)'],
    ],
    [
      'P25: all tasks that run',
      { ...hostMode, tasks: [1, 2].map((n) => ({ ...RUNNING, id: `t.${n}`, ports: [n] })) },
      ['10.0.4.7:1 (http)', '10.0.4.7:2 (http)'],
    ],
  ])('%s', (_name, app, expected) => {
    expect(addresses(app)).toEqual(expected);
  });

  test('the index of a port is its position in the definitions, also where one before it is missing', () => {
    const [instance] = readMarathonApp(overlay({ ports: [1201] }))?.instances ?? [];
    expect(instance?.ports).toEqual([{ name: 'exp', port: 1201, index: 1 }]);
    const [all] = readMarathonApp(overlay({ ports: [1201], ipAddresses: IP }))?.instances ?? [];
    expect(all?.ports).toEqual([
      { name: 'pg', port: 5432 },
      { name: 'exp', port: 9187 },
    ]);
  });

  test('what cannot be reached is told with its reason', () => {
    const tasks = [
      { ...RUNNING, id: 't.1' },
      { ...RUNNING, id: 't.2', slaveId: null },
    ];
    expect(readMarathonApp({ ...overlay({}), tasks })?.leftOut).toEqual([
      { taskId: 't.1', reason: 'has no address on its network yet' },
      { taskId: 't.2', reason: 'names no agent' },
    ]);
    expect(readMarathonApp({ ...hostMode, portDefinitions: [] })?.leftOut[0]?.reason).toBe('has no port');
  });

  test('D5: an app without ports is known all the same', () => {
    expect(readMarathonApp({ ...hostMode, portDefinitions: [] })).toMatchObject({ name: 'shop/cart', instances: [] });
  });
});

describe('which tasks are instances', () => {
  test.each(['TASK_STAGING', 'TASK_STARTING', 'TASK_GONE', 'TASK_FINISHED', null])('D7, P24: %s is none', (state) => {
    expect(addresses({ ...hostMode, tasks: [{ ...hostMode.tasks[0], state }] })).toEqual([]);
  });

  test('the agent is the one that Mesos named', () => {
    expect(readMarathonApp(hostMode)?.instances[0]).toMatchObject({
      taskId: 'shop_cart.instance-1c1._app.1',
      agentId: 'a-S3',
      host: '10.0.4.7',
    });
  });

  test('a task that is listed twice is one instance', () => {
    expect(addresses({ ...hostMode, tasks: [hostMode.tasks[0], hostMode.tasks[0]] })).toHaveLength(1);
  });
});

describe('a task that is on its way out, or out of sight', () => {
  const [task] = hostMode.tasks;
  const stateOf = (rest: object, app: object = {}) =>
    readMarathonApp({ ...hostMode, ...app, tasks: [{ ...task, ...rest }] })?.instances[0]?.state;

  test.each<[string, string, object, object | undefined]>([
    ['KILLING', 'draining', { state: 'TASK_KILLING' }, undefined],
    ['UNREACHABLE', 'suspect', { state: 'TASK_UNREACHABLE' }, undefined],
    ['UNREACHABLE with checks and no result', 'suspect', { state: 'TASK_UNREACHABLE' }, { healthChecks: [{}] }],
    [
      'UNREACHABLE that failed before',
      'unhealthy',
      { state: 'TASK_UNREACHABLE', healthCheckResults: [{ alive: false }] },
      { healthChecks: [{}] },
    ],
  ])('D7: %s is %s', (_name, expected, rest, app) => {
    expect(stateOf(rest, app)).toBe(expected);
  });

  test('one that is unreachable for long has no ports any more, and those that it had', () => {
    const app = { ...hostMode, tasks: [{ ...task, state: 'TASK_UNREACHABLE', ports: [] }] };
    const ports = [{ name: 'http', port: 21877 }];
    const read = readMarathonApp(app, (id) => (id === task?.id ? { address: '10.0.4.7', ports } : undefined));
    expect(read?.instances[0]).toMatchObject({ address: '10.0.4.7', port: 21877, state: 'suspect' });
    expect(readMarathonApp(app)?.instances).toEqual([]);
  });

  test('ended tasks are told apart from those that have not begun', () => {
    const tasks = ['TASK_FAILED', 'TASK_GONE', 'TASK_STAGING'].map((state) => ({ ...RUNNING, id: state, state }));
    expect([...(readMarathonApp({ ...hostMode, tasks })?.ended ?? [])]).toEqual(['TASK_FAILED', 'TASK_GONE']);
  });
});

describe('a deployment that replaces tasks', () => {
  const OLD = '2026-01-01T00:00:00.000Z';
  const NEW = '2026-02-01T00:00:00.000Z';
  const states = (old: number, fresh: number, rest: object = {}): string => {
    const task = (id: string, version: string) => ({ ...RUNNING, id, version, ports: [1] });
    const app = readMarathonApp({
      ...{ id: '/a', instances: 4, version: NEW, versionInfo: { lastConfigChangeAt: NEW } },
      deployments: [{ id: 'd' }],
      tasks: [
        ...Array.from({ length: old }, (_, n) => task(`a-old.${n}`, OLD)),
        ...Array.from({ length: fresh }, (_, n) => task(`b-new.${n}`, NEW)),
      ],
      ...rest,
    });
    return app?.instances.map(({ state }) => state[0]).join('') ?? '';
  };

  test.each<[string, string, string]>([
    ['drains nothing while too few new ones are ready', 'rrrrrrr', states(4, 3)],
    ['drains the old ones when as many new ones are ready as there shall be', 'ddrrrr', states(2, 4)],
    ['or as many as the app can do with', 'dddrr', states(3, 2, { upgradeStrategy: { minimumHealthCapacity: 0.5 } })],
    ['and one at the least', 'dr', states(1, 1, { upgradeStrategy: { minimumHealthCapacity: 0 } })],
    ['but not for none', 'rr', states(2, 0, { upgradeStrategy: { minimumHealthCapacity: 0 } })],
    ['nor when it only scales', 'rrrrrr', states(2, 4, { versionInfo: { lastConfigChangeAt: OLD } })],
    ['nor when it is over', 'rrrrrr', states(2, 4, { deployments: [] })],
    ['nor for new ones that are not healthy yet', 'uuuuuu', states(2, 4, { healthChecks: [{}] })],
  ])('%s', (_name, expected, seen) => {
    expect(seen).toBe(expected);
  });
});

describe('the health of an instance', () => {
  const alive = { alive: true, consecutiveFailures: 0 };
  const dead = { alive: false, consecutiveFailures: 2 };
  test.each<[string, unknown, unknown, string, string]>([
    ['no checks', [], undefined, 'unchecked', 'ready'],
    ['checks absent', undefined, null, 'unchecked', 'ready'],
    ['one check, alive', [{}], [alive], 'passing', 'ready'],
    ['one check, dead', [{}], [dead], 'failing', 'unhealthy'],
    ['D8: two checks, one alive', [{}, {}], [alive, dead], 'failing', 'unhealthy'],
    ['two checks, one result', [{}, {}], [alive], 'unknown', 'unhealthy'],
    ['one check, no result', [{}], [], 'unknown', 'unhealthy'],
    ['one check, results null', [{}], null, 'unknown', 'unhealthy'],
    ['one check, a null for a result', [{}], [null], 'unknown', 'unhealthy'],
  ])('%s', (_name, healthChecks, healthCheckResults, health, state) => {
    const app = { ...hostMode, healthChecks, tasks: [{ ...hostMode.tasks[0], healthCheckResults }] };
    expect(readMarathonApp(app)?.instances[0]).toMatchObject({ health, state });
  });

  test('a failed readiness check counts while a deployment runs, and only then', () => {
    const readinessCheckResults = [{ taskId: 'shop_cart.instance-1c1._app.1', ready: false }];
    const stateWith = (deployments: object[]) =>
      readMarathonApp({ ...hostMode, deployments, readinessCheckResults })?.instances[0]?.state;
    expect(stateWith([{ id: 'd1' }])).toBe('unhealthy');
    expect(stateWith([])).toBe('ready');
  });
});

describe('odd documents', () => {
  test('D27: null everywhere means absent', () => {
    const nulls = {
      networks: null,
      portDefinitions: null,
      container: null,
      labels: null,
      healthChecks: null,
      ipAddress: null,
    };
    expect(addresses({ ...hostMode, ...nulls })).toEqual(['10.0.4.7:21877 (port0)']);
  });

  test('D28: labels that are not text become text or are left out', () => {
    const labels = { a: 'x', b: 1, c: true, d: null, e: { f: 1 } };
    expect(readMarathonApp({ ...hostMode, labels })?.labels).toEqual({ a: 'x', b: '1', c: 'true' });
  });

  test('one unusable task does not cost the others', () => {
    expect(addresses({ ...hostMode, tasks: [{ id: 7 }, null, 'x', ...hostMode.tasks] })).toEqual([
      '10.0.4.7:21877 (http)',
    ]);
  });

  test.each([null, undefined, 'x', 7, [], {}, { id: null }, { id: '' }, { id: '/' }])(
    '%j is not an app',
    (document) => {
      expect(readMarathonApp(document)).toBeNull();
    },
  );

  test('whatever JSON says, reading it never throws and every instance has an address and valid ports', () => {
    const anything = fc.jsonValue({ maxDepth: 3 });
    const task = fc.record(
      {
        id: fc.string(),
        state: fc.constantFrom('TASK_RUNNING', 'TASK_KILLING', null),
        host: fc.oneof(fc.constant('10.0.0.1'), anything),
        slaveId: fc.oneof(fc.constant('S1'), anything),
        ports: fc.oneof(fc.array(fc.integer({ min: -1, max: 70_000 })), anything),
        ipAddresses: fc.oneof(fc.array(fc.record({ ipAddress: fc.constantFrom('9.0.0.1', '::1', null) })), anything),
        healthCheckResults: anything,
      },
      { requiredKeys: [] },
    );
    const mapping = fc.record(
      { containerPort: fc.oneof(fc.nat(70_000), anything), hostPort: fc.constantFrom(0, null, 80), name: anything },
      { requiredKeys: [] },
    );
    const app = fc.record(
      {
        id: fc.constantFrom('/a', 'b/c', null),
        networks: fc.oneof(
          fc.array(fc.record({ mode: fc.constantFrom('host', 'container', 'container/bridge') })),
          anything,
        ),
        portDefinitions: anything,
        container: fc.oneof(fc.record({ portMappings: fc.array(fc.oneof(mapping, anything)) }), anything),
        ipAddress: anything,
        labels: anything,
        healthChecks: anything,
        tasks: fc.oneof(fc.array(fc.oneof(task, anything)), anything),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(app, (document) => {
        for (const instance of readMarathonApp(document)?.instances ?? []) {
          expect(instance.address).not.toBe('');
          for (const { port } of instance.ports) expect(port > 0 && port < 65_536).toBe(true);
        }
      }),
    );
  });
});
