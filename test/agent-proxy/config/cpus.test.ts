/** The CPUs that a cgroup allots, as both versions say it. */
import { expect, test } from 'vitest';
import { allottedCpus, cpusOf } from '../../../agent-proxy/config/cpus.ts';

const ROOT = '/sys/fs/cgroup';

function cpus(cgroups: string, files: Record<string, string>, available = 8): number {
  return cpusOf(cgroups, (path) => files[path] ?? null, available);
}

test.each<[string, string, Record<string, string>, number]>([
  ['no cgroups at all', '', {}, 8],
  ['version 2 without a limit', '0::/\n', { [`${ROOT}/cpu.max`]: 'max 100000\n' }, 8],
  ['version 2, two CPUs', '0::/\n', { [`${ROOT}/cpu.max`]: '200000 100000\n' }, 2],
  ['version 2, half a CPU more is one more', '0::/\n', { [`${ROOT}/cpu.max`]: '250000 100000\n' }, 3],
  ['version 2, half a CPU', '0::/\n', { [`${ROOT}/cpu.max`]: '50000 100000\n' }, 1],
  [
    'version 2, the least limit of all groups above counts',
    '0::/mesos/task\n',
    { [`${ROOT}/mesos/task/cpu.max`]: '600000 100000', [`${ROOT}/mesos/cpu.max`]: '300000 100000' },
    3,
  ],
  [
    'version 1',
    '4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n',
    {
      [`${ROOT}/cpu,cpuacct/docker/abc/cpu.cfs_quota_us`]: '150000\n',
      [`${ROOT}/cpu,cpuacct/docker/abc/cpu.cfs_period_us`]: '100000\n',
    },
    2,
  ],
  [
    'version 1, whose mount begins at the group itself',
    '4:cpu,cpuacct:/docker/abc\n',
    { [`${ROOT}/cpu/cpu.cfs_quota_us`]: '400000', [`${ROOT}/cpu/cpu.cfs_period_us`]: '100000' },
    4,
  ],
  [
    'version 1 without a limit',
    '1:cpu:/\n',
    { [`${ROOT}/cpu/cpu.cfs_quota_us`]: '-1', [`${ROOT}/cpu/cpu.cfs_period_us`]: '100000' },
    8,
  ],
  ['a limit above what the machine has', '0::/\n', { [`${ROOT}/cpu.max`]: '6400000 100000' }, 8],
  ['what is no number', '0::/\n', { [`${ROOT}/cpu.max`]: 'soon' }, 8],
])('%s', (_what, cgroups, files, expected) => {
  expect(cpus(cgroups, files)).toBe(expected);
});

test('on this machine it is at least one', () => {
  expect(allottedCpus()).toBeGreaterThanOrEqual(1);
});
