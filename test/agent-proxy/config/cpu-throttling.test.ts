/** How often a cgroup was held back, as both versions say it. */
import { expect, test } from 'vitest';
import { allotmentFigures } from '../../../agent-proxy/config/allotment.ts';
import { throttlingOf } from '../../../agent-proxy/config/cpu-throttling.ts';

const ROOT = '/sys/fs/cgroup';
const STAT = 'usage_usec 9\nnr_periods 200\nnr_throttled 30\nthrottled_usec 12345\n';
const UNLIMITED = 'usage_usec 9\nuser_usec 5\nsystem_usec 4\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n';

test.each([
  ['version 2', '0::/mesos/task\n', { [`${ROOT}/mesos/task/cpu.stat`]: STAT }],
  [
    'the nearest group with a limit',
    '0::/mesos/task\n',
    { [`${ROOT}/mesos/task/cpu.stat`]: UNLIMITED, [`${ROOT}/mesos/cpu.stat`]: STAT },
  ],
  ['version 1', '4:cpu,cpuacct:/mesos/abc\n3:memory:/x\n', { [`${ROOT}/cpu,cpuacct/mesos/abc/cpu.stat`]: STAT }],
])('%s', (_, cgroups, files: Record<string, string>) => {
  expect(throttlingOf(cgroups, (path) => files[path] ?? null)).toEqual({ periods: 200, throttledPeriods: 30 });
});

test('there is none without a limit, or without cgroups', () => {
  expect(throttlingOf('0::/\n', () => UNLIMITED)).toBe(null);
  expect(throttlingOf('', () => null)).toBe(null);
});

test('this very process has a limit of open files', () => {
  expect(allotmentFigures()().open_files_limit).toBeGreaterThanOrEqual(256);
});
