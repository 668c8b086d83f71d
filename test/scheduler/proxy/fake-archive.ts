/** Archives that are only described, and a task for what is in them. */
import type { ProxyArchive } from '../../../scheduler/proxy/artifacts.ts';
import type { ProxyPlan } from '../../../scheduler/proxy/goal.ts';

export const PLAN: ProxyPlan = {
  ports: { out: 4140, in: 4141, admin: 9990, edge: 4143 },
  ...{
    bind: 'node' as const,
    publicListeners: 'edge' as const,
    workers: 1,
    cpus: 1,
    cpusLimit: null,
    mem: 256,
    disk: 256,
    image: null,
  },
};

export function fakeArchive(version: string): ProxyArchive {
  const digest = (letter: string): string => `${version}${letter}`.padEnd(64, '0');
  return {
    manifest: {
      ...{ version, platform: 'linux-x64', sha256: digest('a'), size: 1, supervisor: 1, runtime: null },
      code: { file: 'proxy.mjs', sha256: digest('c') },
    },
    path: `/artifacts/${version}`,
    code: { path: `/artifacts/${version}-code`, sha256: digest('d') },
  };
}
