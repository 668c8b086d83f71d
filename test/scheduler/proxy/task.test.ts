/** The task in an image; from an archive it is in control-plane.test.ts. */
import { expect, test } from 'vitest';
import type { ProxyArchive } from '../../../scheduler/proxy/artifacts.ts';
import type { ProxyPlan } from '../../../scheduler/proxy/goal.ts';
import { proxyTask } from '../../../scheduler/proxy/task.ts';
import { fakeAgent, taskId } from '../support/fake-framework.ts';

const AGENT = fakeAgent('10.0.0.9');
const ARCHIVE: ProxyArchive = {
  manifest: {
    ...{ version: '1.0.0', platform: 'linux-x64', sha256: 'a'.repeat(64), size: 1, supervisor: 1, runtime: null },
    code: { file: 'proxy.mjs', sha256: 'c'.repeat(64) },
  },
  path: '/artifacts/whole',
  code: { path: '/artifacts/code', sha256: 'd'.repeat(64) },
};

function taskOf(plan: Partial<ProxyPlan>, agent = AGENT, archive = ARCHIVE) {
  const whole: ProxyPlan = {
    ports: { out: 4140, in: 4141, admin: 9990, edge: 4143 },
    ...{
      bind: 'node' as const,
      publicListeners: 'edge' as const,
      workers: 2,
      cpus: 2,
      cpusLimit: null,
      mem: 256,
      disk: 128,
      image: null,
    },
    ...plan,
  };
  const options = {
    archive,
    plan: whole,
    advertise: 'http://s:1',
    clusterKey: 'k',
    launchKey: 'l',
    name: 'mesh',
  };
  return proxyTask(options, agent, taskId('t'));
}

test('an image has nothing to fetch, and shares the network of its agent', () => {
  const command = {
    shell: true,
    value: expect.stringMatching(/^exec \/opt\/nodemesh-proxy\/bin\/nodemesh-proxy .* --workers 2$/),
  };
  const mesos = taskOf({ image: { name: 'example/proxy:1', containerizer: 'mesos' } });
  expect(mesos.command).toMatchObject(command);
  expect(mesos.command.uris).toBeUndefined();
  expect(mesos.container).toEqual({
    type: 'MESOS',
    mesos: { image: { type: 'DOCKER', docker: { name: 'example/proxy:1' } } },
  });
  const docker = taskOf({ image: { name: 'example/proxy:1', containerizer: 'docker' } });
  expect(docker.container).toEqual({
    type: 'DOCKER',
    docker: { image: 'example/proxy:1', network: 'HOST', force_pull_image: false },
  });
});

test('DC/OS finds the metrics by the labels of the admin port', () => {
  const ports = taskOf({}).discovery?.ports?.ports ?? [];
  const labelled = ports.flatMap(({ name, labels }) => (labels === undefined ? [] : [[name, labels.labels]]));
  const metrics = { DCOS_METRICS_FORMAT: 'prometheus', DCOS_METRICS_ENDPOINT: '/admin/metrics/prometheus' };
  expect(labelled).toEqual([['admin', Object.entries(metrics).map(([key, value]) => ({ key, value }))]]);
});

test('resources and their limits are those of the plan', () => {
  expect(taskOf({})).toMatchObject({ cpus: 2, mem: 256, disk: 128, name: 'mesh-proxy' });
  expect(taskOf({}).limits).toBeUndefined();
  expect(taskOf({ cpusLimit: 'unlimited' }).limits).toEqual({ cpus: 'unlimited' });
  expect(taskOf({}).container).toBeUndefined();
});

test('code that takes no token gets the key of the cluster, as a rollout may go back to it', () => {
  const variables = (archive: ProxyArchive) => {
    const task = taskOf({}, AGENT, archive);
    const { variables: all = [] } = task.command.environment ?? {};
    const named = all.filter(({ name }) => name === 'NODEMESH_TOKEN' || name === 'NODEMESH_CLUSTER_KEY');
    return { names: named.map(({ name }) => name), credential: task.credential };
  };
  const of = (supervisor: number) => ({ ...ARCHIVE, manifest: { ...ARCHIVE.manifest, supervisor } });
  expect(variables(of(2))).toEqual({ names: ['NODEMESH_CLUSTER_KEY'], credential: undefined });
  expect(variables(of(3))).toEqual({ names: ['NODEMESH_TOKEN'], credential: 'expected' });
});

test('only a public agent has an edge router, and only there its port is asked for', () => {
  const open = { ...AGENT, isPublic: true };
  expect(taskOf({}).ports).toEqual([4140, 4141, 9990]);
  expect(taskOf({}).command.value).toContain('--ports out=4140,in=4141,admin=9990 ');
  expect(taskOf({}, open).ports).toEqual([4140, 4141, 9990, 4143]);
  expect(taskOf({}, open).command.value).toContain('--ports out=4140,in=4141,admin=9990,edge=4143 ');
  expect(taskOf({}, open).discovery?.ports?.ports).toContainEqual({ number: 4143, name: 'edge', protocol: 'tcp' });
  expect(taskOf({}, open).container).toBeUndefined();
  const none = { ports: { out: 1, in: 2, admin: 3, edge: null } };
  expect(taskOf(none, open).ports).toEqual([1, 2, 3]);
  expect(taskOf(none, open).command.value).toContain('--ports out=1,in=2,admin=3 ');
});

test("for a port that is root's, the task has the capability to listen there", () => {
  const open = { ...AGENT, isPublic: true };
  const ports = { out: 4140, in: 4141, admin: 9990, edge: 80 };
  const capabilities = { capabilities: ['NET_BIND_SERVICE'] };
  const linux = { effective_capabilities: capabilities, bounding_capabilities: capabilities };
  expect(taskOf({ ports }, open).container).toEqual({ type: 'MESOS', linux_info: linux });
  expect(taskOf({ ports, image: { name: 'a', containerizer: 'mesos' } }, open).container).toMatchObject({
    ...{ type: 'MESOS', linux_info: linux },
    mesos: { image: { docker: { name: 'a' } } },
  });
  expect(taskOf({ ports, image: { name: 'a', containerizer: 'docker' } }, open).container).toMatchObject({
    docker: { image: 'a', parameters: [{ key: 'cap-add', value: 'NET_BIND_SERVICE' }] },
  });
  expect(taskOf({ ports }).container).toBeUndefined();
});

test('on a public agent all but the edge is for the agent itself, unless the plan says otherwise', () => {
  const innerOf = (...[plan, agent]: Parameters<typeof taskOf>) => {
    const { command, healthCheck } = taskOf(plan, agent);
    const variables = command.environment?.variables ?? [];
    const inner = variables.find(({ name }) => name === 'NODEMESH_INNER_IP')?.value ?? null;
    return [inner, /http:\/\/([\d.]+):9990/.exec(healthCheck?.command?.value ?? '')?.[1]];
  };
  const isPublic = { ...AGENT, isPublic: true };
  expect(innerOf({}, AGENT)).toEqual([null, '10.0.0.9']);
  expect(innerOf({}, isPublic)).toEqual(['127.0.0.1', '127.0.0.1']);
  expect(innerOf({ publicListeners: 'all' }, isPublic)).toEqual([null, '10.0.0.9']);
  // All agents of the local cluster are on loopback.
  expect(innerOf({}, { ...isPublic, ip: '127.0.1.3' })).toEqual([null, '127.0.1.3']);
});
