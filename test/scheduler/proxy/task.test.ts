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

function taskOf(plan: Partial<ProxyPlan>) {
  const whole: ProxyPlan = {
    ports: { out: 4140, in: 4141, admin: 9990 },
    ...{ bind: 'node' as const, workers: 2, cpus: 2, cpusLimit: null, mem: 256, disk: 128, image: null },
    ...plan,
  };
  const options = { archive: ARCHIVE, plan: whole, advertise: 'http://s:1', clusterKey: 'k', name: 'mesh' };
  return proxyTask(options, AGENT, taskId('t'));
}

test('an image has nothing to fetch, and shares the network of its agent', () => {
  const command = {
    shell: true,
    value: expect.stringMatching(/^exec \/opt\/nodemesh-proxy\/bin\/node .* --workers 2$/),
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

test('resources and their limits are those of the plan', () => {
  expect(taskOf({})).toMatchObject({ cpus: 2, mem: 256, disk: 128, name: 'mesh-proxy' });
  expect(taskOf({}).limits).toBeUndefined();
  expect(taskOf({ cpusLimit: 'unlimited' }).limits).toEqual({ cpus: 'unlimited' });
  expect(taskOf({}).container).toBeUndefined();
});
