/** Which change of a proxy needs a new task, and which does not. */
import { expect, test } from 'vitest';
import type { ProxyArchive } from '../../../scheduler/proxy/artifacts.ts';
import { goalOf, type ProxyPlan } from '../../../scheduler/proxy/goal.ts';
import { PLAN } from './fake-archive.ts';

const ARCHIVE: ProxyArchive = {
  manifest: {
    ...{ version: '1.0.0', platform: 'linux-x64', sha256: 'a'.repeat(64), size: 1, supervisor: 1 },
    runtime: { node: '24.0.0', sha256: 'b'.repeat(64) },
    code: { file: 'proxy.mjs', sha256: 'c'.repeat(64) },
  },
  path: '/artifacts/whole',
  code: { path: '/artifacts/code', sha256: 'd'.repeat(64) },
};

function archive(manifest: Partial<ProxyArchive['manifest']>): ProxyArchive {
  return { ...ARCHIVE, manifest: { ...ARCHIVE.manifest, ...manifest } };
}

test('a goal says what to fetch for an upgrade in place', () => {
  expect(goalOf(ARCHIVE, PLAN)).toEqual({
    id: expect.stringMatching(/^1\.0\.0-[0-9a-f]{8}$/),
    relaunchKey: expect.stringMatching(/^[0-9a-f]{16}$/),
    version: '1.0.0',
    codeSha256: 'c'.repeat(64),
    sha256: 'd'.repeat(64),
    path: '/artifacts/code',
  });
  expect(goalOf(ARCHIVE, { ...PLAN })).toEqual(goalOf(ARCHIVE, PLAN));
});

test('other code is another goal in the same task', () => {
  const code = { file: 'proxy.mjs', sha256: 'e'.repeat(64) } as const;
  const other = goalOf(archive({ version: '1.1.0', sha256: 'f'.repeat(64), code }), PLAN);
  expect(other.relaunchKey).toBe(goalOf(ARCHIVE, PLAN).relaunchKey);
  expect(other.id).not.toBe(goalOf(ARCHIVE, PLAN).id);
});

test.each<[string, ProxyArchive, ProxyPlan]>([
  ['another Node.js', archive({ runtime: { node: '24.1.0', sha256: 'e'.repeat(64) } }), PLAN],
  ["the agent's own Node.js", archive({ runtime: null, platform: 'host-node' }), PLAN],
  ['another supervisor', archive({ supervisor: 2 }), PLAN],
  ['other ports', ARCHIVE, { ...PLAN, ports: { ...PLAN.ports, admin: 9991 } }],
  ['another edge port', ARCHIVE, { ...PLAN, ports: { ...PLAN.ports, edge: 80 } }],
  ['more workers', ARCHIVE, { ...PLAN, workers: 2 }],
  ['more cpus', ARCHIVE, { ...PLAN, cpus: 2 }],
  ['another limit', ARCHIVE, { ...PLAN, cpusLimit: 'unlimited' }],
  ['more memory', ARCHIVE, { ...PLAN, mem: 512 }],
  ['more disk', ARCHIVE, { ...PLAN, disk: 512 }],
  ['an image', ARCHIVE, { ...PLAN, image: { name: 'a', containerizer: 'mesos' } }],
])('%s needs a new task', (_what, changed, plan) => {
  expect(goalOf(changed, plan).relaunchKey).not.toBe(goalOf(ARCHIVE, PLAN).relaunchKey);
});

test('in an image it is the image that counts, not the Node.js of the archive', () => {
  const plan: ProxyPlan = { ...PLAN, image: { name: 'a', containerizer: 'mesos' } };
  const other = archive({ runtime: null, platform: 'host-node' });
  expect(goalOf(other, plan).relaunchKey).toBe(goalOf(ARCHIVE, plan).relaunchKey);
  const docker: ProxyPlan = { ...PLAN, image: { name: 'a', containerizer: 'docker' } };
  expect(goalOf(ARCHIVE, docker).relaunchKey).not.toBe(goalOf(ARCHIVE, plan).relaunchKey);
});
